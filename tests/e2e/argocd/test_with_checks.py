"""The same with apps/argocd: what comes up in which order, and what Argo CD makes of commits, faults and intruders."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import yaml

from e2e.argocd import stage
from e2e.argocd.argo import Application, ArgoCD, expect
from e2e.argocd.forge import FOREIGN, FORK, Fork
from e2e.kubectl import alert, wait

pytestmark = pytest.mark.e2e

CLUSTER = "https://kubernetes.default.svc"
PROBE = yaml.safe_dump(
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "namespace": "kre-pipeline"}}
)


@pytest.fixture(scope="module")
def dev(argocd: ArgoCD, fork: Fork, tmp_path_factory: pytest.TempPathFactory) -> ArgoCD:
    """dev, from an empty cluster to all Synced and Healthy."""
    stage.clear(argocd)
    stage.add_checks(argocd.cluster, tmp_path_factory.mktemp("argocd-cm"))
    stage.bring_up(fork)
    argocd.converge(fork.applications("dev"), seconds=240)
    return argocd


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
    ("namespace", "account", "managed"),
    [
        ("argo-events", "argo-events-controller-manager", "kre-pipeline"),
        ("argo-workflows", "argo-workflows-workflow-controller", "kre-responses"),
    ],
)
def test_a_controller_may_act_in_its_own_namespace_only(
    dev: ArgoCD, namespace: str, account: str, managed: str
) -> None:
    """After an alert has gone its way: the controller has lacked nothing."""

    def may(*what: str) -> bool:
        by = f"--as=system:serviceaccount:{namespace}:{account}"
        return dev.cluster.run("auth", "can-i", *what, by, check=False).strip() == "yes"

    kinds = "deployments" if managed == "kre-pipeline" else "pods"
    assert may("create", kinds, "-n", managed)
    for other in {"kre-pipeline", "kre-responses", "kre-demo", "kube-system", "falco"} - {managed}:
        assert not [verb for verb in ("get", "create", "delete") if may(verb, kinds, "-n", other)]
        assert not [kind for kind in ("secrets", "configmaps") if may("get", kind, "-n", other)]
    assert not may("create", "pods", "--subresource=exec", "-n", managed)
    log = dev.cluster.run("-n", namespace, "logs", f"deployment/{account}")
    assert "forbidden" not in log


@pytest.fixture
def staging(dev: ArgoCD, fork: Fork) -> Iterator[str]:
    """staging's pipeline in the same Argo CD, rendered and compared, but never synced: its window is closed.

    The one cluster is dev's: synced, the two would fight.
    """
    project = next(item for item in fork.render("apps/staging") if item["metadata"]["name"] == "kre-staging")
    window = {"kind": "deny", "schedule": "* * * * *", "duration": "24h", "applications": ["*"]}
    project["spec"]["syncWindows"] = [window]
    application = next(
        item for item in fork.render("overlays/staging") if item["metadata"]["name"] == "staging-pipeline"
    )
    del application["metadata"]["finalizers"]
    for item in (project, application):
        dev.cluster.apply(yaml.safe_dump(item))
    yield "staging-pipeline"
    stage.forget(dev.cluster, "staging-pipeline")
    dev.cluster.run("-n", "argocd", "delete", "appproject", "kre-staging")


def test_a_commit_reaches_the_environment_that_it_is_for(dev: ArgoCD, fork: Fork, staging: str) -> None:
    for folder, reached, spared in (
        ("base/pipeline/manifests", "dev-pipeline", staging),
        ("overlays/staging/release/pipeline/manifests", staging, "dev-pipeline"),
    ):
        entry = fork.with_entries(f"{folder}/kustomization.yaml", resources=["probe-configmap.yaml"])
        with fork.pushed(f"a ConfigMap in {folder}", {f"{folder}/probe-configmap.yaml": PROBE} | entry) as commit:
            assert "probe" in dev.renders(reached, commit)
            assert "probe" not in dev.renders(spared, commit)
            expected = reached == "dev-pipeline"
            expect(f"probe there: {expected}", lambda expected=expected: probe_is(dev, expected))


def probe_is(dev: ArgoCD, expected: bool) -> str:
    found = dev.cluster.try_get("configmap", "probe", "kre-pipeline") is not None
    return "" if found == expected else f"there: {found}"


def test_a_sensor_that_is_deleted_comes_back(dev: ArgoCD) -> None:
    before = sensors(dev)
    dev.cluster.run("-n", "kre-pipeline", "delete", "sensors", "--all")
    expect("the Sensors", lambda: "" if sensors(dev).keys() == before.keys() else f"{sensors(dev)}")
    assert not set(sensors(dev).values()) & set(before.values())


def sensors(dev: ArgoCD) -> dict[str, str]:
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in dev.cluster.list("sensors", "kre-pipeline")}


def test_a_broken_sensor_shows(dev: ArgoCD, fork: Fork) -> None:
    leaf = "overlays/dev/leaves/responses"
    broken = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Sensor",
        "metadata": {"name": next(iter(sensors(dev))), "namespace": "kre-pipeline"},
        "spec": {"eventBusName": "nowhere"},
    }
    entry = fork.with_entries(f"{leaf}/kustomization.yaml", patches=[{"path": "patches/broken-patch.yaml"}])
    files = {f"{leaf}/patches/broken-patch.yaml": yaml.safe_dump(broken)} | entry
    with fork.pushed("a Sensor on an EventBus that is not there", files):
        dev.refresh()
        for name in ("dev-responses", "kre-dev-root"):
            expect(f"{name} Degraded", lambda name=name: "" if dev.health(name) == "Degraded" else dev.health(name))
    dev.converge(fork.applications("dev"), fork.head())


def test_a_commit_that_mends_an_application_reaches_it(dev: ArgoCD, fork: Fork) -> None:
    """The root, which waits for every wave, is not stuck with what it waits for."""
    file = "base/pipeline/application.yaml"
    text = (fork.folder / file).read_text()
    with fork.pushed("a path that is not there", {file: text.replace("leaves/pipeline", "leaves/nowhere")}):
        dev.refresh()
        expect(
            "dev-pipeline's error", lambda: "" if "nowhere" in dev.says("dev-pipeline") else dev.says("dev-pipeline")
        )
    dev.converge(fork.applications("dev"), fork.head(), seconds=420)  # the root tries again after three minutes at most


@pytest.mark.parametrize(
    ("project", "namespace", "repository", "path", "message"),
    [
        ("kre-dev", "argocd", FORK, "overlays/dev/leaves/demo", "namespace 'argocd' do not match any of the allowed"),
        ("kre-dev", "kre-demo", FOREIGN, "overlays/dev/leaves/demo", f"application repo {FOREIGN} is not permitted"),
        ("kre-dev-root", "argocd", FORK, "apps/dev", "resource argoproj.io:AppProject is not permitted"),
    ],
    ids=["Argo CD's namespace", "foreign repository", "the walls themselves"],
)
def test_the_projects_are_closed(
    dev: ArgoCD, project: str, namespace: str, repository: str, path: str, message: str
) -> None:
    dev.cluster.apply(yaml.safe_dump(application("intruder", project, namespace, repository, path)))
    expect(f"refusal: {message}", lambda: "" if message in dev.says("intruder") else dev.says("intruder") or "silence")
    stage.forget(dev.cluster, "intruder")


def test_the_root_makes_no_application_of_another_project(dev: ArgoCD, fork: Fork) -> None:
    """Not even where `default` allows everything, as that of a new Argo CD does."""
    everything: dict[str, Any] = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    default = application("default", "", "", "", "") | {"kind": "AppProject", "spec": everything}
    dev.cluster.apply(yaml.safe_dump(default))
    intruder = application("intruder", "default", "kube-system", FORK, "overlays/dev/leaves/demo")
    entry = fork.with_entries("overlays/dev/kustomization.yaml", resources=["intruder-application.yaml"])
    files = {"overlays/dev/intruder-application.yaml": yaml.safe_dump(intruder)} | entry
    with fork.pushed("an Application in project default", files):
        dev.refresh()
        message = "kre-dev-root may make Applications of project kre-dev only"
        expect("refusal", lambda: "" if message in dev.says("kre-dev-root") else dev.says("kre-dev-root"))
        assert "dev-intruder" not in dev.applications()
    dev.converge(fork.applications("dev"), fork.head())


def application(name: str, project: str, namespace: str, repository: str, path: str) -> Application:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": project,
            "destination": {"server": CLUSTER, "namespace": namespace},
            "source": {"repoURL": repository, "targetRevision": "main", "path": path},
            "syncPolicy": {"automated": {}},
        },
    }


def test_a_target_namespace_that_is_missing_stops_nothing_else(dev: ArgoCD, fork: Fork) -> None:
    with fork.pushed("a target that is not there", another_target(fork, "nowhere")) as commit:
        fork.shell("kubectl apply -k apps/dev")
        dev.converge(set(fork.applications("dev")) - {"dev-targets", "kre-dev-root"}, commit)
        expect(
            "what is missing",
            lambda: "" if 'namespaces "nowhere" not found' in dev.says("dev-targets") else dev.says("dev-targets"),
        )
        root = dev.applications()["kre-dev-root"]["status"]
        assert (root["sync"]["status"], root["operationState"]["phase"]) == ("Synced", "Succeeded")
        assert dev.cluster.try_get("rolebinding", "kre-delete-pod", "kre-demo")


def another_target(fork: Fork, name: str) -> dict[str, str]:
    """The files that `kre target add` makes and changes."""
    leaf = "overlays/dev/leaves/targets"
    files = {path.name: path.read_text() for path in (fork.folder / leaf / "kre-demo").iterdir()}
    facts = (fork.folder / "overlays/dev/environment/environment.yaml").read_text()
    project = (fork.folder / "apps/dev/kre-dev-appproject.yaml").read_text()
    destination = "  - {server: CLUSTER, namespace: kre-demo}\n"
    return {
        **{
            f"{leaf}/{name}/{file}": text.replace("namespace: kre-demo", f"namespace: {name}")
            for file, text in files.items()
        },
        "overlays/dev/environment/environment.yaml": facts.replace(
            "  - kre-demo\n", f"  - kre-demo\n  - {name}\n"
        ).replace("^(kre-demo)$", f"^(kre-demo|{name})$"),
        "apps/dev/kre-dev-appproject.yaml": project.replace(
            destination, destination + destination.replace("kre-demo", name)
        ),
    } | fork.with_entries(f"{leaf}/kustomization.yaml", resources=[name])


def test_removal_removes_everything(dev: ArgoCD, fork: Fork) -> None:
    stage.remove(dev, fork)
