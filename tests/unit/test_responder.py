"""The responder: its request, its guards, and what it does to an API server that behaves well, badly, or not at all."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.apiserver import ApiServer, pod
from support.repository import PROJECT

FOLDER = PROJECT / "base/responses/manifests/responder"
UID = "7f9d2c1e-5b3a-4e8f-9c6d-0a1b2c3d4e01"
ALERT = "0e5d1a5c-4c5b-4d7e-9d6c-2f4e0a7b9c11"
ENVIRON = {
    "KRE_RESPONSE": "delete-pod",
    "KRE_MODE": "enforce",
    "KRE_TARGETS": "^(shop)$",
    "KRE_NAMESPACE": "shop",
    "KRE_POD": "web-1",
    "KRE_UID": UID,
    "KRE_ALERT": ALERT,
}


def module(name: str) -> ModuleType:
    """One of the responder's files, imported as it is in its pod: from its own folder."""
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


request, guard, api = module("request"), module("guard"), module("api")


def run(url: str, **changes: str) -> tuple[int, dict[str, Any]]:
    """Runs the responder as a process; returns its exit code and its record."""
    environ = {"PATH": "/usr/bin:/bin", **ENVIRON, "KRE_API": url, **changes}
    done = subprocess.run(
        [sys.executable, "-EsB", str(FOLDER)], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    return done.returncode, json.loads(lines[0])


def test_deletes_the_very_pod() -> None:
    with ApiServer([pod("shop", "web-1", UID), pod("shop", "web-2", "other")]) as server:
        code, record = run(server.url)
        assert (code, record["outcome"]) == (0, "deleted")
        assert list(server.state.pods) == [("shop", "web-2")]
        options = server.state.requests[-1].body
        assert options["preconditions"] == {"uid": UID}
        assert record | {"time": ""} == {
            "time": "",
            "outcome": "deleted",
            "reason": "the pod was deleted",
            "response": "delete-pod",
            "mode": "enforce",
            "targets": "^(shop)$",
            "namespace": "shop",
            "pod": "web-1",
            "uid": UID,
            "alert": ALERT,
        }
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", record["time"])


def test_observe_changes_nothing() -> None:
    with ApiServer([pod("shop", "web-1", UID)]) as server:
        code, record = run(server.url, KRE_MODE="observe")
        assert (code, record["outcome"]) == (0, "would-delete")
        assert [asked.method for asked in server.state.requests] == ["GET"]


@pytest.mark.parametrize("mode", ["approve", "", "ENFORCE", "enforce "])
def test_any_other_mode_is_refused(mode: str) -> None:
    with ApiServer([pod("shop", "web-1", UID)]) as server:
        code, record = run(server.url, KRE_MODE=mode)
        assert (code, record["outcome"]) == (0, "refused")
        assert server.state.requests == []


@pytest.mark.parametrize(
    ("pods", "outcome", "reason"),
    [
        ([], "gone", "no such pod"),
        ([pod("shop", "web-1", "another")], "refused", "another pod"),
        ([pod("shop", "web-1", UID, annotations={"kre/protected": "true"})], "refused", "annotated kre/protected"),
        ([pod("shop", "web-1", UID, annotations={"kre/protected": "false"})], "deleted", "deleted"),
        ([pod("shop", "web-1", UID, annotations={"kubernetes.io/config.mirror": "x"})], "refused", "static pod"),
        ([pod("shop", "web-1", UID, owner="DaemonSet")], "refused", "belongs to a DaemonSet"),
        ([pod("shop", "web-1", UID, owner="Node")], "refused", "belongs to a Node"),
        ([pod("shop", "web-1", UID, owner="ReplicaSet")], "deleted", "deleted"),
    ],
)
def test_guards(pods: list[dict[str, Any]], outcome: str, reason: str) -> None:
    with ApiServer(pods) as server:
        code, record = run(server.url)
        assert (code, record["outcome"]) == (0, outcome)
        assert reason in record["reason"]
        deletes = [asked for asked in server.state.requests if asked.method == "DELETE"]
        assert bool(deletes) is (outcome == "deleted")


@pytest.mark.parametrize(
    "namespace", ["kube-system", "kube-public", "argocd", "argo-events", "falco", "kre-pipeline", "kre-responses"]
)
def test_protected_namespaces_are_refused_even_as_targets(namespace: str) -> None:
    with ApiServer([pod(namespace, "web-1", UID)]) as server:
        code, record = run(server.url, KRE_NAMESPACE=namespace, KRE_TARGETS=f"^({namespace})$")
        assert (code, record["outcome"], record["reason"]) == (0, "refused", "the namespace is protected")
        assert server.state.requests == []


@pytest.mark.parametrize("targets", ["$.^", "^(till)$", "(", "^(sho)$"])
def test_other_namespaces_are_refused(targets: str) -> None:
    with ApiServer([pod("shop", "web-1", UID)]) as server:
        assert run(server.url, KRE_TARGETS=targets)[1]["outcome"] == "refused"
        assert server.state.requests == []


def test_a_pod_that_is_replaced_between_look_and_deletion_lives() -> None:
    with ApiServer([pod("shop", "web-1", UID)]) as server:
        found = json.dumps(server.state.pods["shop", "web-1"]).encode()
        server.state.pods["shop", "web-1"]["metadata"]["uid"] = "another"
        server.state.faults.append((200, {}, found))
        code, record = run(server.url)
        assert (code, record["outcome"], record["reason"]) == (0, "gone", "the pod went away or was replaced")
        assert ("shop", "web-1") in server.state.pods


@pytest.mark.parametrize(
    "fault", [(429, {"Retry-After": "1"}, b"{}"), (500, {}, b"oops"), (503, {}, b""), (0, {}, b"")]
)
@pytest.mark.parametrize("at", [0, 1], ids=["GET", "DELETE"])
def test_passing_trouble_is_tried_again(fault: tuple[int, dict[str, str], bytes], at: int) -> None:
    with ApiServer([pod("shop", "web-1", UID)]) as server:
        good = (200, {}, json.dumps(server.state.pods["shop", "web-1"]).encode())
        server.state.faults.extend([good] * at + [fault])
        code, record = run(server.url)
        assert (code, record["outcome"]) == (0, "deleted")
        assert server.state.pods == {}


@pytest.mark.parametrize(
    ("status", "body"), [(401, b"{}"), (403, b'{"reason": "Forbidden"}'), (200, b"not JSON"), (200, b"[]")]
)
def test_lasting_trouble_is_a_failure_with_a_record(status: int, body: bytes) -> None:
    with ApiServer([pod("shop", "web-1", UID)]) as server:
        server.state.faults.append((status, {}, body))
        code, record = run(server.url)
        assert (code, record["outcome"]) == (1, "failed")
        assert ("shop", "web-1") in server.state.pods


def test_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(api, "PATIENCE", 0.3)
    client = api.Client("http://127.0.0.1:9", sleep=waited.append)
    with pytest.raises(api.ApiError, match="gave up"):
        client.get_pod("shop", "web-1")
    assert waited == []  # the first pause is longer than all of its patience


def test_plain_http_stays_on_this_machine() -> None:
    with pytest.raises(api.ApiError, match="this very machine"):
        api.Client("http://api.example.com")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "https://10.0.0.1:443"),
        ({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, "https://[fd00::1]:6443"),
        ({"KRE_API": "http://127.0.0.1:1", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "http://127.0.0.1:1"),
    ],
)
def test_finds_the_api_server(environ: dict[str, str], url: str) -> None:
    assert api.server(environ) == url


