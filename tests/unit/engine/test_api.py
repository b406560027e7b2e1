"""The client of the API server: where it goes, what it shows, and what it asks again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from demo.apiserver import ApiServer, given, pod, reset, trouble
from support.engine import OTHER_UID, UID, Clock, code
from support.https import LOCAL, Site, certificate, site

WHERE = "/api/v1/namespaces/shop/pods/web-1"
api, names = code().api, code().names


@pytest.fixture
def clock() -> Iterator[Clock]:
    with mock.patch.object(api, "time", Clock()) as made:
        yield made


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer([pod("shop", "web-1", UID)]) as made:
        yield made


@pytest.fixture
def client(server: ApiServer, clock: Clock) -> Iterator[Any]:
    made = api.Client(server.url)
    yield made
    made._connection().close()


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "https://10.0.0.1:443"),
        ({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, "https://[fd00::1]:6443"),
        ({"KRE_API": "http://127.0.0.1:1", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "http://127.0.0.1:1"),
        ({"KRE_API": "", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "https://10.0.0.1:443"),
    ],
)
def test_finds_the_api_server(environ: dict[str, str], url: str) -> None:
    assert api.server(environ) == url


@pytest.mark.parametrize("url", ["http://example.org", "http://10.0.0.1", "http://127.0.0.1.example.org", "nonsense"])
def test_plain_http_stays_on_this_machine(url: str) -> None:
    with pytest.raises(api.ApiError, match="this very machine"):
        api.Client(url)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("pods", "shop", "web-1"), WHERE),
        (("pods", "shop"), "/api/v1/namespaces/shop/pods"),
        (("", "shop"), "/api/v1/namespaces/shop"),
        (("leases", "x", "y", "coordination.k8s.io/v1"), "/apis/coordination.k8s.io/v1/namespaces/x/leases/y"),
        (("pods", "../secrets", "a/b?c#d%"), "/api/v1/namespaces/..%2Fsecrets/pods/a%2Fb%3Fc%23d%25"),
    ],
)
def test_path(arguments: tuple[str, ...], found: str) -> None:
    assert api.path(*arguments) == found


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "PATCH", "POST", "DELETE"])
def test_passing_trouble_is_asked_again(client: Any, server: ApiServer, method: str, status: int) -> None:
    server.state.faults.append(trouble(status))
    event = api.path("events", "shop")
    body = {"metadata": {"name": "one"}, "involvedObject": {"namespace": "shop"}} if method == "POST" else {}
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    answered, _ = client.call(method, event if method == "POST" else WHERE, body if method != "GET" else None, kind)
    assert answered == (201 if method == "POST" else 200)
    assert len(server.state.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 405, 410, 413, 422, 501])
def test_lasting_trouble_is_not(client: Any, server: ApiServer, status: int) -> None:
    server.state.faults.append(trouble(status))
    with pytest.raises(api.ApiError, match=f"^{status}: "):
        client.get(WHERE)
    assert len(server.state.requests) == 1


def test_a_patch_that_met_another_is_sent_again(client: Any, server: ApiServer) -> None:
    server.state.faults.append(trouble(409))
    made = client.patch({"namespace": "shop", "pod": "web-1", "uid": UID}, {"labels": {"a": "b"}})
    assert made["metadata"]["labels"] == {"a": "b"}
    assert [one.method for one in server.state.requests] == ["PATCH", "PATCH"]


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (trouble(429, 7), [7.0]),
        (trouble(429, 0), [0.2]),  # a server that says "at once" is not asked without a pause
        (trouble(429), [0.2]),
        (trouble(503, 90), []),  # longer than its patience
        (given(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"{}"), [0.2]),
        (given(429, {"Retry-After": "-5"}, b"{}"), [0.2]),
        (given(429, {"Retry-After": "9" * 400}, b"{}"), []),
        (trouble(500), [0.2]),
        (trouble(502), [0.2]),
        (trouble(504), [0.2]),
        (given(200, {}, b"[" * 100_000), [0.2]),
        (given(200, {}, b"null"), [0.2]),
        (reset(), [0.2]),
    ],
)
def test_waits_and_asks_again(server: ApiServer, client: Any, clock: Clock, fault: Any, waits: list[float]) -> None:
    client._patience = 30.0
    server.state.faults.append(fault)
    if waits:
        assert client.get(WHERE)["metadata"]["uid"] == UID
    else:
        with pytest.raises(api.ApiError, match="gave up after 30 s"):
            client.get(WHERE)
    assert clock.slept == waits
    assert len(server.state.requests) == len(waits) + 1


def test_pauses_grow_and_patience_ends(server: ApiServer, client: Any, clock: Clock) -> None:
    server.fault = lambda *_: trouble(503)
    with pytest.raises(api.ApiError, match=r"^503: gave up after 60 s \(ServiceUnavailable\)$"):
        client.get(WHERE)
    assert clock.slept[:7] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8.0]
    assert sum(clock.slept) <= 60


def test_nobody_is_there(clock: Clock) -> None:
    with pytest.raises(api.ApiError, match=r"^no answer: gave up after 1 s \(ConnectionRefusedError\)$"):
        api.Client("http://127.0.0.1:9", patience=1.0).get(WHERE)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 405, 409, 410, 415, 422, 501])
def test_what_does_not_pass_is_not_asked_again(server: ApiServer, client: Any, clock: Clock, status: int) -> None:
    server.state.faults.append(given(status, {}, b'{"reason": "Because"}'))
    with pytest.raises(api.ApiError, match=f"^{status}: Because$"):
        client.get(WHERE)
    assert (clock.slept, len(server.state.requests)) == ([], 1)


@pytest.mark.parametrize(
    ("method", "body", "again"),
    [
        ("POST", b'{"reason": "Conflict"}', True),
        ("POST", b'{"reason": "AlreadyExists"}', False),
        ("POST", b"{}", False),
    ],
)
def test_a_quotas_conflict_is_not_taken_for_a_second_time(
    server: ApiServer, client: Any, method: str, body: bytes, again: bool
) -> None:
    """A ResourceQuota that changes under a create answers 409 Conflict: nothing was made."""
    server.state.faults.append(given(409, {}, body))
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "x", "namespace": "shop"},
        "involvedObject": {"namespace": "shop"},
    }
    status, _ = client.call(method, "/api/v1/namespaces/shop/events", event, take=(409,))
    assert status == (201 if again else 409)
    assert len(server.state.all("events")) == again


def test_a_put_is_told_of_its_conflict(server: ApiServer, client: Any) -> None:
    server.state.faults.append(trouble(409))
    assert client.call("PUT", WHERE, {}, take=(409,))[0] == 409


def test_a_patch_says_whom_it_means(server: ApiServer, client: Any) -> None:
    wanted = {"namespace": "shop", "pod": "web-1", "uid": OTHER_UID}
    with pytest.raises(names.Gone):
        client.patch(wanted, {"labels": {"a": "b"}})
    with pytest.raises(names.Gone):
        client.patch(wanted | {"pod": "web-2"}, {"labels": {"a": "b"}})
    with pytest.raises(api.ApiError, match="422: Invalid"):
        client.patch(wanted | {"uid": UID}, {"labels": {"not a key": "b"}})
    assert server.changes == []
    assert client.patch(wanted | {"uid": UID}, {"labels": {"a": "b"}})["metadata"]["labels"] == {"a": "b"}


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_lists_to_the_last_page(clock: Clock, count: int) -> None:
    with ApiServer([pod("shop", f"web-{number:03}") for number in range(count)]) as server:
        server.state.ensure_namespace("shop")
        client = api.Client(server.url)
        found = [one["metadata"]["name"] for one in client.items("/api/v1/namespaces/shop/pods")]
        client._connection().close()
    assert found == [f"web-{number:03}" for number in range(count)]
    assert len(server.state.requests) == max(1, -(-count // 100))


def test_one_connection_for_many_requests(server: ApiServer, client: Any) -> None:
    client.get(WHERE)
    used = client._connection().sock
    client.get(WHERE)
    assert client._connection().sock is used


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service account as it is mounted, and a certificate of the API server."""
    certificate(tmp_path)
    (tmp_path / "token").write_text("first\n")
    monkeypatch.setattr(api, "ACCOUNT", tmp_path)
    return tmp_path


