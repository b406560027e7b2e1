"""dev with apps/argocd, from an empty cluster to all Synced and Healthy: in which order, with which rights."""

from __future__ import annotations

from itertools import pairwise

import pytest
import yaml

from e2e.argocd.argo import Application, ArgoCD
from e2e.argocd.forge import Fork
from e2e.kubectl import Cluster, alert, wait

pytestmark = pytest.mark.e2e


def test_each_wave_waits_for_the_one_before(dev: ArgoCD, fork: Fork) -> None:
    waves: dict[int, list[Application]] = {}
    for name, application in dev.applications().items():
        if name in fork.applications("dev")[1:]:
            wave = application["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
            waves.setdefault(int(wave), []).append(application)
    for before, after in pairwise(sorted(waves)):
        up = {item["metadata"]["name"]: item["status"]["history"][0]["deployedAt"] for item in waves[before]}
        made = {item["metadata"]["name"]: item["metadata"]["creationTimestamp"] for item in waves[after]}
        assert max(up.values()) <= min(made.values()), f"{made} were made before {up} were up"
    assert "dev-falco" in [item["metadata"]["name"] for item in waves[max(waves)]]


def test_falco_comes_when_falcosidekick_can_take_alerts(dev: ArgoCD) -> None:
    falco = dev.cluster.try_get("configmap", "falco", "falco")
    sidekick = dev.cluster.try_get("deployment", "falcosidekick", "falco")
    assert falco is not None
    assert sidekick is not None
    available = next(item for item in sidekick["status"]["conditions"] if item["type"] == "Available")
    assert available["lastTransitionTime"] <= falco["metadata"]["creationTimestamp"]


def test_an_alert_travels_through_what_argo_cd_has_made(dev: ArgoCD) -> None:
    cluster = dev.cluster
    cluster.run("-n", "kre-pipeline", "wait", "--for=condition=Ready", "pods", "--all", "--timeout=90s")
    uid, name = next(iter(cluster.running("kre-demo").items()))
    assert cluster.post(alert("delete-pod", "kre-demo", name, uid), by="deployment/falcosidekick") == "200"
    wait(f"the end of pod {name}", lambda: uid not in cluster.running("kre-demo"), seconds=60)


@pytest.mark.parametrize(
    ("namespace", "account", "managed", "kind"),
    [
        ("argo-events", "argo-events-controller-manager", "kre-pipeline", ("apps", "deployments")),
        ("argo-workflows", "argo-workflows-workflow-controller", "kre-responses", ("", "pods")),
    ],
)
def test_a_controller_may_act_in_its_own_namespace_only(
    dev: ArgoCD, namespace: str, account: str, managed: str, kind: tuple[str, str]
) -> None:
    """After an alert has gone its way: the controller has lacked nothing."""
    elsewhere = {"kre-pipeline", "kre-responses", "kre-demo", "kube-system", "falco"} - {managed}
    refused = [(verb, *kind, place) for verb in ("get", "create", "delete") for place in elsewhere]
    refused += [("get", "", secret, place) for secret in ("secrets", "configmaps") for place in elsewhere]
    refused += [("create", "", "pods/exec", managed)]
    allowed = may(dev.cluster, namespace, account, [("create", *kind, managed), *refused])
    assert allowed == [("create", *kind, managed)]
    # Not from its start: a busy API server grants what was just bound a moment later.
    log = dev.cluster.run("-n", namespace, "logs", "--since=20s", f"deployment/{account}")
    # It would end a container that lingers by pods/exec, which it is meant not to have: the kubelet ends that one.
    refusals = [line for line in log.splitlines() if "forbidden" in line and "signaled container" not in line]
    assert not refusals, refusals


Right = tuple[str, str, str, str]  # verb, group, resource with its subresource, namespace


def may(cluster: Cluster, namespace: str, account: str, rights: list[Right]) -> list[Right]:
    """Which of these a ServiceAccount has, as the API server says."""
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    reviews = []
    for verb, group, resource, place in rights:
        name, _, sub = resource.partition("/")
        asked = {"verb": verb, "group": group, "resource": name, "subresource": sub, "namespace": place}
        spec = {"user": f"system:serviceaccount:{namespace}:{account}", "groups": groups, "resourceAttributes": asked}
        reviews.append({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec})
    answers = cluster.run(
        "create", "--filename=-", "--output=jsonpath={.status.allowed} ", stdin=yaml.safe_dump_all(reviews)
    ).split()
    return [right for right, answer in zip(rights, answers, strict=True) if answer == "true"]