NASTY = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ["../../..", "a/b", "web-1\n", "web-1 ", "{{workflow.name}}", "$(id)", "-rf", "", ".", "..", "a" * 254, "ä"]
    ),
)


@given(namespace=NASTY, name=NASTY, uid=NASTY, alert=NASTY)
def test_nothing_but_identifiers_passes(namespace: str, name: str, uid: str, alert: str) -> None:
    environ = {**ENVIRON, "KRE_NAMESPACE": namespace, "KRE_POD": name, "KRE_UID": uid, "KRE_ALERT": alert}
    try:
        made = request.parse(environ)
    except request.Refused as refusal:
        assert not any(value in str(refusal) for value in (namespace, name, uid, alert) if len(value) > 5)
        return
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", made.namespace)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", made.pod)
    assert re.fullmatch(r"[0-9a-f-]{36}", made.uid)


def test_the_record_repeats_hostile_text_only_as_ascii() -> None:
    with ApiServer([]) as server:
        code, record = run(server.url, KRE_POD='web\n{"outcome": "deleted"}\u2028\u202e')
        assert (code, record["outcome"], record["reason"]) == (0, "refused", "pod is not a valid name")


def test_standard_library_only() -> None:
    """It runs in a plain Python image, so nothing else can be there."""
    own = {path.stem for path in FOLDER.glob("*.py")}
    text = "".join(path.read_text() for path in FOLDER.glob("*.py"))
    imported = {found.split(".")[0] for found in re.findall(r"^(?:from|import) ([\w.]+)", text, re.MULTILINE)}
    assert imported - own - set(sys.stdlib_module_names) == set()
    assert text.count("\n") < 900
    assert {Path(name).name for name in _mounted()} == {path.name for path in FOLDER.glob("*.py")}


def _mounted() -> list[str]:
    import yaml

    made = yaml.safe_load((FOLDER.parent / "kustomization.yaml").read_text())["configMapGenerator"]
    return [name for generator in made if generator["name"] == "responder" for name in generator["files"]]
