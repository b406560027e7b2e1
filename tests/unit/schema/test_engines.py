"""Both engines, the same schemas, the same objects: the same verdict, in the same words, at the same place."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import yaml

from kre.load.bundle import load
from kre.schema import jsonschema_engine, kubeconform_engine
from kre.schema.violation import Violation
from support.mutate import changed
from support.repository import PROJECT

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "x"},
    "spec": {"containers": [{"name": "c"}]},
}
FAULTS = """
{apiVersion: v1, kind: ConfigMap, metadata: {name: x, lables: {}}, data: {b: 1}, foo: 1, bar/baz: {}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: x}
spec:
  replicas: "2"
  selector: {}
  template: {spec: {containers: [{name: a, imge: b, ports: [{containerPort: 99999999999}]}]}}
---
apiVersion: argoproj.io/v1alpha1
kind: Sensor
metadata: {name: x}
spec:
  dependencies: [{name: a, eventSourceName: b}]
  triggers: [{template: {name: x, k8s: {operation: Create}}}]
---
{apiVersion: v1, kind: Secret, metadata: {name: x}, data: {"it's/~ a: b' - at '": "!!"}, type: null}
---
apiVersion: v1
kind: Pod
metadata: {name: x}
spec: {containers: [{name: a, resources: {limits: {cpu: 1x, memory: 5}}}]}
---
{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{port: http}, {}]}}
---
{apiVersion: argoproj.io/v1alpha1, kind: EventBus, metadata: {name: x}, spec: {jetstream: {replicas: 3}}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: x}
spec: {templates: [{name: a, container: {image: x, comand: [a]}}], activeDeadlineSeconds: {}}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: x}
spec: {project: a, destination: {}, sorce: {}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: x}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: x}
spec: {podSelector: {}, ingress: [{from: {}}]}
"""
BROKEN = list(yaml.safe_load_all(FAULTS))


def both(bodies: list[Any]) -> list[tuple[list[Violation], list[Violation]]]:
    inside = [jsonschema_engine.check(body, body["apiVersion"], body["kind"]) for body in bodies]
    return list(zip(inside, kubeconform_engine.check_all(bodies), strict=True))


@pytest.fixture(scope="module")
def good() -> list[dict[str, Any]]:
    """Every object of the bundle, once."""
    return [dict(body) for body in {str(item.body): item.body for item in load(PROJECT).resources}.values()]


def test_good_objects(good: list[dict[str, Any]]) -> None:
    assert len(good) > 50
    assert all(not inside and not outside for inside, outside in both(good))


def test_broken_objects_in_the_same_words() -> None:
    for body, (inside, outside) in zip(BROKEN, both(BROKEN), strict=True):
        assert inside, body
        assert inside == outside


@pytest.mark.parametrize("metadata", [[], "x", None, {"name": 1}, {"name": ["x"]}])
def test_what_kubeconform_can_not_even_read(metadata: Any) -> None:
    ((inside, outside),) = both([POD | {"metadata": metadata}])
    assert bool(inside) is bool(outside) is True


@pytest.mark.parametrize("seed", range(5))
def test_any_fault_is_seen_by_both(good: list[dict[str, Any]], seed: int) -> None:
    """Four hundred objects of the bundle, each with a random change at a random place."""
    random = Random(seed)
    bodies = [changed(random.choice(good), random) for _ in range(400)]
    verdicts = both(bodies)
    assert 100 < sum(bool(inside) for inside, _ in verdicts) < 390
    for body, (inside, outside) in zip(bodies, verdicts, strict=True):
        assert bool(inside) == bool(outside), body
        head = body["metadata"] if isinstance(body.get("metadata"), dict) else {}
        names = [head.get(key, "") for key in ("name", "namespace", "generateName")]
        if head and all(isinstance(name, str) for name in names):  # else kubeconform has but one word for it
            assert {item.pointer for item in inside} == {item.pointer for item in outside}, body


LETTERS = [chr(code) for code in (*range(0x300), 0x2028, 0x2029, 0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0x1F600, 0x10FFFF)]


def test_any_letter_reaches_kubeconform() -> None:
    """As a value, as a field's name, and back again in what it says."""
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    valued = [head | {"data": {"key": f"a{letter}b"}} for letter in LETTERS]
    assert all(inside == outside == [] for inside, outside in both(valued))
    named = [head | {"data": {f"a{letter}b": 1}} for letter in LETTERS]
    for letter, (inside, outside) in zip(LETTERS, both(named), strict=True):
        assert inside, letter
        assert inside == outside, ascii(letter)


def test_order_and_number_do_not_matter(good: list[dict[str, Any]]) -> None:
    broken = POD | {"spec": {"containers": [{"nme": "c"}]}}
    mixed = [*good[:10], broken, *good[10:30], broken]
    assert [bool(found) for found in kubeconform_engine.check_all(mixed)] == [item is broken for item in mixed]
