"""The Lua health checks of apps/argocd, run by a Lua interpreter on objects as controllers leave them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime  # Argo CD runs them with gopher-lua, which is Lua 5.1

from support.repository import PROJECT

PREFIX = "resource.customizations.health.argoproj.io_"
CHECKS = yaml.safe_load((PROJECT / "apps/argocd/values.yaml").read_text())["configs"]["cm"]


def health(kind: str, body: dict[str, Any]) -> str:
    lua = LuaRuntime(register_eval=False)
    run = lua.eval(
        "function(code, obj) local check = loadstring(code);"
        " setfenv(check, setmetatable({obj = obj}, {__index = _G})); return check() end"
    )
    apart = json.loads(json.dumps(body))  # lupa gives two places that hold the same dict two different tables
    return str(run(CHECKS[f"{PREFIX}{kind}"], lua.table_from(apart, recursive=True))["status"])


def conditions(**states: str) -> dict[str, Any]:
    return {
        "status": {"conditions": [{"type": name, "status": state, "message": name} for name, state in states.items()]}
    }


CONDITIONS = {
    "EventBus": ["Configured", "Deployed"],
    "EventSource": ["SourcesProvided", "Deployed"],
    "Sensor": ["DependenciesProvided", "TriggersProvided", "Deployed"],
}


@pytest.mark.parametrize("kind", CONDITIONS)
def test_controllers_objects(kind: str) -> None:
    names = CONDITIONS[kind]
    assert health(kind, {}) == "Progressing"
    assert health(kind, {"status": {}}) == "Progressing"
    assert health(kind, conditions(**dict.fromkeys(names, "True"))) == "Healthy"
    for name in names:
        assert health(kind, conditions(**dict.fromkeys(names, "True") | {name: "False"})) == "Degraded"
        assert health(kind, conditions(**dict.fromkeys(names, "True") | {name: "Unknown"})) == "Progressing"
        assert health(kind, conditions(**{other: "True" for other in names if other != name})) == "Progressing"


SOURCE = {"repoURL": "https://x.example", "path": "a", "targetRevision": "main"}


def application(sync: str, state: str, compared: dict[str, Any] | None = None) -> dict[str, Any]:
    status = {"sync": {"status": sync, "comparedTo": {"source": compared or SOURCE}}, "health": {"status": state}}
    return {"spec": {"source": SOURCE}, "status": status}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"spec": {"source": SOURCE}}, "Progressing"),
        ({"spec": {"source": SOURCE}, "status": {}}, "Progressing"),
        (application("Synced", "Healthy"), "Healthy"),
        (application("OutOfSync", "Healthy"), "Progressing"),
        (application("Unknown", "Healthy"), "Progressing"),
        (application("Synced", "Degraded"), "Degraded"),
        (application("Synced", "Progressing"), "Progressing"),
        (application("Synced", "Healthy", SOURCE | {"path": "b"}), "Progressing"),
        (application("Synced", "Healthy", SOURCE | {"extra": "x"}), "Progressing"),
    ],
)
def test_applications(body: dict[str, Any], expected: str) -> None:
    assert health("Application", body) == expected


def failing(condition: str, compared: dict[str, Any] | None = None) -> dict[str, Any]:
    body = application("Unknown", "Healthy", compared)
    body["status"]["conditions"] = [{"type": "OrphanedResourceWarning"}, {"type": condition, "message": "why"}]
    return body


def retried(phase: str, count: int) -> dict[str, Any]:
    body = application("OutOfSync", "Healthy")
    body["status"]["operationState"] = {"phase": phase, "retryCount": count, "message": "why"}
    return body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (failing("SharedResourceWarning"), "Progressing"),
        (failing("ComparisonError"), "Degraded"),
        (failing("ComparisonError", SOURCE | {"path": "b"}), "Progressing"),  # said of what has been mended since
        (failing("InvalidSpecError"), "Degraded"),
        (failing("InvalidSpecError", SOURCE | {"path": "b"}), "Degraded"),  # then nothing is compared
        ({"spec": {"source": SOURCE}, "status": {"conditions": [{"type": "InvalidSpecError"}]}}, "Degraded"),
        (retried("Running", 2), "Progressing"),
        (retried("Running", 3), "Degraded"),
        (retried("Succeeded", 3), "Progressing"),
    ],
)
def test_what_waiting_does_not_mend_is_degraded(body: dict[str, Any], expected: str) -> None:
    """A root that waits for it would wait for ever, and take up no commit that mends it."""
    assert health("Application", body) == expected


def test_an_application_with_several_sources() -> None:
    sources = [SOURCE, {"repoURL": "https://y.example", "ref": "values"}]
    compared = {"source": {"repoURL": ""}, "sources": sources}  # as Argo CD writes it: `source` is never left out
    status = {"sync": {"status": "Synced", "comparedTo": compared}, "health": {"status": "Healthy"}}
    assert health("Application", {"spec": {"sources": sources}, "status": status}) == "Healthy"
    assert health("Application", {"spec": {"sources": sources[::-1]}, "status": status}) == "Progressing"
