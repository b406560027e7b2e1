"""What acts are read from: the objects of one environment, found by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from kre.model.bundle import Bundle
from kre.model.resource import Resource, dig


@dataclass(frozen=True)
class Scene:
    """The objects that live side by side; `targets` is None where nobody knows which namespaces those are."""

    bundle: Bundle = field(repr=False)
    resources: tuple[Resource, ...] = field(repr=False)
    targets: tuple[str, ...] | None = None

    @cached_property
    def _named(self) -> dict[tuple[str, str, str], Resource]:
        return {(item.kind, item.namespace, item.name): item for item in self.resources}

    def find(self, kind: str, namespace: str, name: str) -> Resource | None:
        """The object of this kind, namespace and name; None where it is not rendered."""
        return self._named.get((kind, namespace, name))

    def of(self, *kinds: str) -> Iterable[Resource]:
        """The objects of these kinds."""
        return (item for item in self.resources if item.kind in kinds)

    def mounts_token(self, namespace: str, name: str, said: object) -> bool:
        """Whether a pod of this ServiceAccount gets its token; `said` is the pod's own automountServiceAccountToken,
        which wins (plugin/pkg/admission/serviceaccount of k8s.io/kubernetes)."""
        if isinstance(said, bool):
            return said
        found = self.find("ServiceAccount", namespace, name)
        return found is None or dig(found.body, "automountServiceAccountToken") is not False
