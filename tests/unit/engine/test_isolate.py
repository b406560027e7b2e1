"""Isolation: which labels go, and who lets traffic through still."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import Fault, networkpolicy, pod, service, statefulset, trouble
from support.engine import UID, Engine, engine, shop

WAY = {"KRE_ACTION": "isolate"}
LABELS = {"app": "web", "track": "stable"}
SURVIVE = "; connections that were open before survive"


def isolated(it: Engine) -> tuple[dict[str, str], Any]:
    """The labels of shop/web-1 now, and those that its annotation keeps."""
    found = it.pod["metadata"]
    return found.get("labels") or {}, json.loads(found.get("annotations", {}).get("kre/isolated-labels", "null"))


def test_the_labels_go_into_the_annotation(tmp_path: Path) -> None:
    with engine(tmp_path, shop(annotations={"team": "till"})) as it:
        assert it.run(**WAY).said == (0, "isolated", f"isolated{SURVIVE}")
        assert isolated(it) == ({"kre/quarantine": "true"}, LABELS)
        assert it.pod["metadata"]["annotations"]["team"] == "till"
        (asked,) = it.changing
        assert asked.body["metadata"]["uid"] == UID, "one patch, with the uid"
        assert asked.headers["content-type"] == "application/merge-patch+json"


@pytest.mark.parametrize("labels", [None, {}, {"kre/quarantine": "true"}])
def test_a_pod_without_labels(tmp_path: Path, labels: Any) -> None:
    with engine(tmp_path, shop(labels=labels)) as it:
        assert it.run(**WAY).record["outcome"] == "isolated"
        assert isolated(it) == ({"kre/quarantine": "true"}, None)


def test_a_pod_without_an_owner(tmp_path: Path) -> None:
    objects = shop(owner=None)
    objects[2]["metadata"].pop("ownerReferences", None)
    with engine(tmp_path, objects) as it:
        assert it.run(**WAY).record["outcome"] == "isolated"
        assert isolated(it) == ({"kre/quarantine": "true"}, LABELS)


def test_after_the_fast_lane_the_quarantine_is_not_kept_as_a_label(tmp_path: Path) -> None:
    with engine(tmp_path, shop(labels={**LABELS, "kre/quarantine": "true"})) as it:
        assert it.run(**WAY).record["outcome"] == "isolated"
        assert isolated(it) == ({"kre/quarantine": "true"}, LABELS)


def test_a_second_run_keeps_what_the_first_took(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        it.run(**WAY)
        before = it.pod
        assert it.run(**WAY).said == (0, "isolated", f"isolated{SURVIVE}")
        assert it.pod == before


def test_what_came_after_the_first_run_is_kept_too_but_replaces_nothing(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        it.run(**WAY)
        it.server.state.pods["shop", "web-1"]["metadata"]["labels"] |= {"kre/alert": "shell", "app": "lure"}
        it.run(**WAY)
        assert isolated(it) == ({"kre/quarantine": "true"}, {**LABELS, "kre/alert": "shell"})


def test_a_label_that_comes_between_look_and_patch_is_seen_as_a_hole(tmp_path: Path) -> None:
    with engine(tmp_path, [*shop(), service("shop", "late", {"late": "yes"})]) as it:

        def fault(asked: Any, _: int) -> Fault | None:
            if asked.verb == "patch":
                it.server.state.pods["shop", "web-1"]["metadata"]["labels"]["late"] = "yes"
            return None

        it.server.fault = fault
        assert it.run(**WAY).record["reason"] == f"partly isolated: Service late{SURVIVE}"


def test_a_statefulset_keeps_its_labels(tmp_path: Path) -> None:
    owner = ("StatefulSet", "web", "sts-1")
    objects = [*shop(owner=owner), statefulset("shop", "web", 3, "sts-1", selector={"app": "web"})]
    with engine(tmp_path, objects) as it:
        assert it.run(**WAY).said == (0, "partly-isolated", f"partly isolated: Service web{SURVIVE}")
        assert isolated(it) == ({**LABELS, "kre/quarantine": "true"}, None)


OPEN: dict[str, Any] = {"ingress": [{}]}


@pytest.mark.parametrize(
    ("policy", "hole"),
    [
        (networkpolicy("shop", "p", {"app": "web"}, **OPEN), False),
        (networkpolicy("shop", "p", **OPEN), True),
        (networkpolicy("shop", "p", types=("Egress",), egress=[{"to": []}]), True),
        (networkpolicy("shop", "p"), False),  # denies
        (networkpolicy("shop", "p", ingress=[]), False),
        (networkpolicy("shop", "p", {"kre/quarantine": "true"}, **OPEN), True),
        (networkpolicy("shop", "p", {"kre/quarantine": "false"}, **OPEN), False),
        (networkpolicy("till", "p", **OPEN), False),
        (networkpolicy("shop", "p", expressions=[{"key": "app", "operator": "Exists"}], **OPEN), False),
        (networkpolicy("shop", "p", expressions=[{"key": "app", "operator": "DoesNotExist"}], **OPEN), True),
        (networkpolicy("shop", "p", expressions=[{"key": "app", "operator": "In", "values": ["web"]}], **OPEN), False),
        (networkpolicy("shop", "p", expressions=[{"key": "app", "operator": "NotIn", "values": ["x"]}], **OPEN), True),
        (networkpolicy("shop", "p", expressions=[{"key": "kre/quarantine", "operator": "Exists"}], **OPEN), True),
        (
            networkpolicy("shop", "p", {"app": "web"}, expressions=[{"key": "x", "operator": "DoesNotExist"}], **OPEN),
            False,
        ),
    ],
    ids="labels empty egress denies-all denies-by-list quarantine another-value another-namespace exists "
    "does-not-exist in not-in quarantine-exists both".split(),
)
def test_policies(tmp_path: Path, policy: dict[str, Any], hole: bool) -> None:
    with engine(tmp_path, [*shop(), policy]) as it:
        outcome, said = ("partly-isolated", "partly isolated: policy p") if hole else ("isolated", "isolated")
        assert it.run(**WAY).said == (0, outcome, said + SURVIVE)


@pytest.mark.parametrize("types", [(), ("Ingress",), ("Egress",)], ids=lambda types: "-".join(types) or "no-policy")
def test_without_a_policy_that_denies_both_ways_it_is_partly_isolated(tmp_path: Path, types: tuple[str, ...]) -> None:
    objects = [one for one in shop() if one["kind"] != "NetworkPolicy"]
    objects += [networkpolicy("shop", "p", {"kre/quarantine": "true"}, types=types)] if types else []
    with engine(tmp_path, objects) as it:
        ran = it.run(**WAY)
        assert ran.said == (0, "partly-isolated", f"partly isolated: no policy denies its traffic{SURVIVE}")


@pytest.mark.parametrize(
    ("selector", "hole"),
    [
        (None, False),
        ({}, False),
        ({"app": "web"}, False),
        ({"kre/quarantine": "true"}, True),
        ({"kre/quarantine": "true", "app": "web"}, False),
    ],
)
def test_services(tmp_path: Path, selector: Any, hole: bool) -> None:
    with engine(tmp_path, [*shop(), service("shop", "s", selector), service("till", "t", selector)]) as it:
        said = f"partly isolated: Service s{SURVIVE}" if hole else f"isolated{SURVIVE}"
        assert it.run(**WAY).record["reason"] == said


def test_every_hole_is_named(tmp_path: Path) -> None:
    holes = [networkpolicy("shop", f"p{number:03}", **OPEN) for number in range(120)]
    with engine(tmp_path, [*shop(), *holes, service("shop", "z", {"kre/quarantine": "true"})]) as it:
        ran = it.run(**WAY)
        assert "policy p000, policy p001" in ran.record["reason"]
        assert len(ran.record["reason"]) == 253, "the record is cut"
        assert "policy p050" in it.events[0]["message"]
        assert len(it.events[0]["message"]) == 1000


def test_isolated_all_the_same_where_nobody_can_say_who_selects_it(tmp_path: Path) -> None:
    def fault(asked: Any, _: int) -> Fault | None:
        return trouble(500) if asked.resource == "networkpolicies" else None

    with engine(tmp_path, shop(), fault=fault) as it:
        ran = it.run(patience=0.5, **WAY)
        assert (ran.code, ran.record["outcome"]) == (1, "failed")
        assert ran.record["reason"].startswith("isolated, but who selects it still is not known: 500")
        assert isolated(it)[0] == {"kre/quarantine": "true"}


def test_an_annotation_that_somebody_wrote_stops_nothing_but_is_not_lost(tmp_path: Path) -> None:
    """Whoever can annotate the pod could opt out as well; but labels are never overwritten unseen."""
    for text in ("[]", "{", '{"a": 1}', "[" * 100_000):
        with engine(tmp_path / str(len(text)), shop(annotations={"kre/isolated-labels": text})) as it:
            said = "annotation kre/isolated-labels is not as the engine wrote it"
            assert it.run(**WAY).said == (0, "refused", said)
            assert it.changing == []


def test_only_the_pod_that_is_meant(tmp_path: Path) -> None:
    with engine(tmp_path, [*shop(), pod("shop", "web-10", labels=LABELS)]) as it:
        it.run(**WAY)
        assert it.touched == {("pods", "shop", "web-1")}
