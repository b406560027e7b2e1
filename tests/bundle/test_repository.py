"""The toolkit on this very repository, and what the bundle promises."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import re2
import yaml

from kre.edit.pattern import NEVER, pattern_of
from kre.load.bundle import load
from kre.load.layout import build_units, environments
from kre.load.sources import Sources
from kre.model.bundle import Bundle
from kre.model.resource import dig
from kre.rules.run import validate
from support.repository import PROJECT, git

NAMES = [environment.name for environment in environments(Sources(PROJECT))]
FOLDERS = [folder for folder, _, _ in build_units(PROJECT, NAMES)]


@cache
def bundle() -> Bundle:
    return load(PROJECT)


def of(environment: str, kind: str) -> list[dict[str, Any]]:
    return [dict(resource.body) for resource in bundle().of(environment, kind)]


def tree(folder: Path) -> dict[str, bytes]:
    files = git(PROJECT, "ls-files", "--cached", "--others", "--exclude-standard", str(folder)).splitlines()
    return {str((PROJECT / file).relative_to(folder)): (PROJECT / file).read_bytes() for file in files}


@pytest.mark.parametrize("engine", ["jsonschema", "both"])
def test_no_findings(engine: Any) -> None:
    assert validate(bundle(), engine) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_root_and_leaf_builds_with_kubectl_alone_and_alike(folder: str) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    done = subprocess.run(["kubectl", "kustomize", folder], cwd=PROJECT, capture_output=True, text=True, check=True)
    plain = [document for document in yaml.safe_load_all(done.stdout) if document]
    root = bundle().root_at(folder)
    assert root is not None
    assert json.loads(json.dumps([resource.body for resource in root.resources])) == json.loads(json.dumps(plain))


def test_argocd_component_adds_to_whatever_the_user_has(tmp_path: Path) -> None:
    (tmp_path / "cm.yaml").write_text(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm, namespace: argo}, data: {url: https://x.example}}"
    )
    shutil.copytree(PROJECT / "apps/argocd", tmp_path / "component")
    (tmp_path / "kustomization.yaml").write_text("resources: [cm.yaml]\ncomponents: [component]\n")
    data = load(tmp_path).resources[0].body["data"]
    checks = {key for key in data if key.startswith("resource.customizations.health.argoproj.io_")}
    assert {key.rpartition("_")[2] for key in checks} == {"Application", "EventBus", "EventSource", "Sensor"}
    assert data["url"] == "https://x.example"
    values = yaml.safe_load((PROJECT / "apps/argocd/values.yaml").read_text())
    assert values["configs"]["cm"] == {key: data[key] for key in checks}


@pytest.mark.parametrize("name", NAMES)
def test_exact_charts(name: str) -> None:
    charts = {
        source["chart"]: source["targetRevision"]
        for application in of(name, "Application")
        for source in application["spec"].get("sources", [])
        if "chart" in source
    }
    assert charts == {
        "argo-events": "2.4.22",
        "argo-workflows": "1.0.18",
        "falco": "9.1.0",
        "falcosidekick": "0.14.0",
    }


@pytest.mark.parametrize("name", NAMES)
def test_applications_are_named_after_the_environment_and_releases_are_not(name: str) -> None:
    children = [item for item in of(name, "Application") if item["metadata"]["name"] != f"kre-{name}-root"]
    assert children
    for application in children:
        assert application["metadata"]["name"].startswith(f"{name}-")
        for source in application["spec"].get("sources", []):
            if "chart" in source:
                assert source["helm"]["releaseName"] == source["chart"]


@pytest.mark.parametrize("name", NAMES)
def test_falco_comes_last(name: str) -> None:
    waves = {
        item["metadata"]["name"]: int(item["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for item in of(name, "Application")
        if item["metadata"]["name"] != f"kre-{name}-root"
    }
    assert waves[f"{name}-argo-workflows-crds"] == min(waves.values())
    assert waves[f"{name}-falco"] == max(waves.values())
    for chart in ("argo-events", "argo-workflows"):  # namespace and rights before the controller
        assert waves[f"{name}-{chart}-access"] < waves[f"{name}-{chart}"]
    assert waves[f"{name}-detection"] < waves[f"{name}-falcosidekick"]
    assert (
        waves[f"{name}-pipeline"] < waves[f"{name}-responses"] < waves[f"{name}-falcosidekick"] < waves[f"{name}-falco"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_engines_project_never_reaches_argocd(name: str) -> None:
    projects = {item["metadata"]["name"]: item["spec"] for item in of(name, "AppProject")}
    assert projects.keys() == {f"kre-{name}", f"kre-{name}-root"}
    assert "argocd" not in [entry["namespace"] for entry in projects[f"kre-{name}"]["destinations"]]
    root = projects[f"kre-{name}-root"]
    assert root["namespaceResourceWhitelist"] == [{"group": "argoproj.io", "kind": "Application"}]
    assert not root["clusterResourceWhitelist"]
    assert [entry["namespace"] for entry in root["destinations"]] == ["argocd"]


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_release_is_a_plain_copy_of_base(name: str) -> None:
    """As base/ is, or, once there is a lock, as base/ was when it was promoted."""
    overlay = PROJECT / "overlays" / name
    lock = overlay / "release.lock.yaml"
    if not lock.exists():
        assert tree(overlay / "release") == tree(PROJECT / "base")
        return
    components = yaml.safe_load(lock.read_text())["components"]
    assert components.keys() == {path.name for path in (overlay / "release").iterdir()}
    for component, entry in components.items():
        if not git(PROJECT, "ls-tree", entry["origin"]["commit"]):
            continue  # rule R2 says so
        listed = git(PROJECT, "ls-tree", "-r", entry["origin"]["commit"], f"base/{component}/").splitlines()
        held = git(PROJECT, "ls-files", "--stage", f"overlays/{name}/release/{component}").splitlines()
        assert [line.split()[2].partition("\t")[0] for line in listed] == [line.split()[1] for line in held]


@pytest.mark.parametrize("name", NAMES)
def test_only_dev_enables_a_response(name: str) -> None:
    shipped = "capture-evidence contain-pod delete-pod isolate-pod label-pod notify scale-down".split()
    enabled = shipped if name == "dev" else []
    assert sorted(item["metadata"]["name"] for item in of(name, "Sensor")) == enabled
    people_too = [*enabled, "release-pod"] if name == "dev" else []
    assert sorted(item["metadata"]["name"] for item in of(name, "WorkflowTemplate")) == sorted(people_too)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_bound_in_the_whole_cluster(name: str) -> None:
    """cordon-node would be, and is enabled nowhere."""
    assert of(name, "ClusterRoleBinding") == []
    assert "cordon-node" not in str(
        [item["metadata"]["name"] for kind in ("ConfigMap", "Sensor") for item in of(name, kind)]
    )


@pytest.mark.parametrize(
    ("targets", "namespace", "matches"),
    [
        ([], "", False),
        ([], "shop", False),
        ([], "$.^", False),
        (["shop"], "shop", True),
        (["shop"], "shop-2", False),
        (["shop"], "my-shop", False),
        (["shop"], "shop\n", False),
        (["a-b", "c"], "c", True),
        (["a-b", "c"], "a-b", True),
        (["a.b"], "axb", False),
    ],
)
def test_target_patterns_match_targets_and_nothing_else(targets: list[str], namespace: str, matches: bool) -> None:
    """With RE2, which is what Argo Events compiles them with, and unanchored, as it applies them."""
    assert bool(re2.search(pattern_of(targets), namespace)) is matches


def test_no_targets_is_what_staging_and_prod_ship() -> None:
    for environment in bundle().environments[1:]:
        assert environment.spec["targets"] == []
        assert environment.spec["targetPattern"] == NEVER


def test_the_way_back_is_pinned_to_what_the_chart_knows() -> None:
    """The EventBus names a version that the chart's controller has: any other is refused at run time."""
    versions = {dig(item, "spec", "jetstream", "version") for name in NAMES for item in of(name, "EventBus")}
    assert versions == {"2.10.10"}
