"""A value in a rendered object leads back to the line that says so: in the object's file, a patch, or a fact."""

from __future__ import annotations

from pathlib import Path

import pytest

from kre.load.bundle import load
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.resource import Pointer, Resource

FILES = {
    "base/kustomization.yaml": "resources: [deploy.yaml]\nconfigMapGenerator:\n- name: conf\n  literals: [a=b]\n",
    "base/deploy.yaml": """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: one
        image: one:1
      - name: two
        image: two:1
""",
    "top/kustomization.yaml": """namePrefix: dev-
resources: [../base, facts.yaml]
patches:
- path: merge.yaml
- path: json.yaml
  target: {kind: Deployment}
replacements:
- source: {kind: Facts, fieldPath: spec.port}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=one].env.[name=PORT].value"]
""",
    "top/merge.yaml": """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 5
  template:
    spec:
      containers:
      - name: two
        image: two:2
      - name: one
        env:
        - name: PORT
          value: PLACEHOLDER
""",
    "top/json.yaml": """- op: add
  path: /spec/template/spec/containers/0/args
  value: [a, b]
- op: add
  path: /metadata/annotations
  value:
    note/a: x
""",
    "top/facts.yaml": """apiVersion: kre/v1
kind: Facts
metadata:
  name: facts
  annotations: {config.kubernetes.io/local-config: "true"}
spec:
  port: "8080"
""",
}


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return load(tmp_path)


def named(bundle: Bundle, kind: str) -> Resource:
    return next(resource for resource in bundle.resources if resource.kind == kind)


CONTAINERS: Pointer = ("spec", "template", "spec", "containers")


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ((), "base/deploy.yaml:1:1"),
        (("metadata", "name"), "base/deploy.yaml:4:3"),  # renamed by a prefix: the name's own line
        (("spec", "replicas"), "top/merge.yaml:6:3"),
        (("spec", "selector"), "base/deploy.yaml:7:3"),
        (("spec", "template", "metadata", "labels", "app"), "base/deploy.yaml:9:25"),
        (("metadata", "annotations", "note/a"), "top/json.yaml:7:5"),
        (("spec", "nothing"), "base/deploy.yaml:5:1"),
    ],
)
def test_fields(bundle: Bundle, pointer: Pointer, expected: str) -> None:
    assert str(place(bundle, named(bundle, "Deployment"), pointer)) == expected


@pytest.mark.parametrize(
    ("container", "steps", "expected"),
    [
        ("one", ("image",), "base/deploy.yaml:13:9"),
        ("two", ("image",), "top/merge.yaml:11:9"),
        ("one", ("env", 0, "value"), "top/facts.yaml:7:3"),
        ("one", ("env", 0, "name"), "top/merge.yaml:14:11"),
    ],
)
def test_list_elements_are_told_by_name(bundle: Bundle, container: str, steps: Pointer, expected: str) -> None:
    deployment = named(bundle, "Deployment")
    containers = deployment.body["spec"]["template"]["spec"]["containers"]
    index = next(index for index, entry in enumerate(containers) if entry["name"] == container)
    assert str(place(bundle, deployment, (*CONTAINERS, index, *steps))) == expected


def test_generated(bundle: Bundle) -> None:
    made = named(bundle, "ConfigMap")
    assert made.generated
    assert str(place(bundle, made, ("data", "a"))) == "base/kustomization.yaml:3:3"


def test_what_was_added_by_a_json_patch(bundle: Bundle) -> None:
    deployment = named(bundle, "Deployment")
    assert str(place(bundle, deployment, (*CONTAINERS, 0, "args", 1))) == "top/json.yaml:3:14"
