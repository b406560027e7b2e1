"""What is read: all that the checks ask for, nothing of a Secret but digests, and a cluster that is not there."""

from __future__ import annotations

import base64
import json

import pytest

from kre.cluster.reading import ATTEMPTS, environment_on, form_of, read
from kre.cluster.result import Unreadable
from kre.cluster.wanted import Wanted
from kre.doors.kubectl import Reply
from kre.errors import Exit, ToolError, UsageError
from support.cluster import CANARY, SERVER, Double


class Recording:
    """An Api that remembers what it was asked."""

    def __init__(self, double: Double) -> None:
        self.double, self.asked = double, list[tuple[str, str, object]]()

    def get(self, path: str) -> Reply:
        return self.call("GET", path)

    def call(self, method: str, path: str, body: object = None, headers: object = ()) -> Reply:
        self.asked.append((method, path, headers))
        return self.double.call(method, path, body, headers)


def test_no_secret_is_kept(rendered: Wanted, double: Double) -> None:
    snapshot = double.snapshot(rendered)
    kept = json.dumps([[path, dict(reply.body), reply.text] for path, reply in snapshot.replies.items()])
    assert "falco-webhook-token" in kept
    assert CANARY not in kept
    assert base64.b64encode(CANARY.encode()).decode()[:20] not in kept
    again = double.snapshot(rendered)  # digests are of no use to whoever has seen another run's
    path = "/api/v1/namespaces/kre-pipeline/secrets/falco-webhook-token"
    assert snapshot.replies[path].body != again.replies[path].body


def test_nothing_is_written(rendered: Wanted, double: Double) -> None:
    api = Recording(double)
    read(rendered, api, SERVER)  # type: ignore[arg-type]
    posts = [(path, headers) for method, path, headers in api.asked if method != "GET"]
    assert len(posts) == len(ATTEMPTS) + 1
    for path, headers in posts:
        if "selfsubjectreviews" not in path:
            assert path.endswith("?dryRun=All")
            assert ("Impersonate-User", "system:serviceaccount:kre-pipeline:dispatcher") in headers  # type: ignore[operator]


def test_what_was_not_asked_is_an_error(rendered: Wanted, double: Double) -> None:
    with pytest.raises(Unreadable, match="was not asked for"):
        double.snapshot(rendered).get("Namespace", "nobody-asked-for-it")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Bearer token-1", ("bearer", "token-1")),
        ("token-1\n", ("bare", "token-1")),
        ("Authorization:Bearer token-1", ("header", "token-1")),
        ("X-Scope:a, authorization: Bearer token-1 ,X-Other:b", ("header", "token-1")),
        ("Bearer ", ("bearer", "")),
        ("", ("bare", "")),
    ],
)
def test_forms_of_a_token(text: str, form: tuple[str, str]) -> None:
    assert form_of(base64.b64encode(text.encode()).decode()) == form


@pytest.mark.parametrize("value", ["%%%", None, base64.b64encode(b"\xff\xfe").decode()])
def test_what_is_no_text_is_no_token(value: object) -> None:
    assert form_of(value) == ("bare", "")


@pytest.mark.parametrize(
    "reply", [Reply(502, text="Error trying to reach service"), Reply(0, text="no answer"), Reply(401)], ids=str
)
def test_a_cluster_that_does_not_answer(rendered: Wanted, double: Double, reply: Reply) -> None:
    class Dead(Recording):
        def call(self, method: str, path: str, body: object = None, headers: object = ()) -> Reply:
            return reply

    with pytest.raises(ToolError, match="does not answer") as caught:
        read(rendered, Dead(double), SERVER)  # type: ignore[arg-type]
    assert caught.value.exit is Exit.TOOL


def test_which_environment(double: Double) -> None:
    api, path = Recording(double), "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/kre-{}-root"
    roots = {name: path.format(name) for name in ("dev", "prod")}
    assert environment_on(api, roots, SERVER) == "dev"  # type: ignore[arg-type]
    double.drop("Application", "kre-dev-root", "argocd")
    with pytest.raises(UsageError, match="which environment"):
        environment_on(api, roots, SERVER)  # type: ignore[arg-type]
    assert environment_on(api, {"prod": roots["prod"]}, SERVER) == "prod"  # type: ignore[arg-type]
