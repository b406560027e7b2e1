"""base/monitoring, enabled as its page says: it renders, it is allowed, and opens what it must alone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from kre.load.bundle import load
from kre.model.bundle import Bundle
from kre.model.resource import Resource, dig
from kre.rules.run import validate
from safety.promises.network import Pod, selects
from support import promql
from support.promoted import promoted
from support.repository import PROJECT

PAGE = (PROJECT / "base/monitoring/README.md").read_text()
STEP = re.compile(
    r"^\d+\. `(?P<file>[^`]+)`(?P<more>(?:(?!^\d+\.).)*?)^   ```yaml\n(?P<body>.*?)^   ```", re.DOTALL | re.MULTILINE
)
SPACES = {"kre-pipeline", "argo-events", "argo-workflows", "falco"}
PODS = {
    "eventsource": Pod("kre-pipeline", {"eventsource-name": "falco", "controller": "eventsource-controller"}),
    "sensor": Pod("kre-pipeline", {"sensor-name": "delete-pod", "controller": "sensor-controller"}),
    "bus": Pod("kre-pipeline", {"controller": "eventbus-controller", "eventbus-name": "default"}),
    "intake": Pod("kre-pipeline", {"app.kubernetes.io/name": "intake"}),
    "dispatcher": Pod("kre-pipeline", {"app.kubernetes.io/name": "dispatcher"}),
    "falcosidekick": Pod("falco", {"app.kubernetes.io/name": "falcosidekick"}),
    "falco": Pod("falco", {"app.kubernetes.io/name": "falco"}),
    "responder": Pod("kre-responses", {"workflows.argoproj.io/workflow": "one"}),
    "other": Pod("kre-pipeline"),
}


def enable(root: Path, env: str, *, but: str = "nothing") -> None:
    """The steps of the page."""
    page = PAGE if env == "dev" else re.sub(r"- \S+ # staging and prod: (\S+)", r"- \1", PAGE)
    for found in STEP.finditer(page):
        file = found["file"].replace("<env>", env)
        if but in file:
            continue
        new = yaml.safe_load(found["body"])
        path = root / file
        old = yaml.safe_load(path.read_text()) if path.exists() else {}
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(merged(old, new)))


def merged(old: Any, new: Any) -> Any:
    """Mappings by key, lists one after the other."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old.get(key), value) for key, value in new.items()}
    return [*old, *new] if isinstance(old, list) and isinstance(new, list) else new


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    for folder in ("apps", "base", "overlays"):
        shutil.copytree(promoted() / folder, root / folder)
    shutil.copy(PROJECT / "kre.yaml", root)
    for env in ("dev", "staging"):
        enable(root, env)
    return root


@pytest.fixture(scope="module")
def bundle(copy: Path) -> Bundle:
    return load(copy, ["dev", "staging"])


def added(bundle: Bundle, env: str = "dev") -> list[Resource]:
    """What the leaf renders."""
    return [item for item in bundle.resources if item.root == f"overlays/{env}/leaves/monitoring"]


def test_it_is_shipped_in_no_environment() -> None:
    assert not {"PodMonitor", "PrometheusRule"} & {resource.kind for resource in load(PROJECT).resources}


def test_enabled_it_is_valid(bundle: Bundle) -> None:
    assert [item for item in validate(bundle) if item.rule != "R2"] == []
    for env in ("dev", "staging"):
        made = {item.kind for item in added(bundle, env)}
        assert made == {"PodMonitor", "PrometheusRule", "NetworkPolicy", "ConfigMap"}
        (application,) = [item for item in bundle.of(env, "Application") if item.name == f"{env}-monitoring"]
        assert dig(application.body, "spec", "project") == f"kre-{env}"
        assert dig(application.body, "spec", "source", "path") == f"overlays/{env}/leaves/monitoring"


def test_nobody_is_given_a_right(bundle: Bundle) -> None:
    kinds = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ServiceAccount", "Secret"}
    assert not kinds & {item.kind for item in added(bundle)}


