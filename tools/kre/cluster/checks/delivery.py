"""What an admin has applied, and what Argo CD says of the rest. Nobody syncs apps/: here alone its drift shows."""

from __future__ import annotations

from collections.abc import Iterator

from kre.cluster.compare import differs, more
from kre.cluster.result import Trouble, Unreadable, Verdict
from kre.cluster.snapshot import Snapshot
from kre.model.resource import Body, Resource, dig, each

_ARGOCD = ("AppProject", "Application")
_CUT = 200  # letters of a message


def bootstrap(snapshot: Snapshot) -> Verdict:
    """apps/<env> is on the cluster as it is rendered."""
    folder, here = f"apps/{snapshot.wanted.name}", argocd_here(snapshot)
    troubles, seen = [], 0
    for item in snapshot.wanted.bootstrap:
        if item.kind in _ARGOCD and not here:
            continue
        seen += 1
        live = snapshot.live(item)
        at = "" if live is None else differs(item.body, live) or _more(item, live)
        if live is None:
            troubles.append(Trouble("failed", str(item), "there is none", f"an admin: kubectl apply -k {folder}"))
        elif at:
            told = f"{at} is not as rendered, and no sync would tell"
            remedy = f"an admin: kubectl diff -k {folder}; kubectl apply -k {folder}"
            troubles.append(Trouble("failed", str(item), told, remedy))
    if not here and seen and all(trouble.found == "there is none" for trouble in troubles) and len(troubles) == seen:
        troubles = [Trouble("warning", folder, *_nowhere(snapshot))]  # with its Argo CD, or by hand, elsewhere
    rest = "" if here else "; its Applications and projects are where Argo CD is"
    return Verdict(f"{seen} objects of {folder} are there, as rendered{rest}", tuple(troubles))


def _more(item: Resource, live: Body) -> str:
    """What was added to a wall by hand. An Application may have more: Argo CD's own fields."""
    if item.kind == "Application":
        return ""
    return more(dig(item.body, "spec"), dig(live, "spec"))


def _nowhere(snapshot: Snapshot) -> tuple[str, str]:
    return (
        "nothing of it is here, and no Argo CD",
        f"an admin: kubectl apply -k apps/{snapshot.wanted.name}, where Argo CD is",
    )


def argocd_here(snapshot: Snapshot) -> bool:
    """Whether Argo CD's kinds and its namespace are on this cluster. Raises Unreadable."""
    root = snapshot.wanted.root
    return bool(root and snapshot.get("Namespace", root.namespace)) and _served(snapshot)


def _served(snapshot: Snapshot) -> bool:
    return any("Application" in kinds for kinds in snapshot.served.values())


def applications(snapshot: Snapshot) -> Verdict:
    """Each is Synced and Healthy."""
    root = snapshot.wanted.root
    if root is None:
        raise Unreadable("the environment renders no root Application")
    if not argocd_here(snapshot):
        if snapshot.wanted.elsewhere:
            return Verdict("Argo CD is not on this cluster: a hub, as the environment's cluster.server says")
        told = f"the environment says that it is on this cluster, and there is no namespace {root.namespace}"
        remedy = "where a hub syncs it, say so in spec.cluster.server; else install Argo CD"
        return Verdict("", (Trouble("warning", "Argo CD", told, remedy),))
    live = {item["metadata"]["name"]: item for item in snapshot.list("Application", root.namespace)}
    names = [root.name, *sorted(item.name for item in snapshot.wanted.applications if item.kind == "Application")]
    troubles = [trouble for name in names for trouble in _state(name, live.get(name), root.namespace)]
    return Verdict(f"{len(names)} are Synced and Healthy", tuple(troubles))


def _state(name: str, live: Body | None, namespace: str) -> Iterator[Trouble]:
    where = f"Application {namespace}/{name}"
    if live is None:
        yield Trouble("failed", where, "there is none", "the root makes it: kubectl -n argocd get applications")
        return
    sync, health = (str(dig(live, "status", part, "status") or "Unknown") for part in ("sync", "health"))
    if (sync, health) == ("Synced", "Healthy"):
        return
    told = [
        *(str(one.get("message")) for one in each(live, "status", "conditions")),
        str(dig(live, "status", "health", "message") or ""),
        str(dig(live, "status", "operationState", "message") or ""),
    ]
    said = next((text for text in told if text), "it gives no reason")
    status = "warning" if health == "Progressing" and sync != "Unknown" else "failed"
    remedy = f"kubectl -n {namespace} get application {name} -o yaml: status.conditions, status.operationState"
    yield Trouble(status, where, f"{sync}, {health}: {said[:_CUT]}", remedy)  # type: ignore[arg-type]
