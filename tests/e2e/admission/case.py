"""What a row of the tables is, and the forms of the requests in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from e2e.admission.api import Ask, Who
from e2e.http import MERGE

RESPONSES = "kre-responses"
ARGO = "/apis/argoproj.io/v1alpha1"


@dataclass(frozen=True)
class Case:
    """A request, and what becomes of it: `refused` is the message of the one validation that stops it, or empty."""

    policy: str  # the policy that it is about, without `kre-engine-`
    why: str
    who: Who
    ask: Ask
    refused: str = ""
    through: int = 200  # the status that it gets where no policy stops it; 200 stands for 201 too

    def __str__(self) -> str:
        return f"{self.policy}: {self.who}: {self.why}"


def collection(kind: str, namespace: str, api: str = ARGO) -> str:
    return f"{api}/namespaces/{namespace}/{kind}"


def create(kind: str, namespace: str, body: dict[str, Any], api: str = ARGO) -> Ask:
    return Ask("POST", collection(kind, namespace, api), body)


def patch(kind: str, namespace: str, name: str, body: dict[str, Any], api: str = ARGO) -> Ask:
    return Ask("PATCH", f"{collection(kind, namespace, api)}/{name}", body, MERGE)


def delete(kind: str, namespace: str, name: str, api: str = ARGO, **options: Any) -> Ask:
    return Ask("DELETE", f"{collection(kind, namespace, api)}/{name}", options)


def plain(kind: str, name: str, api: str = "argoproj.io/v1alpha1", **more: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}
