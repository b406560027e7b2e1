"""What people type: whom they mean, and what is to be done."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Literal

from kre.errors import UsageError
from kre.rbac.model import ACCOUNT, AUTHENTICATED, Question, User, account

# The group of each resource that comes with Kubernetes, Argo CD, Argo Workflows or Argo Events, as in their discovery.
_GROUPS = {
    "": "bindings componentstatuses configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims "
    "persistentvolumes pods podtemplates replicationcontrollers resourcequotas secrets serviceaccounts services "
    "users groups",
    "apps": "controllerrevisions daemonsets deployments replicasets statefulsets",
    "batch": "cronjobs jobs",
    "autoscaling": "horizontalpodautoscalers",
    "policy": "poddisruptionbudgets",
    "networking.k8s.io": "ingressclasses ingresses networkpolicies ipaddresses servicecidrs",
    "rbac.authorization.k8s.io": "clusterrolebindings clusterroles rolebindings roles",
    "coordination.k8s.io": "leases",
    "discovery.k8s.io": "endpointslices",
    "storage.k8s.io": "csidrivers csinodes csistoragecapacities storageclasses volumeattachments",
    "scheduling.k8s.io": "priorityclasses",
    "node.k8s.io": "runtimeclasses",
    "certificates.k8s.io": "certificatesigningrequests signers",
    "admissionregistration.k8s.io": "mutatingwebhookconfigurations validatingadmissionpolicies "
    "validatingadmissionpolicybindings validatingwebhookconfigurations",
    "apiextensions.k8s.io": "customresourcedefinitions",
    "apiregistration.k8s.io": "apiservices",
    "authentication.k8s.io": "selfsubjectreviews tokenreviews userextras uids",
    "authorization.k8s.io": "localsubjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews "
    "subjectaccessreviews",
    "argoproj.io": "applications applicationsets appprojects clusterworkflowtemplates cronworkflows eventbus "
    "eventsources sensors workflowartifactgctasks workfloweventbindings workflows workflowtaskresults workflowtasksets "
    "workflowtemplates",
}
_CLUSTER = frozenset(
    "componentstatuses namespaces nodes persistentvolumes users groups ingressclasses ipaddresses servicecidrs "
    "clusterrolebindings clusterroles csidrivers csinodes storageclasses volumeattachments priorityclasses "
    "runtimeclasses certificatesigningrequests signers mutatingwebhookconfigurations validatingadmissionpolicies "
    "validatingadmissionpolicybindings validatingwebhookconfigurations customresourcedefinitions apiservices "
    "selfsubjectreviews tokenreviews userextras uids selfsubjectaccessreviews selfsubjectrulesreviews "
    "subjectaccessreviews clusterworkflowtemplates".split()
)
_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names.split()}


def who(text: str, known: Collection[tuple[str, str]]) -> User:
    """NAMESPACE/NAME of a ServiceAccount (or its user name), user:NAME or group:NAME. Raises UsageError, too where a
    ServiceAccount is not among those `known`."""
    kind, colon, name = text.partition(":")
    if colon and name and kind in ("user", "group"):
        groups = {AUTHENTICATED, *([name] if kind == "group" else [])}
        return User(name if kind == "user" else f"a member of {name}", frozenset(groups))
    namespace, slash, name = text.removeprefix(ACCOUNT).partition(":" if text.startswith(ACCOUNT) else "/")
    if not slash:
        found = sorted(one for one in known if one[1] == text)
        if len(found) != 1:
            several = f"there are several: {', '.join('/'.join(one) for one in found)}"
            raise UsageError(f"{text}: which namespace?", several if found else "write NAMESPACE/NAME")
        namespace, name = found[0]
    if (namespace, name) not in known:
        near = get_close_matches(f"{namespace}/{name}", ["/".join(one) for one in known], 1)
        hint = f"did you mean {near[0]}?" if near else "`kre rbac show` lists those that are known"
        raise UsageError(f"there is no ServiceAccount {namespace}/{name}, nor a binding for one", hint)
    return account(namespace, name)


def what(verb: str, resource: str, namespace: str = "", name: str = "") -> Question:
    """The Question of a verb and RESOURCE[.GROUP][/SUBRESOURCE], or /PATH. Raises UsageError where the group of a
    resource has to be named."""
    if resource.startswith("/"):
        if namespace or name:
            raise UsageError(f"{resource} is a path: it is in no namespace, and has no name")
        return Question(verb, path=resource)
    whole, _, sub = resource.partition("/")
    plural, dot, group = whole.partition(".")
    if not dot and plural not in _GROUP_OF and plural != "*":
        near = get_close_matches(plural, _GROUP_OF, 1)
        hint = f"did you mean {near[0]}? Of others say the group: {plural}.example.com"
        raise UsageError(f"{plural} is no resource that is known here", hint)
    return Question(verb, group if dot else _GROUP_OF.get(plural, "*"), plural, sub, name, namespace)


def full(resource: str, group: str) -> str:
    """RESOURCE.GROUP/SUBRESOURCE, as kubectl writes it."""
    plural, slash, sub = resource.partition("/")
    return f"{plural}{f'.{group}' if group else ''}{slash}{sub}"


def scope(group: str, plural: str) -> Literal["namespace", "cluster", ""]:
    """Where objects of a resource are; "" where it is not known."""
    if plural not in _GROUPS.get(group, "").split():
        return ""
    return "cluster" if plural in _CLUSTER else "namespace"


def elsewhere(groups: Collection[str], plural: str) -> str | None:
    """The group of a known resource, where all of `groups` are known too and none of them has it; else None."""
    group = _GROUP_OF.get(plural)
    if group is None or group in groups or not set(groups) <= set(_GROUPS):
        return None
    return None if any(plural in _GROUPS[one].split() for one in groups) else group


def known(plural: str) -> str | None:
    """The group of a resource that comes with Kubernetes or Argo; None for others."""
    return _GROUP_OF.get(plural)
