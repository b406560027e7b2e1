"""The way to an API server by what a kubeconfig says: its credentials, or kubectl where it takes more."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.http import Http, Question
from support.https import Site, certificate, site

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl reads the kubeconfig")

TOKEN = "a-token"
PLUGIN = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "command": "echo",
    "args": [
        json.dumps(
            {
                "apiVersion": "client.authentication.k8s.io/v1",
                "kind": "ExecCredential",
                "status": {"token": "of-plugin"},
            }
        )
    ],
    "interactiveMode": "Never",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: tuple[Path, Path]) -> Iterator[Site]:
    with site(authority) as made:
        made.pages = {"/version": (200, {}), "/prefix/version": (200, {}), "/api/v1/pods": (403, {})}
        made.body = b'{"message": "said"}'
        yield made


def kubeconfig(folder: Path, monkeypatch: pytest.MonkeyPatch, cluster: dict[str, Any], user: dict[str, Any]) -> None:
    """The one in use from here on."""
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "other", "cluster": {"server": "https://nowhere.invalid"}}, {"name": "c"}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    made["clusters"][1]["cluster"] = cluster
    (folder / "config").write_text(json.dumps(made))
    monkeypatch.setenv("KUBECONFIG", str(folder / "config"))


def asked(server: Site) -> list[tuple[str, str, dict[str, str], bytes]]:
    """The requests, but for those of a kubectl that looks for the server's version by itself."""
    return [request for request in server.asked if "timeout=" not in request[1]]


def data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def test_a_token_goes_to_the_server_that_its_authority_vouches_for(
    server: Site, authority: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"server": server.url("/prefix/"), "certificate-authority-data": data(authority[0])}
    kubeconfig(tmp_path, monkeypatch, cluster, {"token": TOKEN})
    with Http() as http:
        reply = http.ask("GET", "/version", headers=[("Impersonate-User", "x")])
    assert (reply.status, reply.message) == (200, "said")
    ((method, path, headers, body),) = asked(server)
    assert (method, path, body) == ("GET", "/prefix/version", b"")
    assert (headers["Authorization"], headers["Impersonate-User"]) == (f"Bearer {TOKEN}", "x")


def test_files_that_a_kubeconfig_names_are_found_beside_it(
    server: Site, authority: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(authority[0], tmp_path / "authority.crt")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    cluster = {"server": server.url(), "certificate-authority": "authority.crt"}
    kubeconfig(tmp_path, monkeypatch, cluster, {"tokenFile": str(tmp_path / "token")})
    with Http() as http:
        assert http.ask("GET", "/api/v1/pods").status == 403
    assert asked(server)[-1][2]["Authorization"] == f"Bearer {TOKEN}"


def test_another_authority_is_not_trusted(server: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    other = certificate(tmp_path / "other")[0]
    kubeconfig(tmp_path, monkeypatch, {"server": server.url(), "certificate-authority": str(other)}, {"token": TOKEN})
    with Http() as http, pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        http.ask("GET", "/version")
    assert not asked(server)


def test_a_plugin_s_credentials_come_through_kubectl(
    server: Site, authority: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"server": server.url(), "certificate-authority-data": data(authority[0])}
    kubeconfig(tmp_path, monkeypatch, cluster, {"exec": PLUGIN})
    with Http() as http:
        assert http.ask("GET", "/version").status == 200
    assert asked(server)[-1][2]["Authorization"] == "Bearer of-plugin"


def test_many_are_answered_in_order(
    server: Site, authority: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages = {f"/{status}": (status, {}) for status in range(200, 300)}
    cluster = {"server": server.url(), "certificate-authority-data": data(authority[0])}
    kubeconfig(tmp_path, monkeypatch, cluster, {"token": TOKEN})
    with Http() as http:
        replies = http.send_all([Question("POST", f"/{status}", {"n": status}) for status in range(200, 300)], 8)
    assert [reply.status for reply in replies if reply.status not in (204, 304)] == [*range(200, 204), *range(205, 300)]
    assert sorted(json.loads(body)["n"] for *_, body in asked(server)) == list(range(200, 300))


def test_a_connection_that_has_rested_is_opened_again(
    server: Site, authority: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API server closes it after 90 s, and a POST must not find that out."""
    cluster = {"server": server.url(), "certificate-authority-data": data(authority[0])}
    kubeconfig(tmp_path, monkeypatch, cluster, {"token": TOKEN})
    with Http() as http:
        assert http.ask("POST", "/version", {}).status == 200
        (connection,) = http._opened
        really, closed = connection.close, []
        monkeypatch.setattr(connection, "close", lambda: closed.append(really()))
        assert http.ask("POST", "/version", {}).status == 200
        usual = len(closed)
        monkeypatch.setattr("e2e.http.IDLE", 0.0)
        assert http.ask("POST", "/version", {}).status == 200
        assert len(closed) == 2 * usual + 1
