"""From a kind to its resource, as client-go and Argo Events guess it."""

from __future__ import annotations

from kre.rbac.words import known

_SHORT = {
    "po": "pods", "svc": "services", "cm": "configmaps", "ns": "namespaces", "no": "nodes", "sa": "serviceaccounts",
    "deploy": "deployments", "ds": "daemonsets", "sts": "statefulsets", "rs": "replicasets", "cj": "cronjobs",
    "ev": "events", "ep": "endpoints", "netpol": "networkpolicies", "ing": "ingresses",
    "hpa": "horizontalpodautoscalers",
    "pdb": "poddisruptionbudgets", "pvc": "persistentvolumeclaims", "pv": "persistentvolumes", "wf": "workflows",
    "wftmpl": "workflowtemplates", "cwft": "clusterworkflowtemplates", "cronwf": "cronworkflows",
}  # fmt: skip


def plural(kind: str) -> str:
    """The resource of a kind. Of one that is not known here, what apimachinery's UnsafeGuessKindToResource says."""
    low = kind.lower()
    if low.endswith("s"):
        guess = [low, f"{low}es"]
    elif low.endswith("y"):
        guess = [f"{low[:-1]}ies", f"{low}s"]
    else:
        guess = [f"{low}s", f"{low}es"]
    there = [name for name in guess if known(name) is not None]
    return there[0] if there else guess[1] if low.endswith("s") else guess[0]


def of_version(version: str) -> str:
    """The API group of an apiVersion."""
    return version.rpartition("/")[0]


def typed(word: str) -> tuple[str, str] | None:
    """(group, resource) of what people type for kubectl: pod, deploy, pods.apps; None where it is nothing known."""
    name, dot, group = word.partition(".")
    found = _SHORT.get(name, name)
    found = found if known(found) is not None else plural(found)
    if dot:
        return group, found
    own = known(found)
    return None if own is None else (own, found)
