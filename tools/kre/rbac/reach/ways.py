"""The table of hops: which right, on which resource, makes whom out of somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Whom one becomes, in the namespace of the right.
Aim: TypeAlias = Literal[
    "any",  # any ServiceAccount of it: what is made may name one
    "running",  # those that something runs as: one gets into that
    "node",  # the same, in every namespace
    "created",  # what Workflows may run as, as the controller lets whoever creates one
    "changed",  # what Workflows may run as, as it lets whoever changes one that is there
    "template",  # what templates run as, for no more than a template can be named
    "cluster",  # any of any namespace
    "token",  # the one that is named, or any
]


@dataclass(frozen=True, slots=True)
class Way:
    """One of these verbs on one of these resources of a group. `pods` says that pods of any kind can be made so."""

    verbs: str
    group: str
    resources: str
    aim: Aim
    pods: bool = False


WRITE = "create update patch"
ARGO = "argoproj.io"
WAYS = (
    Way("create", "", "pods", "any", pods=True),
    Way("update patch", "", "pods", "running"),
    Way("create get", "", "pods/exec pods/attach", "running"),
    Way("update patch", "", "pods/ephemeralcontainers", "running", pods=True),
    Way(WRITE, "apps", "deployments daemonsets statefulsets replicasets", "any", pods=True),
    Way(WRITE, "", "replicationcontrollers", "any", pods=True),
    Way(WRITE, "batch", "cronjobs", "any", pods=True),
    Way("create", "batch", "jobs", "any", pods=True),  # the pods of one that is there can't be changed
    Way("create", ARGO, "workflows", "created"),
    Way("update patch", ARGO, "workflows", "changed"),
    Way(WRITE, ARGO, "cronworkflows", "created"),
    Way(WRITE, ARGO, "workflowtemplates", "any", pods=True),
    Way(WRITE, ARGO, "clusterworkflowtemplates", "cluster", pods=True),
    Way(WRITE, ARGO, "workfloweventbindings", "template"),
    Way(WRITE, ARGO, "sensors eventsources eventbus", "any", pods=True),
    Way("create", "", "serviceaccounts/token", "token"),
    Way("get create", "", "nodes/proxy", "node"),
)
IMPERSONATE = "impersonate"
READ = "get list watch"
CERTIFICATES = "certificates.k8s.io"
SIGNERS = ("kubernetes.io/kube-apiserver-client", "kubernetes.io/*")
KUBELETS = ("kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/*")
ADMISSION = "admissionregistration.k8s.io"
MUTATING = "mutatingwebhookconfigurations mutatingadmissionpolicies mutatingadmissionpolicybindings"
SEEING = "validatingwebhookconfigurations"
WALLS = "validatingadmissionpolicies validatingadmissionpolicybindings"
