"""Which pods a response never touches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import Fault, namespace, pod, trouble
from support.engine import ACTIONS, OTHER_UID, REQUESTED, UID, code, engine, shop

TOUCHING = [action for action in ACTIONS if action != "release"]
MIRROR = "kubernetes.io/config.mirror"


@pytest.mark.parametrize(
    "name",
    "kube-system kube-public kube-node-lease kube-anything argocd argo argo-events argo-workflows argo-cd falco "
    "falco-system falcosidekick kre-pipeline kre-responses".split(),
)
def test_the_engine_and_the_cluster_are_protected_even_as_targets(tmp_path: Path, name: str) -> None:
    settings = {"targets": ".*", "protected-namespaces": ""}
    with engine(tmp_path, [pod(name, "web-1", UID)], settings) as it:
        for action in ACTIONS:
            ran = it.run(KRE_NAMESPACE=name, KRE_ACTION=action, **REQUESTED)
            assert ran.said == (0, "refused", "the namespace is protected")
        assert [one.resource for one in it.server.state.requests] == ["events"] * len(ACTIONS)
        assert it.touched == set()


@pytest.mark.parametrize("name", ["kub-system", "my-kube-system", "an-argo", "my-falco", "kre-pipelines", "kre"])
def test_only_whole_names_are_protected(tmp_path: Path, name: str) -> None:
    with engine(tmp_path, [pod(name, "web-1", UID)], {"targets": ".*", "protected-namespaces": "vau lt"}) as it:
        assert it.run(KRE_NAMESPACE=name).record["outcome"] == "deleted"


@pytest.mark.parametrize("listed", ["shop", " till shop ", "till\nshop\n"])
def test_listed_namespaces_are_protected(tmp_path: Path, listed: str) -> None:
    with engine(tmp_path, shop(), {"protected-namespaces": listed}) as it:
        assert it.run().said == (0, "refused", "the namespace is protected")


@pytest.mark.parametrize("targets", ["$.^", "^(till)$", "sho", "hop", "^shop", "shop$", "", "shop\n"])
@pytest.mark.parametrize("action", ACTIONS)
def test_whoever_is_no_target_is_left_alone(tmp_path: Path, action: str, targets: str) -> None:
    whole = targets.strip() in ("^shop", "shop$", "shop")  # an anchor too few is no hole: all of a name must match
    objects = shop(labels={"kre/quarantine": "true"}) if action == "release" else shop()
    with engine(tmp_path, objects, {"targets": targets}) as it:
        ran = it.run(KRE_ACTION=action, **REQUESTED)
        if whole:
            assert (ran.code, ran.record["outcome"]) != (0, "refused")
        else:
            assert ran.said == (0, "refused", "the namespace is not a target")
            assert [one.resource for one in it.server.state.requests] == ["events"]


def test_a_pattern_that_is_none_refuses(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), {"targets": "^(shop$"}) as it:
        ran = it.run()
        assert ran.said == (0, "refused", "setting targets is no pattern")
        assert it.touched == set()


@pytest.mark.parametrize("action", ACTIONS)
def test_another_pod_of_the_name_lives(tmp_path: Path, action: str) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.run(KRE_ACTION=action, KRE_UID=OTHER_UID, **REQUESTED)
        assert ran.said == (0, "refused", "another pod has this name now")
        assert (it.touched, it.changing) == (set(), [])
        assert it.events[0]["involvedObject"]["uid"] == OTHER_UID


@pytest.mark.parametrize("action", ACTIONS)
def test_a_pod_that_is_not_there_is_gone(tmp_path: Path, action: str) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.run(KRE_ACTION=action, KRE_POD="web-9", **REQUESTED)
        assert ran.said == (0, "gone", "there is no such pod")
        assert it.changing == []


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "deleted"])
@pytest.mark.parametrize("action", ["delete", "isolate", "release", "label"])
def test_a_pod_that_goes_between_look_and_act(tmp_path: Path, action: str, replaced: bool) -> None:
    """Just before the request that would change it, the pod is another one, or none."""
    with engine(tmp_path, shop(labels={"kre/quarantine": "true"} if action == "release" else {"app": "web"})) as it:

        def fault(asked: Any, _: int) -> Fault | None:
            if asked.verb in ("delete", "patch"):
                found = it.server.state.pods.pop(("shop", "web-1"), None)
                if found and replaced:
                    found["metadata"]["uid"] = OTHER_UID
                    it.server.state.add([found])
            return None

        it.server.fault = fault
        ran = it.run(KRE_ACTION=action, **REQUESTED)
        assert (ran.code, ran.record["outcome"] in ("gone", "refused")) == (0, True)
        assert [change.verb for change in it.server.changes] == ["create"], "the Event alone"
        assert bool(it.pod) is replaced


@pytest.mark.parametrize("action", TOUCHING)
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"annotations": {"kre/protected": "true"}}, "the pod is annotated kre/protected"),
        ({"annotations": {MIRROR: "abc"}}, "the pod is a static pod"),
        ({"annotations": {MIRROR: ""}}, "the pod is a static pod"),
        ({"owner": "DaemonSet"}, "the pod belongs to a DaemonSet"),
        ({"owner": "Node"}, "the pod belongs to a Node"),
        ({"owner": "StatefulSet"}, "the pod belongs to a StatefulSet"),
    ],
)
def test_protected_pods(tmp_path: Path, action: str, changes: dict[str, Any], why: str) -> None:
    with engine(tmp_path, shop(**changes), {"protected-owners": "DaemonSet  StatefulSet"}) as it:
        assert it.run(KRE_ACTION=action).said == (0, "refused", why)
        assert it.changing == []


def test_an_owner_protects_even_if_it_does_not_control(tmp_path: Path) -> None:
    objects = shop()
    reference = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "x", "uid": "x"}
    objects[2]["metadata"]["ownerReferences"].append(reference)
    with engine(tmp_path, objects) as it:
        assert it.run().said == (0, "refused", "the pod belongs to a DaemonSet")


@pytest.mark.parametrize("value", ["false", "True", "", "yes"])
def test_only_the_word_true_opts_out(tmp_path: Path, value: str) -> None:
    around = namespace("shop", annotations={"kre/protected": value})
    with engine(tmp_path, [around, *shop(annotations={"kre/protected": value})]) as it:
        assert it.run().record["outcome"] == "deleted"


def test_which_owners_are_protected_is_a_setting_but_for_nodes(tmp_path: Path) -> None:
    settings = {"protected-owners": "", "min-healthy": "0"}
    for owner, outcome in (("DaemonSet", "deleted"), ("StatefulSet", "deleted"), ("Node", "refused")):
        with engine(tmp_path / owner, shop(owner=owner), settings) as it:
            assert it.run().record["outcome"] == outcome


@pytest.mark.parametrize("action", TOUCHING)
def test_a_namespace_opts_out(tmp_path: Path, action: str) -> None:
    around = namespace("shop", annotations={"kre/protected": "true"})
    with engine(tmp_path, [around, *shop()]) as it:
        assert it.run(KRE_ACTION=action).said == (0, "refused", "the namespace is annotated kre/protected")
        assert it.changing == []


def test_a_namespace_that_is_not_there_is_not_touched(tmp_path: Path) -> None:
    """A pod cannot be without one: what is seen is out of date."""
    with engine(tmp_path, shop()) as it:
        it.server.fault = lambda asked, _: trouble(404) if asked.resource == "namespaces" else None
        assert it.run().record["outcome"] == "refused"
        assert it.changing == []


def test_a_namespace_that_cannot_be_seen_is_not_touched(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), rights=lambda asked: asked.resource != "namespaces") as it:
        ran = it.run()
        assert (ran.code, ran.record["outcome"]) == (1, "failed")
        assert it.changing == []


@pytest.mark.parametrize(
    ("age", "least", "refused"), [(60, "120", True), (119, "121", True), (125, "120", False), (0, "0", False)]
)
@pytest.mark.parametrize("action", TOUCHING)
def test_young_pods(tmp_path: Path, action: str, age: int, least: str, refused: bool) -> None:
    created = (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with engine(tmp_path, shop(created=created), {"min-age": least}) as it:
        ran = it.run(KRE_ACTION=action)
        if refused and action in ("delete", "isolate"):
            assert ran.said == (0, "refused", f"the pod is younger than {least} s")
        else:  # a label, or a word to somebody, does no harm
            assert ran.record["outcome"] != "refused"


@pytest.mark.parametrize(
    "key",
    ["mode", "targets", "protected-namespaces", "protected-owners", "min-healthy", "min-healthy-percent", "min-age"],
)
def test_a_setting_that_is_missing_refuses(tmp_path: Path, key: str) -> None:
    with engine(tmp_path, shop()) as it:
        del it.settings[key]
        assert it.run().said == (0, "refused", f"setting {key} is missing")
        assert it.changing == []


@pytest.mark.parametrize("key", ["min-healthy", "min-healthy-percent", "min-age"])
@pytest.mark.parametrize("value", ["", "-1", "1.5", "1e3", "one", "\u0661", "1 0", "9999999999"])
def test_a_number_that_is_none_refuses(tmp_path: Path, key: str, value: str) -> None:
    with engine(tmp_path, shop(), {key: value}) as it:
        assert it.run().said == (0, "refused", f"setting {key} is not a whole number")
        assert it.changing == []


def test_without_settings_nothing_is_done(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.run(KRE_SETTINGS=str(tmp_path / "none"))
        assert ran.said == (1, "failed", "FileNotFoundError")
        assert (it.changing, len(it.events)) == ([], 1)


def test_the_guard_is_the_same_for_the_dispatcher() -> None:
    """Both call check_namespace and check_pod; a change to one is a change to the other."""
    modules = code()
    assert modules.decide.guard is modules.guard
    assert modules.act.check_pod is modules.guard.check_pod
