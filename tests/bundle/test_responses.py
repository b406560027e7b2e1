"""What each response is made of: alerts, filters, payload, template, rights, and the denials that a CNI may have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import re2
import yaml

from kre.load.bundle import load
from kre.model.resource import dig
from kre.rules.run import validate
from support import rights
from support.repository import PROJECT
from support.whole import CORDON, REASON, copied, everything, whole, with_cordon
from support.whole import edit as replace

OPTIONS = PROJECT / "base/responses/options"
NAMES = sorted(folder.name for folder in OPTIONS.iterdir())
BY_ALERT = [name for name in NAMES if name != "release-pod"]
ALERTS = sorted(path.relative_to(OPTIONS).as_posix() for path in OPTIONS.glob("*/alerts/*.json"))
STOPPED = ("not-a-target", "not-a-name")  # alerts that go no further than the Sensor
PARAMETERS = ["namespace", "pod", "uid", "rule", "alert", "received", "mode"]
PAYLOAD = {"namespace", "pod", "uid", "container", "rule", "alert", "time"}
LANES = {
    "capture-evidence.lane": "workflow",
    "contain-pod.lane": "workflow",
    "cordon-node.lane": "workflow",
    "delete-pod.lane": "workflow",
    "isolate-pod.lane": "label",
    "label-pod.lane": "workflow",
    "notify.lane": "workflow",
    "scale-down.lane": "workflow",
}

RIGHTS = {**rights.RESPONSES, "dispatcher": rights.DISPATCHER}


def dev() -> dict[tuple[str, str], dict[str, Any]]:
    """What dev renders with every response enabled, by kind and name; the dispatcher's settings are kept apart."""
    return everything()


def filters(name: str) -> dict[str, list[str]]:
    dependency = dev()["Sensor", name]["spec"]["dependencies"][0]
    return {entry["path"]: entry["value"] for entry in dependency["filters"]["data"]}


def value(path: str, alert: dict[str, Any]) -> str:
    found: Any = {"body": alert}
    for step in re.findall(r"(?:\\.|[^.\\])+", path):
        found = found[step.replace("\\", "")]
    return str(found)


def passes(name: str, alert: dict[str, Any]) -> bool:
    known = filters(name).items()
    return all(any(re2.search(pattern, value(path, alert)) for pattern in patterns) for path, patterns in known)


@pytest.mark.parametrize("name", NAMES)
def test_page_says_what_it_will_not_do_and_how_to_undo_it(name: str) -> None:
    page = (OPTIONS / name / "README.md").read_text()
    assert page.startswith(f"# {name}\n")
    for said in ("Alerts", "When to use it", "What it needs", "What it will not do", "How to undo it"):
        assert f"- **{said}**:" in page
    assert [line for line in page.splitlines() if len(line) > 120 and not line.startswith("|")] == []


@pytest.mark.parametrize("name", BY_ALERT)
def test_every_rule_it_is_bound_to_has_a_recorded_alert(name: str) -> None:
    (pattern,) = filters(name)["body.rule"]
    bound = set(pattern.removeprefix("^(").removesuffix(")$").split("|"))
    recorded = [json.loads(path.read_text())["rule"] for path in OPTIONS.glob(f"{name}/alerts/*.json")]
    assert set(recorded) == bound
    assert len(recorded) >= 3


@pytest.mark.parametrize("path", ALERTS)
def test_an_alert_is_one_and_reaches_its_own_response_alone(path: str) -> None:
    alert = json.loads((OPTIONS / path).read_text())
    assert list(alert) == "uuid output priority rule time output_fields source tags hostname".split()
    assert {"container.full_id", "k8s.pod.uid", "k8s.pod.name", "k8s.ns.name"} <= set(alert["output_fields"])
    assert alert["tags"] == sorted(alert["tags"])
    wanted = [] if path.endswith(tuple(f"{word}.json" for word in STOPPED)) else [path.split("/", maxsplit=1)[0]]
    assert [name for name in BY_ALERT if passes(name, alert)] == wanted


def test_every_alert_has_an_id_of_its_own() -> None:
    """But the one that comes twice."""
    found = [json.loads((OPTIONS / path).read_text())["uuid"] for path in ALERTS if "again" not in path]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", BY_ALERT)
def test_seven_fields_leave_the_sensor_and_it_asks_until_it_is_answered(name: str) -> None:
    spec = dev()["Sensor", name]["spec"]
    (trigger,) = spec["triggers"]
    assert spec["template"]["serviceAccountName"] == "sensor"
    assert set(trigger["template"]) == {"name", "http"}
    assert {entry["dest"] for entry in trigger["template"]["http"]["payload"]} == PAYLOAD
    assert all("dataTemplate" not in entry["src"] for entry in trigger["template"]["http"]["payload"])
    assert trigger["atLeastOnce"]
    assert trigger["policy"] == {"status": {"allow": [200]}}
    assert trigger["retryStrategy"]["steps"] == 120


