"""R006-R008, R010-R013, R023, R026-R030: rights that an engine may need, where somebody says why.

A role's rule counts for whom it is granted to, and where. What the budget of the environment lists with a `reason` is
meant; so is what a response, or the dispatcher, does to pods of the targets: F07 and F08 hold it there. In a folder
without environments nobody can say so, and a role that is bound to nobody there may be bound elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kre.compare.grants import covers
from kre.model.bundle import Bundle
from kre.model.comparison import Grant
from kre.rbac.model import Question, Role, Rule
from kre.rules.held import Holder, Side, sides
from kre.rules.powers import Power, lets, shown
from kre.rules.registry import Check, Hit, hit, rule

_EVERYWHERE, _WITHIN = "everywhere", "within"
_PODS = frozenset(("R012", "R013"))


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A Power that counts only where it is granted everywhere, or only within a namespace; "" for both. `never`: no
    reason will do, but for the one right `but` ("verb resource")."""

    power: Power
    where: str = ""
    never: bool = False
    but: str = ""

    def about(self, namespace: str) -> bool:
        return not self.where or (self.where == _WITHIN) == bool(namespace)

    def excused(self, asked: Question) -> bool:
        """Whether a reason can make up for a right."""
        return not self.never or f"{asked.verb} {asked.whole}" == self.but


_WRITE = "create update patch delete deletecollection"
_HINT = "take it away, or let the environment's RBAC budget list it, with a reason"
_NEVER = "take it away: give it where it is needed, by a Role and a RoleBinding"
_CONTROLLERS = (
    "deployments.apps daemonsets.apps statefulsets.apps replicasets.apps jobs.batch cronjobs.batch "
    "replicationcontrollers"
)
REASONED = (
    Reasoned(Power("R006", "nobody reads the Secrets of all namespaces", "to be whoever has a token, everywhere", "",
                   "secrets", "get list watch",
                   ("trivy KSV-0041", "kube-linter access-to-secrets", "checkov CKV2_5", "kubescape C-0015, C-0186",
                    "rbac-police list_secrets", "kyverno restrict-secret-role-verbs", "badrobot R14",
                    "KubiScan risky-get-secrets"), _NEVER), _EVERYWHERE, never=True),
    Reasoned(Power("R007", "nobody reads the Secrets of a namespace without a reason",
                   "to be whoever has a token there", "", "secrets", "get list watch",
                   ("trivy KSV-0113", "kube-linter access-to-secrets", "checkov CKV2_5", "kubescape C-0015, C-0186",
                    "rbac-police retrieve_token_secrets", "kyverno restrict-secret-role-verbs"), _HINT), _WITHIN),
    Reasoned(Power("R008", "nobody writes Secrets without a reason",
                   "to get a token of any ServiceAccount there, for Kubernetes fills such a Secret in", "", "secrets",
                   "create update patch", ("trivy KSV-0041", "trivy KSV-0113", "kube-linter access-to-secrets",
                                           "rbac-police issue_token_secrets"), _HINT)),
    Reasoned(Power("R010", "nobody makes pods without a reason", "to run as any ServiceAccount there", "", "pods",
                   "create", ("trivy KSV-0048", "kube-linter access-to-create-pods", "kubescape C-0188",
                              "rbac-police assign_sa", "KubiScan risky-create-pod"), _HINT)),
    Reasoned(Power("R011", "nobody makes or changes what makes pods without a reason",
                   "to run as any ServiceAccount there", "", _CONTROLLERS, "create update patch",
                   ("trivy KSV-0048", "kube-linter access-to-create-pods", "rbac-police assign_sa",
                    "KubiScan risky-create-deployments"), _HINT)),
    Reasoned(Power("R012", "nobody changes pods without a reason", "to run another image as whatever runs there", "",
                   "pods", "update patch", ("trivy KSV-0048", "rbac-police modify_pods", "rbac-police rce_weak_ns"),
                   _HINT)),
    Reasoned(Power("R013", "nobody deletes workloads, Secrets or Services without a reason", "to stop what runs there",
                   "", f"pods {_CONTROLLERS} secrets services", "delete deletecollection",
                   ("trivy KSV-0048", "kubescape C-0007", "rbac-police steal_pods",
                    "KubiScan risky-any-resource-delete"), _HINT)),
    Reasoned(Power("R023", "nobody writes ConfigMaps without a reason", "to change what others are told to do", "",
                   "configmaps", "create update patch delete",
                   ("trivy KSV-0049", "trivy KSV-0115", "kubescape C-0037", "rbac-police eks_modify_aws_auth"), _HINT)),
    Reasoned(Power("R026", "nobody changes Services, Ingresses or NetworkPolicies without a reason",
                   "to lead traffic elsewhere, or to where it was kept out", "",
                   "services services/status endpoints endpointslices.discovery.k8s.io "
                   "networkpolicies.networking.k8s.io ingresses.networking.k8s.io", "create update patch delete",
                   ("trivy KSV-0056", "checkov CKV2_4", "rbac-police modify_service_status_cve_2020_8554",
                    "badrobot R25"), _HINT)),
    Reasoned(Power("R027", "nobody writes nodes, or the status of pods and nodes",
                   "to draw pods to a node of one's own, or traffic to a pod", "", "nodes nodes/status pods/status",
                   "create update patch delete",
                   ("rbac-police modify_pod_status", "rbac-police modify_node_status", "rbac-police steal_pods"),
                   "take it away; or, where nodes are patched to cordon them, let the budget list it, with a reason"),
             never=True, but="patch nodes"),
    Reasoned(Power("R028", "nobody deletes events or logs", "to take away the traces", "",
                   "events events.events.k8s.io pods/log", "delete deletecollection",
                   ("trivy KSV-0042", "kubescape C-0031", "badrobot R19, R20"), "take it away"), never=True),
    Reasoned(Power("R029", "nobody makes PersistentVolumes", "to read every disk of a node, by a hostPath", "",
                   "persistentvolumes", "create", ("kubescape C-0278", "badrobot R24"), "take it away"), never=True),
    Reasoned(Power("R030", "nobody writes CustomResourceDefinitions",
                   "to delete every object of a kind, and to change what is checked of them", "apiextensions.k8s.io",
                   "customresourcedefinitions", "create update patch delete", ("badrobot R21",), "take it away"),
             never=True),
)  # fmt: skip


