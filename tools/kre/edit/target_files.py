"""The files of one target namespace: who may act there, and the quarantine."""

from __future__ import annotations

import re

from kre.edit.draft import Draft
from kre.edit.sequence import insert, items, remove
from kre.edit.splice import written
from kre.model.bundle import Environment

DISPATCHER = "dispatcher"
QUARANTINE = "kre-quarantine-networkpolicy.yaml"

_RESOURCES = ("resources",)
_BINDING_FILE = re.compile(r"kre-[a-z0-9-]+-rolebinding\.yaml")

_BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kre-{name}
  namespace: {namespace}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: kre-{name}
subjects:
- kind: ServiceAccount
  name: {name}
  namespace: {home}
"""
_NETWORKPOLICY = """\
# Stands ready: a pod that gets the label is cut off, in both directions, from new connections.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: kre-quarantine
  namespace: {namespace}
spec:
  podSelector:
    matchLabels:
      kre/quarantine: "true"
  policyTypes: [Ingress, Egress]
"""
_KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
"""


def folder_of(environment: Environment, namespace: str) -> str:
    """Where the files of a target are."""
    return f"{environment.folder}/leaves/targets/{namespace}"


def binding_file(name: str) -> str:
    """The name of the file with the RoleBinding of a response, or of the dispatcher."""
    return f"kre-{name}-rolebinding.yaml"


def wanted_files(namespace: str, enabled: list[str]) -> dict[str, str]:
    """The files of a target, by name, in the order in which its kustomization names them."""
    names = [DISPATCHER, *sorted(enabled)]
    return {
        **{binding_file(name): _binding(name, namespace) for name in names},
        QUARANTINE: _NETWORKPOLICY.format(namespace=_scalar(namespace)),
    }


def ours(name: str) -> bool:
    """Whether a file in a target's folder is of those that kre makes."""
    return name in ("kustomization.yaml", QUARANTINE) or _BINDING_FILE.fullmatch(name) is not None


def add_files(draft: Draft, environment: Environment, namespace: str, enabled: list[str]) -> None:
    """Makes the files of a target that are not there yet; those that are stay as they are."""
    folder, wanted = folder_of(environment, namespace), wanted_files(namespace, enabled)
    for name, text in wanted.items():
        path = f"{folder}/{name}"
        draft.write(path, draft.read(path) if draft.has(path) else text.encode())
    path = f"{folder}/kustomization.yaml"
    if not draft.has(path):
        draft.write(path, (_KUSTOMIZATION + "".join(f"- {name}\n" for name in wanted)).encode())
        return
    for name in wanted:
        draft.write(path, insert(path, draft.read(path), _RESOURCES, name))


def bind(draft: Draft, environment: Environment, namespace: str, response: str) -> None:
    """Adds the RoleBinding of a response to a target, among those of other responses."""
    folder, name = folder_of(environment, namespace), binding_file(response)
    path, kustomization = f"{folder}/{name}", f"{folder}/kustomization.yaml"
    draft.write(path, draft.read(path) if draft.has(path) else _binding(response, namespace).encode())
    raw = draft.read(kustomization)
    others = [str(item) for item in items(kustomization, raw, _RESOURCES)]
    later = (
        item for item in others if _BINDING_FILE.fullmatch(item) and item > name and item != binding_file(DISPATCHER)
    )
    draft.write(kustomization, insert(kustomization, raw, _RESOURCES, name, before=next(later, QUARANTINE)))


def unbind(draft: Draft, environment: Environment, namespace: str, response: str) -> None:
    """Takes the RoleBinding of a response out of a target."""
    folder = folder_of(environment, namespace)
    kustomization = f"{folder}/kustomization.yaml"
    draft.write(kustomization, remove(kustomization, draft.read(kustomization), _RESOURCES, binding_file(response)))
    draft.write(f"{folder}/{binding_file(response)}", None)


def _binding(name: str, namespace: str) -> str:
    home = "kre-pipeline" if name == DISPATCHER else "kre-responses"
    return _BINDING.format(name=name, namespace=_scalar(namespace), home=home)


def _scalar(namespace: str) -> str:
    return written(namespace)  # 123 and `on` are names that YAML takes for something else
