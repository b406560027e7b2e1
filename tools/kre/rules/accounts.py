"""R035, R036, R040-R042: ServiceAccounts, and what is mounted or written of them without need."""

from __future__ import annotations

from collections.abc import Iterator

from kre.compare.grants import CLOUD, covers
from kre.load import embedded
from kre.model.bundle import Bundle
from kre.model.comparison import Grant
from kre.model.resource import Body, Pointer, Resource, dig
from kre.rbac.identities import Use
from kre.rules.held import Side, sides
from kre.rules.registry import Hit, hit, rule

_AUTOMOUNT = "automountServiceAccountToken"
_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type
_OF = "kubernetes.io/service-account.name"
_SPEC: dict[str, Pointer] = {"CronWorkflow": ("spec", "workflowSpec"), "Workflow": ("spec",)}


def _mounts(use: Use) -> object:
    """What a pod itself says of its token: true, false, or None for nothing."""
    body: Body = use.resource.body
    at = use.pointer if use.implied else use.pointer[:-1]
    inner = dig(body, *at) if at else body
    if use.implied and isinstance(inner, dict) and "kind" in inner:  # a Workflow, whose spec is the pods'
        at = (*at, *_SPEC.get(str(inner["kind"]), ("spec",)))
    return dig(body, *at, _AUTOMOUNT)


@rule(
    "R035",
    "nothing runs as a ServiceAccount default",
    "object",
    peers=("kube-linter default-service-account", "checkov CKV_K8S_41", "checkov CKV_ARGO_1", "kubescape C-0189"),
)
def own_account(bundle: Bundle) -> Iterator[Hit]:
    for side in sides(bundle):
        for identity in side.running:
            for use in identity.uses if identity.name == "default" else ():
                if use.values is None and _mounts(use) is not False:
                    made = any(use.pointer[: len(one.at)] == one.at for one in embedded.objects(use.resource))
                    what = f"what {use.resource} makes" if made else str(use.resource)
                    message = f"{what} runs as default, like all in {identity.namespace} that name nobody"
                    fix = f"name a ServiceAccount of its own; what needs no API can say {_AUTOMOUNT}: false"
                    yield hit(bundle, use.resource, use.pointer, message, fix)


@rule(
    "R036",
    "no token is mounted where it gives nothing",
    "object",
    peers=(
        "trivy KSV-0036",
        "checkov CKV_K8S_38",
        "kubescape C-0034, C-0190, C-0261",
        "polaris automountServiceAccountToken",
        "kyverno restrict-automount-sa-token",
    ),
)
def no_idle_token(bundle: Bundle) -> Iterator[Hit]:
    """One that is mounted because someone said so is meant: a Sensor does not start without. One of `default` is
    R035's, one of an account that is not here nobody knows."""
    for side in sides(bundle):
        known = {(item.namespace, item.name): item for item in side.world.resources if item.kind == "ServiceAccount"}
        for identity in side.running:
            made = known.get((identity.namespace, identity.name))
            if made is None or identity.name == "default" or _AUTOMOUNT in made.body:
                continue
            mounting = [use for use in identity.uses if _mounts(use) is None]
            if mounting and not side.holds(identity.namespace, identity.name):
                message = f"{made} holds no right, and {mounting[0].resource} mounts its token"
                yield hit(bundle, made, (), message, f"write {_AUTOMOUNT}: false; true, if it can't do without")


@rule("R040", "no ServiceAccount has rights in the cloud without a reason", "object", peers=("polaris providerIAM",))
def cloud(bundle: Bundle) -> Iterator[Hit]:
    for side in sides(bundle):
        for made in side.world.resources:
            marks = made.metadata.get("annotations") if made.kind == "ServiceAccount" else None
            for key, value in marks.items() if isinstance(marks, dict) else ():
                subject = f"ServiceAccount {made.namespace}/{made.name}"
                right = Grant(subject, made.namespace, "act as", "", f"{key}={value}")
                meant = any(covers(known, right) for known in side.reasons.get(subject, ()))
                if str(key).startswith(CLOUD) and not meant:
                    message = f"{made} is {value} in the cloud, whose rights stand in no file here"
                    fix = "take it away, or let the environment's RBAC budget list it, with a reason"
                    yield hit(bundle, made, ("metadata", "annotations", str(key)), message, fix)


@rule(
    "R041",
    "no Secret holds a token for ever, but the one that Argo's executor needs",
    "object",
    peers=("kyverno deny-secret-service-account-token-type",),
)
def lasting_token(bundle: Bundle) -> Iterator[Hit]:
    for side in sides(bundle):
        secrets = [item for item in side.world.resources if item.kind == "Secret" and item.body.get("type") == _TOKEN]
        needed = set(_executors(side)) if secrets else set()
        for secret in secrets:
            name = str(dig(secret.metadata, "annotations", _OF))
            if secret.name != f"{name}.service-account-token" or (secret.namespace, name) not in needed:
                message = f"{secret} holds a token of ServiceAccount {name} that does not end"
                fix = "mount one with an end: a pod has it by itself, others by a TokenRequest"
                yield hit(bundle, secret, ("type",), message, fix)


def _executors(side: Side) -> Iterator[tuple[str, str]]:
    """The ServiceAccounts whose token Argo Workflows mounts beside the pod's own, from a Secret of this very name
    (argo-workflows v4.0, workflow/common/util.go, ServiceAccountTokenName)."""
    for identity in (*side.running, *side.could):
        if any(use.pointer[-2:-1] == ("executor",) for use in identity.uses):
            yield identity.namespace, identity.name


@rule(
    "R042",
    "no rights are given in namespace default",
    "object",
    peers=("kube-linter use-namespace", "checkov CKV_K8S_21", "kubescape C-0212"),
)
def not_in_default(bundle: Bundle) -> Iterator[Hit]:
    for item in bundle.resources:
        if item.kind in ("Role", "RoleBinding", "ServiceAccount") and _space(item) == "default":
            message = f"{item}: whatever names no namespace lands in default too"
            yield hit(bundle, item, ("metadata", "namespace"), message, "give what it is for a namespace of its own")


def _space(item: Resource) -> object:
    return item.metadata.get("namespace")