def _check(one: Reasoned) -> Check:
    def check(bundle: Bundle) -> Iterator[Hit]:
        for side in sides(bundle):
            for role in side.roles:
                for index, entry in enumerate(role.rules):
                    asked = [it for it in one.power.asked() if lets(entry, it)]
                    wrong = next(_wrong(one, side, role, index, asked), None) if asked else None
                    if wrong and role.resource:
                        holder, question = wrong
                        message = f"{role.step} may {shown(question)}: that is {one.power.means}{_told(holder)}"
                        yield hit(bundle, role.resource, ("rules", index), message, one.power.hint)

    return check


def _wrong(
    one: Reasoned, side: Side, role: Role, index: int, asked: list[Question]
) -> Iterator[tuple[Holder, Question]]:
    """Everybody who has a rule without a reason, with what nobody gave a reason for."""
    for holder in side.of(role, index):
        if one.about(holder.namespace):
            for question in asked:
                if not one.excused(question) or not _meant(one, side, holder, role.rules[index], question):
                    yield holder, question


def _meant(one: Reasoned, side: Side, holder: Holder, entry: Rule, asked: Question) -> bool:
    if holder.engine and one.power.id in _PODS and asked.resource == "pods":
        return True
    rights = [
        Grant(holder.name, holder.namespace, asked.verb, asked.group, asked.whole, it) for it in entry.names or ("",)
    ]
    return all(any(covers(known, right) for known in side.reasons.get(holder.name, ())) for right in rights)


def _told(holder: Holder) -> str:
    if not holder.name:
        return ""
    return f"; {holder.name} has it {f'in {holder.namespace}' if holder.namespace else 'in every namespace'}"


for _one in REASONED:
    # In a folder without environments nobody can say why: a warning there, unless no reason would do.
    rule(_one.power.id, _one.power.title, "object" if _one.never else "world", peers=_one.power.peers)(_check(_one))
