"""R001-R004: no wildcard in a Role or ClusterRole."""

from __future__ import annotations

from collections.abc import Iterator

from kre.model.bundle import Bundle
from kre.model.resource import Resource, each
from kre.rules.registry import Hit, hit, rule


def _rules(bundle: Bundle) -> Iterator[tuple[Resource, int, dict[str, list[str]]]]:
    for resource in bundle.resources:
        if resource.kind in ("Role", "ClusterRole"):
            for index, entry in enumerate(each(resource.body, "rules")):
                fields = ("verbs", "resources", "apiGroups")
                yield resource, index, {field: [str(word) for word in each(entry, field)] for field in fields}


def _everything(entry: dict[str, list[str]]) -> bool:
    return all("*" in entry[field] for field in entry)


@rule(
    "R001",
    "no Role grants everything",
    "object",
    peers=("trivy KSV-0044", "kube-linter wildcard-in-rules", "checkov CKV_K8S_49", "kubescape C-0187"),
)
def everything(bundle: Bundle) -> Iterator[Hit]:
    for resource, index, entry in _rules(bundle):
        if _everything(entry):
            message = f"{resource} grants every verb on every resource of every group"
            yield hit(bundle, resource, ("rules", index), message, "list what it needs")


@rule(
    "R002",
    "no verb *",
    "object",
    peers=("trivy KSV-0045", "kube-linter wildcard-in-rules", "checkov CKV_K8S_49", "kyverno restrict-wildcard-verbs"),
)
def any_verb(bundle: Bundle) -> Iterator[Hit]:
    for resource, index, entry in _rules(bundle):
        if "*" in entry["verbs"] and not _everything(entry):
            message = f"{resource} grants every verb, present and future, on {', '.join(entry['resources'])}"
            yield hit(bundle, resource, ("rules", index, "verbs"), message, "list the verbs it needs")


@rule(
    "R003",
    "no resource *",
    "object",
    peers=("trivy KSV-0046", "trivy KSV-0112", "checkov CKV_K8S_49", "kyverno restrict-wildcard-resources"),
)
def any_resource(bundle: Bundle) -> Iterator[Hit]:
    for resource, index, entry in _rules(bundle):
        if "*" in entry["resources"] and not _everything(entry):
            message = f"{resource} grants {', '.join(entry['verbs'])} on every resource, secrets among them"
            yield hit(bundle, resource, ("rules", index, "resources"), message, "list the resources it needs")


@rule("R004", "no API group *", "object", peers=("checkov CKV_K8S_49",))
def any_group(bundle: Bundle) -> Iterator[Hit]:
    for resource, index, entry in _rules(bundle):
        if "*" in entry["apiGroups"] and not _everything(entry):
            message = f"{resource} grants {', '.join(entry['resources'])} in every API group, whoever adds it"
            yield hit(bundle, resource, ("rules", index, "apiGroups"), message, "list the groups it needs")
