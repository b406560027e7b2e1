"""R005-R034: rights that reach further than they look, and bindings for more people than one would think.

Each rule of each role is asked as the API server would ask it (kre.rbac.match), so that neither the order of rules, nor
what stands beside, nor a group or subresource that only looks alike makes a difference. What a star in a rule covers,
R001 to R004 say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kre.model.bundle import Bundle
from kre.rbac.match import allows
from kre.rbac.model import Binding, Question, Role, Rule, Subject
from kre.rbac.objects import GROUP as RBAC
from kre.rules.registry import Check, Hit, hit, rule
from kre.rules.roles import roles_and_bindings


@dataclass(frozen=True, slots=True)
class Power:
    """What some verbs on some resources (of a group, "" for the core, or RESOURCE.GROUP) are as good as."""

    id: str
    title: str
    means: str
    group: str
    resources: str
    verbs: str
    peers: tuple[str, ...] = ()
    hint: str = "take it away"

    def asked(self) -> Iterator[Question]:
        for resource in self.resources.split():
            whole, _, sub = resource.partition("/")
            plural, dot, group = whole.partition(".")
            for verb in self.verbs.split():
                yield Question(verb, group if dot else self.group, plural, sub)


POWERS = (
    Power("R009", "no role makes tokens of ServiceAccounts", "to be that ServiceAccount", "", "serviceaccounts/token",
          "create", ("kubescape C-0282", "rbac-police token_request", "badrobot R23")),
    Power("R014", "no role runs commands in pods", "to be whatever runs there", "", "pods/exec", "create get",
          ("trivy KSV-0053", "checkov CKV2_2", "kubescape C-0002", "rbac-police pods_exec", "polaris PodExecAttach")),
    Power("R015", "no role attaches to pods", "to be whatever runs there", "", "pods/attach", "create get",
          ("trivy KSV-0054", "polaris PodExecAttach", "KubiScan risky-attach-pods")),
    Power("R016", "no role puts containers into running pods", "to be whatever runs there", "",
          "pods/ephemeralcontainers", "update patch", ("rbac-police pods_ephemeral_ctrs",)),
    Power("R017", "no role forwards ports of pods", "to be inside of the network's walls", "", "pods/portforward",
          "create get", ("kubescape C-0063",)),
    Power("R018", "no role speaks to kubelets", "to run commands in every pod of a node, unseen by admission and audit",
          "", "nodes/proxy", "get create", ("trivy KSV-0047", "kubescape C-0279", "rbac-police nodes_proxy")),
    Power("R019", "no role escalates", "to hold whatever one likes", RBAC, "roles clusterroles", "escalate",
          ("trivy KSV-0050", "checkov CKV_K8S_158", "kubescape C-0191", "kyverno restrict-escalation-verbs-roles")),
    Power("R020", "no role binds", "to hold whatever some role holds", RBAC, "roles clusterroles", "bind",
          ("kyverno restrict-escalation-verbs-roles", "kubescape C-0191", "KICS 8320826e"),
          "limit it by resourceNames to the roles that it is for, and accept that; or take it away"),
    Power("R021", "no role acts as somebody else", "to be whoever that is", "", "users groups serviceaccounts",
          "impersonate", ("trivy KSV-0043", "checkov CKV2_3", "kubescape C-0065", "rbac-police impersonate")),
    Power("R022", "no role makes bindings", "to hand out all that one holds, to anybody", RBAC,
          "rolebindings clusterrolebindings", "create update patch", ("trivy KSV-0055", "badrobot R13")),
    Power("R024", "no role writes webhooks and policies of admission", "to see and change what everybody writes",
          "admissionregistration.k8s.io",
          "mutatingwebhookconfigurations validatingwebhookconfigurations mutatingadmissionpolicies "
          "mutatingadmissionpolicybindings validatingadmissionpolicies validatingadmissionpolicybindings",
          "create update patch delete", ("trivy KSV-0114", "checkov CKV_K8S_155", "kubescape C-0281")),
    Power("R025", "no role approves certificates", "to be whoever the certificate names", "certificates.k8s.io",
          "certificatesigningrequests/approval", "update patch",
          ("checkov CKV_K8S_156", "kubescape C-0280", "rbac-police approve_csrs")),
)  # fmt: skip


def _power(power: Power) -> Check:
    def check(bundle: Bundle) -> Iterator[Hit]:
        for role in roles_and_bindings(bundle):
            for index, entry in enumerate(role.rules if isinstance(role, Role) else ()):
                found = next((asked for asked in power.asked() if lets(entry, asked)), None)
                if found and role.resource:
                    message = f"{role.step} may {shown(found)}: that is {power.means}"
                    yield hit(bundle, role.resource, ("rules", index), message, power.hint)

    return check


def shown(asked: Question) -> str:
    """A verb and what it is for, in words."""
    return f"{asked.verb} {asked.whole}"


def lets(entry: Rule, asked: Question) -> bool:
    """Whether a rule without stars allows it, by some name or any. What a star covers, R001 to R004 say; of one that is
    meant for a name, which nothing has, E11 does."""
    if entry.starred:
        return False
    return any(allows(entry, replace(asked, name=name)) for name in entry.names or ("",) if name != "*")


for _one in POWERS:
    rule(_one.id, _one.title, "object", peers=_one.peers)(_power(_one))


def _subjects(
    bundle: Bundle, wrong: Callable[[Subject], bool], means: str, fix: str = "bind somebody named"
) -> Iterator[Hit]:
    for binding in roles_and_bindings(bundle):
        for index, subject in enumerate(binding.subjects if isinstance(binding, Binding) else ()):
            if wrong(subject) and binding.resource:
                message = f"{binding.kind} {binding.name} is for {subject.kind} {subject.name}: {means}"
                yield hit(bundle, binding.resource, ("subjects", index), message, fix)


@rule(
    "R005",
    "nobody is bound to cluster-admin, admin or edit",
    "object",
    peers=("trivy KSV-0111", "kube-linter cluster-admin-role-binding", "kubescape C-0185", "kyverno"),
)
def wide_roles(bundle: Bundle) -> Iterator[Hit]:
    for binding in roles_and_bindings(bundle):
        if not isinstance(binding, Binding) or binding.resource is None or binding.role_kind != "ClusterRole":
            continue
        if binding.role in ("cluster-admin", "admin", "edit"):
            message = f"{binding.kind} {binding.name} gives {binding.role}, which grows by all that joins it"
            yield hit(bundle, binding.resource, ("roleRef",), message, "write a role with what is needed")


@rule("R031", "nothing is given to whoever did not log in", "object", peers=("trivy KSV-0122", "kubescape C-0262"))
def anonymous(bundle: Bundle) -> Iterator[Hit]:
    names = ("system:anonymous", "system:unauthenticated")
    yield from _subjects(bundle, lambda it: it.kind != "ServiceAccount" and it.name in names, "anybody at all")


@rule("R032", "nothing is given to whoever logged in", "object", peers=("kubescape C-0265",))
def authenticated(bundle: Bundle) -> Iterator[Hit]:
    names = ("system:authenticated", "system:serviceaccounts")
    means = "every user and every pod of the cluster"
    yield from _subjects(bundle, lambda it: it.kind == "Group" and it.name in names, means)


@rule("R033", "nothing is bound to system:masters", "object", peers=("trivy KSV-0123", "kyverno"))
def masters(bundle: Bundle) -> Iterator[Hit]:
    means = "it may do everything already, and no binding takes that away"
    yield from _subjects(bundle, lambda it: it.kind == "Group" and it.name == "system:masters", means)


@rule(
    "R034", "nothing is bound to a ServiceAccount default", "object", peers=("checkov CKV_K8S_42", "kubescape C-0189")
)
def default_account(bundle: Bundle) -> Iterator[Hit]:
    means = "every pod of that namespace that names nobody"
    fix = "make a ServiceAccount for what needs it, and bind that"
    yield from _subjects(bundle, lambda it: it.kind == "ServiceAccount" and it.name == "default", means, fix)