def test_without_the_admin_the_project_refuses_it(tmp_path: Path) -> None:
    for folder in ("apps", "base", "overlays"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    shutil.copy(PROJECT / "kre.yaml", tmp_path)
    enable(tmp_path, "dev", but="appproject")
    refused = "\n".join(item.message for item in validate(load(tmp_path, ["dev"])) if item.rule == "E15")
    assert "PodMonitor" in refused
    assert "PrometheusRule" in refused


def opened(policies: list[Resource], pod: Pod, peer: Pod) -> set[object]:
    """Ports of `pod` that these let `peer` reach; "every" for all."""
    ports: set[object] = set()
    for policy in policies:
        spec = policy.body["spec"]
        if policy.namespace != pod.namespace or not selects(spec["podSelector"], pod.labels):
            continue
        for rule in spec.get("ingress", []):
            for one in rule.get("from", [{"namespaceSelector": {}}]):
                spaces = one.get("namespaceSelector")
                there = (
                    peer.namespace == pod.namespace
                    if spaces is None
                    else selects(spaces, {"kubernetes.io/metadata.name": peer.namespace})
                )
                if there and selects(one.get("podSelector"), peer.labels):
                    ports |= {port["port"] for port in rule.get("ports", [])} or {"every"}
    return ports


def test_prometheus_reaches_what_it_scrapes_and_nothing_else(bundle: Bundle) -> None:
    prometheus = Pod("monitoring", {"app.kubernetes.io/name": "prometheus"})
    policies = list(bundle.of("dev", "NetworkPolicy"))
    found = {name: opened(policies, pod, prometheus) for name, pod in PODS.items()}
    nothing: set[object] = set()
    assert found == dict.fromkeys(PODS, nothing) | {
        "eventsource": {7777},
        "sensor": {7777},
        "bus": {7777},
        "dispatcher": {8081},
        "intake": {8081},
        "falcosidekick": {2810},
    }


def test_nobody_else_is_let_in(bundle: Bundle) -> None:
    ours = [item for item in added(bundle) if item.kind == "NetworkPolicy"]
    assert len(ours) == 2
    for peer in [*PODS.values(), Pod("default", {"app.kubernetes.io/name": "prometheus"})]:
        assert [opened(ours, pod, peer) for pod in PODS.values()] == [set()] * len(PODS)
    assert [item.body["spec"]["policyTypes"] for item in ours] == [["Ingress"]] * 2


def test_each_podmonitor_finds_a_port_that_is_open(bundle: Bundle) -> None:
    """By the ports that Argo Events, the charts and our Deployments name so; of the namespaces that the page names."""
    ports = {"metrics": {"kre-pipeline": 7777}, "status": {"kre-pipeline": 8081}, "http-notls": {"falco": 2810}}
    prometheus = Pod("monitoring")
    policies = list(bundle.of("dev", "NetworkPolicy"))
    monitors = [item for item in added(bundle) if item.kind == "PodMonitor"]
    assert {item.name for item in monitors} == {
        *(
            "argo-events",
            "argo-workflows",
            "dispatcher",
            "eventbus",
            "eventsource",
            "falcosidekick",
            "intake",
            "recorder",
            "sensor",
        )
    }
    for monitor in monitors:
        spaces = dig(monitor.body, "spec", "namespaceSelector", "matchNames") or [monitor.namespace]
        assert set(spaces) <= SPACES
        (endpoint,) = dig(monitor.body, "spec", "podMetricsEndpoints")
        for pod in PODS.values():
            if pod.namespace in spaces and selects(monitor.body["spec"]["selector"], pod.labels):
                assert ports[endpoint["port"]][pod.namespace] in opened(policies, pod, prometheus), monitor.name


def test_the_dashboard_has_the_label_that_the_sidecar_looks_for(bundle: Bundle) -> None:
    (board,) = [item for item in added(bundle) if item.kind == "ConfigMap"]
    assert dig(board.body, "metadata", "labels", "grafana_dashboard") == "1"
    assert dig(board.body, "data").keys() == {"kre.json"}
    assert dig(board.body, "data", "kre.json") == (promql.MANIFESTS / "kre.json").read_text()
    assert len(dig(board.body, "data", "kre.json")) < 200_000  # kubectl apply keeps a copy in an annotation
