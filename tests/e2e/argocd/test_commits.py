"""What Argo CD makes of commits: where they reach, what a broken one shows, and that one that mends it gets through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from e2e.argocd import stage
from e2e.argocd.argo import ArgoCD, expect
from e2e.argocd.forge import Fork

pytestmark = pytest.mark.e2e


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
    dev.cluster.apply(yaml.safe_dump_all([project, application]))
    yield "staging-pipeline"
    stage.forget(dev.cluster, "staging-pipeline")
    dev.cluster.run("-n", "argocd", "delete", "appproject", "kre-staging")


def test_a_commit_reaches_the_environment_that_it_is_for(dev: ArgoCD, fork: Fork, staging: str) -> None:
    """One to base/ reaches dev and not staging, one to staging's release the other way round."""
    files: dict[str, str] = {}
    for folder, name in (
        ("base/pipeline/manifests", "base-probe"),
        ("overlays/staging/release/pipeline/manifests", "release-probe"),
    ):
        probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "kre-pipeline"}}
        files[f"{folder}/probe-configmap.yaml"] = yaml.safe_dump(probe)
        files |= fork.with_entries(f"{folder}/kustomization.yaml", resources=["probe-configmap.yaml"])
    with fork.pushed("a ConfigMap in base/, another in staging's release", files) as commit:
        dev.refresh("dev-pipeline", staging)
        for name, leaf, probe in (
            ("dev-pipeline", "overlays/dev/leaves/pipeline", "base-probe"),
            (staging, "overlays/staging/leaves/pipeline", "release-probe"),
        ):
            rendered = dev.renders(name, commit)
            assert rendered == fork.names(leaf)
            assert {found for _, found in rendered if found.endswith("-probe")} == {probe}
        expect("base-probe alone", lambda: "" if probes(dev) == {"base-probe"} else f"{probes(dev)}")
    dev.refresh("dev-pipeline")
    expect("no probe", lambda: f"{probes(dev)}" if probes(dev) else "")


def probes(dev: ArgoCD) -> set[str]:
    names = {item["metadata"]["name"] for item in dev.cluster.list("configmaps", "kre-pipeline")}
    return {name for name in names if name.endswith("-probe")}


def test_a_broken_sensor_shows(dev: ArgoCD, fork: Fork) -> None:
    leaf = "overlays/dev/leaves/responses"
    broken = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Sensor",
        "metadata": {"name": "notify", "namespace": "kre-pipeline"},
        "spec": {"eventBusName": "nowhere"},
    }
    entry = fork.with_entries(f"{leaf}/kustomization.yaml", patches=[{"path": "patches/broken-patch.yaml"}])
    files = {f"{leaf}/patches/broken-patch.yaml": yaml.safe_dump(broken)} | entry
    with fork.pushed("a Sensor on an EventBus that is not there", files):
        dev.refresh("dev-responses")
        for name in ("dev-responses", "kre-dev-root"):
            expect(f"{name} Degraded", lambda name=name: "" if dev.health(name) == "Degraded" else dev.health(name))
    dev.converge(["dev-responses", "kre-dev-root"], fork.head())


def test_a_commit_that_mends_an_application_reaches_it(dev: ArgoCD, fork: Fork) -> None:
    """The root, which waits for every wave, is not stuck with what it waits for."""
    file = "base/pipeline/application.yaml"
    text = (fork.folder / file).read_text()
    with fork.pushed("a path that is not there", {file: text.replace("leaves/pipeline", "leaves/nowhere")}):
        dev.refresh("kre-dev-root")
        dev.expect_word("dev-pipeline", "nowhere")
        dev.expect_word("kre-dev-root", "Retrying")
    dev.converge(["dev-pipeline", "kre-dev-root"], fork.head(), seconds=90)


def test_a_target_namespace_that_is_missing_stops_nothing_else(dev: ArgoCD, fork: Fork) -> None:
    with fork.pushed("a target that is not there", another_target(fork, "nowhere")) as commit:
        fork.shell("kubectl apply -k apps/dev")
        dev.converge(set(fork.applications("dev")) - {"dev-targets", "kre-dev-root"}, commit)
        dev.expect_word("dev-targets", 'namespaces "nowhere" not found')
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
