"""The cluster itself: does it answer, whom does it see, is it new enough, what does it serve."""

from __future__ import annotations

import re

from kre.cluster.result import Trouble, Unreadable, Verdict
from kre.cluster.snapshot import ARGO, FORBIDDEN, WHOAMI, Snapshot
from kre.model.resource import dig

OLDEST = (1, 30)  # ValidatingAdmissionPolicy is v1 from here on
# The kinds of others that the engine's way needs, beside those that are rendered
_NEEDED = {ARGO: ("EventBus", "EventSource", "Sensor", "Workflow", "WorkflowTaskResult", "WorkflowTemplate")}
_CHARTS = {"Event": "argo-events", "Sensor": "argo-events", "Workflow": "argo-workflows"}


def answers(snapshot: Snapshot) -> Verdict:
    """Who asks."""
    user = dig(snapshot.ask(WHOAMI), "status", "userInfo", "username")
    if not user:
        raise Unreadable("the cluster does not say who asks")
    return Verdict(f"{snapshot.server} answers {user}")


def version(snapshot: Snapshot) -> Verdict:
    """New enough for the admission policies."""
    found = snapshot.ask("/version") or {}
    stated = str(found.get("gitVersion", ""))
    numbers = tuple(int(part) for part in re.findall(r"\d+", stated)[:2])
    if not numbers:
        raise Unreadable("the cluster states no version")
    if numbers < OLDEST:
        needs = f"Kubernetes {stated}; the admission policies need {OLDEST[0]}.{OLDEST[1]} or newer"
        return Verdict("", (Trouble("failed", snapshot.server, needs, "upgrade the cluster before you go on"),))
    return Verdict(f"Kubernetes {stated}")


def rights(snapshot: Snapshot) -> Verdict:
    """May everything be read that the other checks look at?"""
    refused = [path for path, reply in snapshot.replies.items() if reply.status == FORBIDDEN]
    if not refused:
        return Verdict("all that is looked at may be read")
    found = f"you may not read {', '.join(sorted({_resource(path) for path in refused}))}: what needs them is left out"
    return Verdict("", (Trouble("warning", "", found, "ask as somebody who may: --context"),))


def _resource(path: str) -> str:
    """What a path is about: `secrets in falco`, `clusterroles`, or a path that is no object's as it is."""
    found = re.fullmatch(r"/apis?/.*?v\d\w*/(?:namespaces/([^/]+)/)?([a-z]+)(?:/[^/]+)?", path)
    if not found:
        return path
    return f"{found[2]} in {found[1]}" if found[1] else found[2]


def served_kinds(snapshot: Snapshot) -> Verdict:
    """Every kind that is rendered, or that the controllers work with, is served in its version."""
    known, troubles = snapshot.served, []
    wanted = {(ARGO, kind) for kind in _NEEDED[ARGO]}
    wanted |= {(item.api_version, item.kind) for item in snapshot.wanted.leaves}
    missing = sorted(pair for pair in wanted if pair[1] not in known.get(pair[0], {}))
    for api_version, kind in missing:
        chart = next((name for start, name in _CHARTS.items() if kind.startswith(start)), "")
        installed = f"{snapshot.wanted.name}-{chart}" + ("-crds" if chart == "argo-workflows" else "")
        remedy = f"Application {installed} brings its CRD" if chart else "install what serves it"
        troubles.append(Trouble("failed", kind, f"{api_version} {kind} is not served", remedy))
    return Verdict(f"{len(wanted)} kinds are served in the versions used", tuple(troubles))
