"""From a rendered document to Resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kre.model.resource import Resource

# Kinds without a namespace among those that have a schema here (k8s.io/kubernetes, `kubectl api-resources`), and among
# those that options of a response have.
_CLUSTER = frozenset(
    "APIService CSIDriver CSINode CertificateSigningRequest ClusterRole ClusterRoleBinding ClusterTrustBundle "
    "ClusterWorkflowTemplate ComponentStatus CustomResourceDefinition DeviceClass FlowSchema IPAddress IngressClass "
    "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration Namespace Node "
    "PersistentVolume PriorityClass PriorityLevelConfiguration ResourceSlice RuntimeClass SelfSubjectAccessReview "
    "SelfSubjectReview SelfSubjectRulesReview ServiceCIDR StorageClass SubjectAccessReview TokenReview "
    "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration VolumeAttachment "
    "VolumeAttributesClass AdminNetworkPolicy CiliumClusterwideNetworkPolicy GlobalNetworkPolicy".split()
)


def cluster_scoped(resource: Resource) -> bool:
    """Whether an object of this kind belongs to no namespace."""
    return resource.kind in _CLUSTER


def resource(
    body: Mapping[str, Any], origin: str, root: str, environment: str | None = None, *, generated: bool = False
) -> Iterator[Resource]:
    """The Resource of a document; those inside, for a List of any kind (kubectl and Argo CD take it apart too)."""
    items = body.get("items")
    if str(body.get("kind")).endswith("List") and isinstance(items, list):
        for item in items:
            inner = item if isinstance(item, Mapping) else {}
            yield from resource(inner, origin, root, environment, generated=generated)
        return
    made = Resource(body, origin, root, environment, generated=generated)
    namespace = made.metadata.get("namespace")
    yield Resource(body, origin, root, environment, str(namespace or ""), generated)