@pytest.fixture
def cluster(account: Path) -> Iterator[Site]:
    with site((account / "ca.crt", account / "ca.key")) as made:
        made.pages[WHERE], made.body = (200, {}), json.dumps({"metadata": {"uid": UID}}).encode()
        yield made


def test_https_with_the_token_of_now(account: Path, cluster: Site) -> None:
    client = api.Client(cluster.url(""))
    client.get(WHERE)
    (account / "token").write_text("second")  # the kubelet has renewed it
    client.get(WHERE)
    client._connection().close()
    assert [headers["Authorization"] for _, _, headers, _ in cluster.asked] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_https_with_the_right_server_alone(
    account: Path, clock: Clock, tmp_path_factory: pytest.TempPathFactory, wrong: str
) -> None:
    shown = certificate(tmp_path_factory.mktemp("other"), "DNS:elsewhere.example" if wrong == "name" else LOCAL)
    if wrong == "name":
        shutil.copy(shown[0], account / "ca.crt")
    with site(shown) as stranger:
        stranger.pages[WHERE] = (200, {})
        with pytest.raises(api.ApiError, match="SSLCertVerificationError"):
            api.Client(stranger.url(""), patience=0.1).get(WHERE)
        assert stranger.asked == []


def test_the_token_is_shown_to_nobody_over_plain_http(server: ApiServer, client: Any, account: Path) -> None:
    client.get(WHERE)
    assert "authorization" not in server.state.requests[0].headers


def test_a_token_that_is_not_there_yet_is_waited_for(account: Path, cluster: Site, clock: Clock) -> None:
    (account / "token").unlink()
    real: Callable[[float], None] = clock.sleep

    def sleep(seconds: float) -> None:
        (account / "token").write_text("late")
        real(seconds)

    clock.sleep = sleep  # type: ignore[method-assign]
    client = api.Client(cluster.url(""))
    assert client.get(WHERE)["metadata"]["uid"] == UID
    client._connection().close()
