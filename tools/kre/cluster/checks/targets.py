"""The namespaces in which the engine may act."""

from __future__ import annotations

from collections.abc import Iterator

from kre.cluster.checks.content import in_target
from kre.cluster.compare import differs
from kre.cluster.result import Trouble, Verdict
from kre.cluster.snapshot import Snapshot
from kre.cluster.wanted import PIPELINE, SETTINGS
from kre.edit.targets import PROTECTED
from kre.model.resource import dig

OPTED_OUT = "kre/protected"


def targets(snapshot: Snapshot) -> Verdict:
    """Each is there, with its RoleBindings, and not protected."""
    names = snapshot.wanted.targets
    troubles = tuple(trouble for name in names for trouble in _target(snapshot, name))
    if not names:
        return Verdict(f"{snapshot.wanted.name} has none: the engine acts nowhere")
    return Verdict(f"{', '.join(names)}: there, with all rights", troubles)


def _target(snapshot: Snapshot, name: str) -> Iterator[Trouble]:
    live, where, env = snapshot.get("Namespace", name), f"target {name}", snapshot.wanted.name
    if live is None:
        yield Trouble(
            "failed", where, "there is no such namespace", f"make it, or: kre target remove {name} --env {env}"
        )
        return
    listed = str(dig(snapshot.get("ConfigMap", SETTINGS, PIPELINE), "data", "protected-namespaces") or "").split()
    if PROTECTED.fullmatch(name) or name in listed:
        told = "it is among the namespaces that the engine never touches: every alert is refused"
        yield Trouble("failed", where, told, f"setting protected-namespaces, or: kre target remove {name} --env {env}")
    if (dig(live, "metadata", "annotations") or {}).get(OPTED_OUT) == "true":
        told = f"it is annotated {OPTED_OUT}=true: no response touches its pods"
        yield Trouble("warning", where, told, f"its owners: kubectl annotate namespace {name} {OPTED_OUT}-")
    for item in snapshot.wanted.leaves:
        if item.namespace == name and in_target(snapshot.wanted, item):
            found = snapshot.live(item)
            remedy = f"Application {env}-targets brings it: kubectl -n argocd get application {env}-targets -o yaml"
            if found is None:
                yield Trouble("failed", str(item), "there is none", remedy)
            elif at := differs(item.body, found):
                yield Trouble("failed", str(item), f"{at} is not as rendered", remedy)