def test_lanes() -> None:
    data = dev()["ConfigMap", "settings"]["data"]
    assert {key: lane for key, lane in data.items() if key.endswith(".lane")} == LANES


@pytest.mark.parametrize("name", NAMES)
def test_a_template_takes_identifiers_and_waits_for_a_person_in_mode_approve(name: str) -> None:
    spec = dev()["WorkflowTemplate", name]["spec"]
    templates = {entry["name"]: entry for entry in spec["templates"]}
    assert templates.keys() == {"respond", "approval", "act", "exit", "record"}
    assert (spec["entrypoint"], spec["onExit"]) == ("respond", "exit")
    assert [entry["name"] for entry in spec["arguments"]["parameters"]] == PARAMETERS
    first = templates["respond"]["steps"][0][0]
    assert (first["template"], first["when"]) == ("approval", "'{{inputs.parameters.mode}}' == 'approve'")
    assert [entry["name"] for entry in first["arguments"]["parameters"]] == PARAMETERS
    assert templates["approval"]["suspend"] == {}, "with a duration it would go on by itself"
    assert "suspend" not in spec
    alone = [{"name": CORDON}] if name == CORDON else []
    assert templates["act"]["synchronization"] == {"mutexes": [{"name": "{{inputs.parameters.uid}}"}, *alone]}
    assert "synchronization" not in templates["record"]
    for template in (templates["act"], templates["record"]):
        told = {entry["name"]: entry.get("value") for entry in template["container"]["env"]}
        assert told["KRE_RESPONSE"] == name
        assert {f"KRE_{word.upper()}" for word in PARAMETERS} <= told.keys()
        assert template["activeDeadlineSeconds"] == 180
        assert not template["container"].get("args")


def test_only_notify_is_told_of_the_webhook() -> None:
    for name in NAMES:
        assert ("KRE_WEBHOOK" in str(dev()["WorkflowTemplate", name])) == (name == "notify")


def test_nothing_is_deleted_that_was_not_isolated_first() -> None:
    templates = {entry["name"]: entry for entry in dev()["WorkflowTemplate", "contain-pod"]["spec"]["templates"]}
    steps = [step for group in templates["respond"]["steps"] for step in group]
    assert [step["name"] for step in steps] == ["approval", "isolate", "record", "delete"]
    actions = [step["arguments"]["parameters"][-1]["value"] for step in steps[1:]]
    assert actions == ["isolate", "notify", "delete"]
    outcome = "'{{steps.isolate.outputs.parameters.outcome}}'"
    assert [step.get("when") for step in steps[1:]] == [
        None,
        *[f"{outcome} == 'isolated' || {outcome} == 'partly-isolated'"] * 2,
    ]


@pytest.mark.parametrize("name", RIGHTS)
def test_rights_in_a_target_are_these_and_no_others(name: str) -> None:
    granted = {
        (verb, group, resource)
        for entry in dev()["ClusterRole", f"kre-{name}"]["rules"]
        for group in entry["apiGroups"]
        for resource in entry["resources"]
        for verb in entry["verbs"]
    }
    assert granted == RIGHTS[name]


def test_what_cordon_node_holds_of_nodes_is_bound_to_it_alone() -> None:
    """The one ClusterRoleBinding, of the one response that no environment ships with."""
    bound = [item for item in whole().resources if item.kind == "ClusterRoleBinding"]
    assert [(item.name, item.body["subjects"]) for item in bound] == [
        ("kre-cordon-node-nodes", [{"kind": "ServiceAccount", "name": CORDON, "namespace": "kre-responses"}])
    ]
    (entry,) = dev()["ClusterRole", "kre-cordon-node-nodes"]["rules"]
    assert entry == {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "patch"]}


def test_cordon_node_is_enabled_as_its_page_says(tmp_path: Path) -> None:
    """By the command, an admin's line in the project, and the reason in the budget."""
    with_cordon(tmp_path)
    page = (OPTIONS / CORDON / "README.md").read_text()
    assert "{group: rbac.authorization.k8s.io, kind: ClusterRoleBinding, name: kre-cordon-node-nodes}" in page
    assert "kre response enable cordon-node --env dev" in page
    assert "kre rbac budget --env dev --write" in page
    assert f"reason: {REASON}" in page
    assert validate(load(tmp_path, ["dev"])) == []


