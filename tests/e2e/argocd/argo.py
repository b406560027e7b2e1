"""What Argo CD says of its Applications, and the commands of the docs that bring an environment up and take it away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from e2e.argocd.forge import FORK
from e2e.kubectl import PROJECT, Cluster

Application = dict[str, Any]
REFRESH = "argocd.argoproj.io/refresh=normal"


class ArgoCD:
    """The Applications in namespace argocd."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def applications(self) -> dict[str, Application]:
        return {item["metadata"]["name"]: item for item in self.cluster.list("applications", "argocd")}

    def refresh(self, *names: str) -> None:
        """What a webhook of the Git server would do: look now, not at the next poll."""
        self.cluster.run("-n", "argocd", "annotate", "applications", *(names or ["--all"]), "--overwrite", REFRESH)

    def converge(self, names: Collection[str], commit: str = "", seconds: float = 180) -> None:
        """Waits until they are there, Synced and Healthy, and done; with a commit, all at that one."""
        if commit:
            self.refresh(*names)
        expect(f"{len(names)} Applications", lambda: self.troubles(names, commit), seconds)

    def troubles(self, names: Collection[str], commit: str = "") -> str:
        found = self.applications()
        return "; ".join(f"{name}: {said}" for name in sorted(names) if (said := trouble(found.get(name), commit)))

    def says(self, name: str) -> str:
        """The messages of an Application's conditions and of its last sync; "" where there are none."""
        status = self.applications().get(name, {}).get("status", {})
        messages = [item["message"] for item in status.get("conditions", ())]
        return "; ".join([*messages, status.get("operationState", {}).get("message", "")])

    def expect_word(self, name: str, words: str, seconds: float = 60) -> None:
        """Waits until an Application says so."""
        expect(f"{words!r} of {name}", lambda: "" if words in (said := self.says(name)) else said or "silence", seconds)

    def health(self, name: str) -> str:
        return str(self.applications().get(name, {}).get("status", {}).get("health", {}).get("status", ""))

    def renders(self, name: str, commit: str) -> set[tuple[str, str]]:
        """(kind, name) of the objects that Argo CD has rendered for an Application at a commit."""
        expect(f"{name} at {commit}", lambda: self.elsewhere(name, commit))
        resources = self.applications()[name]["status"]["resources"]
        return {(item["kind"], item["name"]) for item in resources if not item.get("requiresPruning")}

    def elsewhere(self, name: str, commit: str) -> str:
        found = revisions(self.applications()[name])
        return "" if commit in found else f"compared with {found}: {self.says(name)}"


def trouble(application: Application | None, commit: str = "") -> str:
    """Why an Application is not yet what is wanted; "" when it is."""
    if application is None:
        return "is not there"
    status = application.get("status", {})
    sync, health = status.get("sync", {}), status.get("health", {}).get("status")
    operation = status.get("operationState", {})
    states = (sync.get("status"), health, operation.get("phase"))
    if states != ("Synced", "Healthy", "Succeeded"):
        conditions = [item["message"] for item in status.get("conditions", ())]
        return " ".join(str(part) for part in (*states, operation.get("message", ""), *conditions))
    if commit and follows(application) and commit not in revisions(application):
        return f"still at {', '.join(revisions(application))}"
    return ""


def follows(application: Application) -> bool:
    """Whether it reads the fork; that of the CRDs, for one, does not."""
    spec = application["spec"]
    return FORK in [source["repoURL"] for source in spec.get("sources") or [spec["source"]]]


def revisions(application: Application) -> list[str]:
    """What was compared last, one for each source."""
    sync = application.get("status", {}).get("sync", {})
    return list(sync.get("revisions") or [sync.get("revision", "")])


def expect(what: str, trouble: Callable[[], str], seconds: float = 60, pause: float = 1) -> None:
    """Asks until there is no trouble; fails with `what` and the last trouble when time is up."""
    until = time.monotonic() + seconds
    while said := trouble():
        assert time.monotonic() < until, f"waited {seconds:.0f} s in vain for {what}: {said}"
        time.sleep(pause)


def commands(page: str, after: str) -> Iterable[str]:
    """The lines of the first sh block after a text in the docs: what a user copies."""
    text = (PROJECT / page).read_text()
    assert after in text, f"{page} does not say {after!r}"
    block = re.search(r"```sh\n(.*?)```", text[text.index(after) :], re.DOTALL)
    assert block is not None, f"{page}: no commands after {after!r}"
    return block[1].splitlines()
