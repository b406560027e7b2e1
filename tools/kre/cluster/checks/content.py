"""What the engine consists of, held against what the environment renders: settings, code, templates, rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kre.cluster.compare import differs
from kre.cluster.result import Trouble, Verdict
from kre.cluster.snapshot import Snapshot
from kre.cluster.wanted import DISPATCHER, PIPELINE, RESPONSES, SETTINGS, Wanted
from kre.model.resource import Resource, dig

_TOLD = ("EventBus", "EventSource", "Sensor", "Namespace", "WorkflowTemplate", "Secret")  # by another check, if missing
_POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
SHOWN = 60  # letters of a value


def settings(snapshot: Snapshot) -> Verdict:
    """Both ConfigMaps are as rendered, hence alike."""
    troubles: list[Trouble] = []
    for item in _settings(snapshot.wanted):
        live = snapshot.live(item)
        if live is None:
            troubles.append(missing(snapshot.wanted, item))
            continue
        troubles.extend(_values(snapshot.wanted, item, dig(live, "data") or {}))
    facts = snapshot.wanted.environment.spec
    names = ", ".join(snapshot.wanted.targets) or "none"
    return Verdict(f"in {PIPELINE} and {RESPONSES}: mode {facts.get('mode')}, targets {names}", tuple(troubles))


def _settings(wanted: Wanted) -> list[Resource]:
    return [item for item in wanted.of("ConfigMap") if item.name == SETTINGS]


def _values(wanted: Wanted, item: Resource, live: Mapping[str, Any]) -> Iterator[Trouble]:
    rendered = dig(item.body, "data") or {}
    remedy = f"sync {wanted.name}-responses: what is set by hand is not in Git, and the next sync undoes it"
    for key in sorted(rendered.keys() | live.keys()):
        if rendered.get(key) != live.get(key):
            told = f"{key} is {_shown(live.get(key))}, rendered is {_shown(rendered.get(key))}"
            yield Trouble("failed", str(item), told, remedy)


def _shown(value: object) -> str:
    return "missing" if value is None else repr(str(value))[: SHOWN + 2]


def templates(snapshot: Snapshot) -> Verdict:
    """The WorkflowTemplate of each response is there as rendered, and the executor has its token."""
    troubles = []
    names = [item.name for item in snapshot.wanted.of("WorkflowTemplate")]
    for item in snapshot.wanted.of("WorkflowTemplate", "Secret"):
        live = snapshot.live(item)
        if live is None:
            troubles.append(missing(snapshot.wanted, item))
        elif item.kind == "Secret" and dig(live, "data", "token") in (None, "empty"):
            what = "it has no token yet: Kubernetes fills it in, for a ServiceAccount that is there"
            troubles.append(Trouble("failed", str(item), what, f"kubectl -n {item.namespace} get serviceaccounts"))
        elif item.kind == "WorkflowTemplate" and (at := differs(item.body, live)):
            troubles.append(_other(snapshot.wanted, item, at))
    return Verdict(f"{', '.join(names)}; the executor has its token", tuple(troubles))


def objects(snapshot: Snapshot) -> Verdict:
    """Everything else that the Applications sync is there, and as rendered."""
    troubles, count = [], 0
    for item in snapshot.wanted.leaves:
        if item.kind in _POLICIES or item.name == SETTINGS or in_target(snapshot.wanted, item):
            continue
        count += 1
        live = snapshot.live(item)
        if live is None:
            if item.kind not in _TOLD and (item.kind, item.name) != ("Deployment", DISPATCHER):
                troubles.append(missing(snapshot.wanted, item))
        elif item.kind not in ("Secret", "WorkflowTemplate") and (at := differs(item.body, live)):
            troubles.append(_other(snapshot.wanted, item, at))
    return Verdict(f"{count} objects are there, as rendered", tuple(troubles))


def in_target(wanted: Wanted, item: Resource) -> bool:
    """Whether it is what the engine needs in one of its targets."""
    return item.namespace in wanted.targets and item.kind in ("RoleBinding", "NetworkPolicy")


def missing(wanted: Wanted, item: Resource) -> Trouble:
    """An object that is rendered, and not there."""
    application = f"{wanted.name}-{item.root.rpartition('/')[2]}"
    place = wanted.root.namespace if wanted.root else "argocd"
    remedy = f"Application {application} brings it: kubectl -n {place} get application {application} -o yaml"
    return Trouble("failed", str(item), "there is none", remedy)


def _other(wanted: Wanted, item: Resource, at: str) -> Trouble:
    application = f"{wanted.name}-{item.root.rpartition('/')[2]}"
    remedy = f"is this clone at the commit that is synced? If so: argocd app diff {application}"
    return Trouble("warning", str(item), f"{at} is not as rendered", remedy)
