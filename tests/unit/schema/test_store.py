"""What is stored: found, as locked, and made again from its sources."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from kre.errors import UsageError
from kre.schema import store, update


def test_every_schema_is_one_and_small() -> None:
    paths = [path for path in store.FOLDER.rglob("*.json") if path != store.LOCK]
    assert len(paths) > 100
    for path in paths:
        schema = json.loads(path.read_bytes())
        Draft202012Validator.check_schema(schema)
        assert '"description":"' not in path.read_text()
        assert path.stat().st_size < 64 * 1024, path
    assert sum(path.stat().st_size for path in paths) < 1_500_000


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        *[
            ("argoproj.io/v1alpha1", kind)
            for kind in ("EventBus", "EventSource", "Sensor", "Workflow", "WorkflowTemplate")
        ],
        *[
            ("argoproj.io/v1alpha1", kind)
            for kind in ("CronWorkflow", "ClusterWorkflowTemplate", "WorkflowEventBinding")
        ],
        *[("argoproj.io/v1alpha1", kind) for kind in ("Application", "ApplicationSet", "AppProject")],
        *[("v1", kind) for kind in ("Pod", "Service", "ConfigMap", "Secret", "Namespace", "ServiceAccount")],
        *[("apps/v1", kind) for kind in ("Deployment", "DaemonSet", "StatefulSet")],
        *[
            ("rbac.authorization.k8s.io/v1", kind)
            for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
        ],
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("policy/v1", "PodDisruptionBudget"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
        *[("monitoring.coreos.com/v1", kind) for kind in ("PodMonitor", "PrometheusRule", "ServiceMonitor")],
    ],
)
def test_kinds(version: str, kind: str) -> None:
    schema = store.schema_of(version, kind)
    assert schema is not None
    assert schema["additionalProperties"] is False
    assert (version, kind) in store.kinds()


@pytest.mark.parametrize(
    ("version", "kind"), [("v1", "pod"), ("v2", "Pod"), ("example.com/v1", "Pod"), ("", ""), ("../v1", "Pod")]
)
def test_no_kinds(version: str, kind: str) -> None:
    assert store.schema_of(version, kind) is None


def test_verify() -> None:
    assert update.verify() == []


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored schemas that a test may change."""
    shutil.copytree(store.FOLDER.parent, tmp_path / "schema", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monkeypatch.setattr(store, "FOLDER", tmp_path / "schema/data")
    monkeypatch.setattr(store, "LOCK", tmp_path / "schema/data/lock.json")
    store.lock.cache_clear()
    yield tmp_path / "schema/data"
    store.lock.cache_clear()


def test_verify_names_what_is_wrong(copy: Path) -> None:
    (copy / "v1/pod_v1.json").write_text("{}\n")
    (copy / "v1/service_v1.json").unlink()
    (copy / "v1/extra_v1.json").write_text("{}")
    wrong = update.verify()
    assert [line.split(":")[0] for line in wrong] == ["v1/service_v1.json", "v1/extra_v1.json", "v1/pod_v1.json"]
    assert hashlib.sha256(b"{}\n").hexdigest() in wrong[2]


CRD = """
spec:
  group: example.com
  names: {kind: Widget}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        description: a widget
        properties:
          apiVersion: {type: string}
          kind: {type: string}
          metadata: {type: object}
          spec: {type: object, properties: {size: {type: integer, format: int32}}}
"""
KUBERNETES = {
    "definitions": {
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
        },
        "io.k8s.api.core.v1.Thing": {
            "type": "object",
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
                "size": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity"},
            },
            "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Thing"}],
        },
        "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
    }
}


@pytest.fixture
def upstream(copy: Path, tmp_path: Path) -> Path:
    """Sources of our own, and sources.yaml that names them."""
    (copy.parent / "sources.yaml").write_text(
        yaml.safe_dump(
            {
                "sources": [
                    {"project": "a/b", "version": "v1", "path": "api/swagger.json", "as": "openapi"},
                    {"project": "a/c", "version": "v2", "path": "crds/widget.yaml", "as": "crd"},
                    {
                        "project": "a/d",
                        "version": "v3",
                        "path": "charts/x/values.yaml",
                        "as": "chart",
                        "chart": "x 1.0.0",
                    },
                ]
            }
        )
    )
    folder = tmp_path / "upstream"
    (folder / "x").mkdir(parents=True)
    (folder / "swagger.json").write_text(json.dumps(KUBERNETES))
    (folder / "widget.yaml").write_text(CRD)
    (folder / "x/values.yaml").write_text("enabled: false\nimage: {tag: ''}\nannotations: {a: b}\n")
    return folder


def test_update_makes_everything_anew(copy: Path, upstream: Path) -> None:
    changes = {change.path: change.what for change in update.update([upstream])}
    assert changes["v1/pod_v1.json"] == "removed"
    assert {path for path, what in changes.items() if what == "added"} == {
        *("v1/thing_v1.json", "example.com/widget_v1.json", "charts/x_1.0.0.json"),
    }
    store.lock.cache_clear()
    assert update.verify() == []
    lock = json.loads((copy / "lock.json").read_bytes())
    assert lock["sources"][1] | {"sha256": ""} == {
        "project": "a/c",
        "version": "v2",
        "path": "crds/widget.yaml",
        "sha256": "",
    }
    assert lock["sources"][1]["sha256"] == hashlib.sha256(CRD.encode()).hexdigest()
    widget = Draft202012Validator(json.loads((copy / "example.com/widget_v1.json").read_bytes()))
    good = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    assert widget.is_valid(good)
    assert not widget.is_valid(good | {"spec": {"sise": 1}})
    assert not widget.is_valid(good | {"metadata": {"nmae": "w"}})
    assert not widget.is_valid(good | {"spec": {"size": 2**31}})
    chart = Draft202012Validator(json.loads((copy / "charts/x_1.0.0.json").read_bytes()))
    assert chart.is_valid({"enabled": True, "annotations": {"any": "thing"}})
    assert not chart.is_valid({"enabled": "true"})
    assert not chart.is_valid({"image": {"tga": ""}})


def test_update_twice_changes_nothing(copy: Path, upstream: Path) -> None:
    update.update([upstream])
    assert {change.what for change in update.update([upstream])} == {"same"}


def test_update_without_all_sources_writes_nothing(copy: Path, upstream: Path) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("*.json")}
    (upstream / "widget.yaml").unlink()
    with pytest.raises(UsageError, match=r"not found below .*: crds/widget\.yaml"):
        update.update([upstream])
    assert {path: path.read_bytes() for path in copy.rglob("*.json")} == before


def test_update_does_not_guess(copy: Path, upstream: Path, tmp_path: Path) -> None:
    (upstream / "y").mkdir()
    (upstream / "y/widget.yaml").write_text("other: true")
    with pytest.raises(UsageError, match="there more than once, with different content"):
        update.update([upstream])