def test_evidence_as_an_artifact_as_its_page_says(tmp_path: Path) -> None:
    leaf = copied(tmp_path) / "overlays/dev/leaves/responses/kustomization.yaml"
    mine = "- ../../../../base/responses/options/capture-evidence\n"
    assert f"{mine.rstrip()}/artifact" in (OPTIONS / "capture-evidence/README.md").read_text()
    replace(leaf, mine, f"{mine}{mine.rstrip()}/artifact\n")
    bundle = load(tmp_path, ["dev"])
    assert validate(bundle) == []
    (found,) = [item.body for item in bundle.of("dev", "WorkflowTemplate") if item.name == "capture-evidence"]
    templates = {entry["name"]: entry for entry in found["spec"]["templates"]}
    assert templates["act"]["outputs"]["artifacts"] == [{"name": "evidence", "path": "/out/evidence", "optional": True}]
    told = [
        {entry["name"]: entry.get("value") for entry in templates[step]["container"]["env"]}
        for step in ("act", "record")
    ]
    assert [(env.get("KRE_EVIDENCE"), env["KRE_ACTION"]) for env in told] == [("artifact", "capture"), (None, "upload")]
    (size,) = [volume["emptyDir"]["sizeLimit"] for volume in found["spec"]["volumes"] if volume["name"] == "out"]
    assert size == "16Mi", "more than the responder writes there"


def test_rights_in_the_engines_own_namespaces() -> None:
    held = {
        name: {
            (resource, verb) for entry in body["rules"] for resource in entry["resources"] for verb in entry["verbs"]
        }
        for (kind, name), body in dev().items()
        if kind == "Role" and name.startswith(("dispatcher", "approver", "operator", "executor", "sensor"))
    }
    assert held == {
        "approver": {("workflows", verb) for verb in ("get", "list", "watch", "patch")},
        "dispatcher-leases": {("leases", verb) for verb in ("create", "get", "update")},
        "dispatcher-workflows": {("workflows", "create")},
        "executor": {("workflowtaskresults", "create"), ("workflowtaskresults", "patch")},
        "operator": {("workflows", verb) for verb in ("get", "list", "watch", "create")},
    }


def test_sensors_hold_no_right_at_all() -> None:
    bound = [body for (kind, _), body in dev().items() if kind in ("RoleBinding", "ClusterRoleBinding")]
    assert bound
    names = [subject["name"] for body in bound for subject in body["subjects"]]
    assert "sensor" not in names
    assert not any("serviceaccounts" in name for name in names), "a group of all accounts has the Sensors in it"


def test_only_sensors_reach_the_dispatcher_and_it_reaches_the_api_server_alone() -> None:
    spec = dev()["NetworkPolicy", "dispatcher"]["spec"]
    assert spec["podSelector"]["matchLabels"] == dig(
        dev()["Deployment", "dispatcher"], *"spec selector matchLabels".split()
    )
    assert spec["ingress"] == [
        {
            "from": [{"podSelector": {"matchExpressions": [{"key": "sensor-name", "operator": "Exists"}]}}],
            "ports": [{"port": 8080}],
        },
        {
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "ports": [{"port": 8081}],
        },
    ]
    assert spec["egress"] == [{"ports": [{"port": 443}, {"port": 6443}]}]
    sensor = dev()["NetworkPolicy", "sensor"]["spec"]
    assert all("to" in rule for rule in sensor["egress"])
    assert [port["port"] for rule in sensor["egress"] for port in rule["ports"]] == [4222, 8080]


@pytest.mark.parametrize("name", sorted(folder.name for folder in (OPTIONS / "isolate-pod/deny").iterdir()))
def test_a_denial_is_chosen_as_the_page_says(name: str, tmp_path: Path) -> None:
    copied(tmp_path)

    def edit(file: str, before: str, after: str) -> None:
        replace(tmp_path / file, before, after)

    option = next((OPTIONS / "isolate-pod/deny" / name).glob("kre-quarantine-*.yaml"))
    body = yaml.safe_load(option.read_text())
    kind = f"{body['apiVersion']}/{body['kind']}"
    assert f"| `{kind}` |" in (OPTIONS / "isolate-pod/README.md").read_text()
    mine = "- ../../../../base/responses/options/isolate-pod\n"
    edit("overlays/dev/leaves/responses/kustomization.yaml", mine, f"{mine}{mine.rstrip()}/deny/{name}\n")
    allowed = {"group": body["apiVersion"].split("/")[0], "kind": body["kind"], "name": "kre-quarantine"}
    edit(
        "apps/dev/kre-dev-appproject.yaml",
        "  clusterResourceWhitelist:\n",
        f"  clusterResourceWhitelist:\n  - {allowed}\n",
    )
    edit("kre.yaml", "kinds:", f"kinds:\n- {{kind: {kind}, reason: denies}}")
    bundle = load(tmp_path, ["dev"])
    assert validate(bundle) == []
    assert (body["kind"], "kre-quarantine") in [(item.kind, item.name) for item in bundle.of("dev")]
