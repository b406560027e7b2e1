"""What a promotion is told as: pull request, labels, outputs of a step, JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kre.compare.environment import digest
from kre.model.comparison import Change, Comparison, Facts, Grant, Kind, Risk
from kre.model.promotion import Block, Commit, ComponentPlan, Hop, Locked, Plan, Reason, Source, State
from kre.report.markdown import LIMIT
from kre.report.promotion import labels, outputs, title
from kre.report.promotion_body import body
from kre.report.promotion_json import as_json

DATE = datetime(2026, 1, 5, 9, tzinfo=UTC)
SOURCE = Source("base/falco", "a" * 40, f"sha256:{'1' * 64}")
LOCKED = Locked("dev", SOURCE, "b" * 40, SOURCE.digest, DATE)


def component(name: str = "falco", **changes: object) -> ComponentPlan:
    commits = (Commit("c" * 40, DATE, "feat(falco): more rules"),)
    gates = {"soak": "passed"}
    made = ComponentPlan(name, name, State.PROMOTE, commits=commits, gates=gates, before=LOCKED, locked=LOCKED)
    return replace(made, **changes)  # type: ignore[arg-type]


def hop(*components: ComponentPlan, **changes: object) -> Hop:
    made = Hop("staging", "prod", "d" * 40, "promote/prod/all", components or (component(), component("pipeline")))
    return replace(made, **changes)  # type: ignore[arg-type]


CHANGE = Change(Kind.RBAC, "rights", "Group everyone may get secrets in shop", None, ["x"])
COMPARISON = Comparison(
    "prod",
    promoted=True,
    risks=(Risk(Kind.RBAC, "prod", digest(Kind.RBAC, "prod", (CHANGE,)), (CHANGE,)),),
    facts=Facts(granted=(Grant("Group everyone", "shop", "get", "", "secrets"),), images=(("a:1", "a:2"),)),
)


def test_title() -> None:
    assert title(hop(component())) == "chore(prod): promote falco from staging"
    assert title(hop()) == "chore(prod): promote falco and pipeline from staging"
    many = hop(*(component(f"component-{number}") for number in range(30)))
    assert title(many) == "chore(prod): promote 30 components from staging"
    assert title(hop(component("x\ny"))) == "chore(prod): promote x\\ny from staging"


def test_labels() -> None:
    assert labels(hop(component()), COMPARISON) == ["promotion", "environment/prod", "component/falco", "risk/high"]
    assert labels(hop(component("a,b\n" + "x" * 90)))[-1] == f"component/a-b-{'x' * 36}"


def test_body_says_what_why_and_the_way_back() -> None:
    text = body(hop(), COMPARISON)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## What",
        "## Commits",
        "## Risk",
        "## Gates",
        "## Rendered",
    ]
    assert "`cccccccccccc` `feat(falco): more rules`" in text
    assert text.count("feat(falco): more rules") == 1  # of two components that it touched
    assert "#### Rights that nothing gave before\n\n- `rights: Group everyone may get secrets in shop`" in text
    assert f"Digest: `{COMPARISON.risks[0].digest}`" in text
    assert "`kre rollback prod falco`" in text
    assert f"    Promoted-Digest: {SOURCE.digest}\n" in text


def test_body_says_what_stands_against_it() -> None:
    blocked = component(blocks=(Block(Reason.SOAK, "23h of 24h", "from 10:00 on"),))
    text = body(hop(blocked, blocks=(Block(Reason.FREEZE, "a freeze"),)))
    assert "- `falco`: soak: `23h of 24h`, `from 10:00 on`" in text
    assert "- `prod`: freeze: `a freeze`" in text


NASTY = [
    "</details><script>alert(1)</script>",
    "@example/everybody fixes #1",
    "[click](https://e.example) ![x](https://e.example/t.png)",
    "``` `` ` \n## Risk\n\nLevel: **low**",
    "| a | b |",
]


@pytest.mark.parametrize("text", NASTY)
def test_what_people_wrote_is_no_markup(text: str) -> None:
    """Without inline code there is nothing left of it; and it adds no line of its own."""
    plain = component(commits=(Commit("c" * 40, DATE, "x"),), notes=("x",), blocks=(Block(Reason.RISK, "x", "x"),))
    nasty = component(
        commits=(Commit("c" * 40, DATE, text),),
        notes=(text,),
        blocks=(Block(Reason.RISK, text, text),),
        gates={text: text},
    )
    made, calm = body(hop(nasty, component(text))), body(hop(replace(plain, gates={"x": "x"}), component("x")))
    assert len(made.splitlines()) == len(calm.splitlines())
    rest = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", made)
    for sign in ("<script", "@", "](", "#1", "**low**", "e.example"):
        assert sign not in rest


def test_body_is_cut_in_time() -> None:
    commits = tuple(Commit(f"{number:040x}", DATE, "x" * 200) for number in range(50))
    text = body(
        hop(
            *(
                component(
                    f"c{number}", commits=tuple(replace(each, id=f"{number:02}{each.id[2:]}") for each in commits)
                )
                for number in range(20)
            )
        ),
        COMPARISON,
        "plan.md",
    )
    assert LIMIT - 300 < len(text) <= LIMIT
    assert text.endswith(f"Cut here at {LIMIT} characters. The rest is in `plan.md`.\n")


def parsed(text: str) -> dict[str, str]:
    """As a runner reads the file that GITHUB_OUTPUT names."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        while (line := next(lines)) != end:
            value.append(line)
        found[name] = "\n".join(value)
    return found


def test_outputs() -> None:
    found = parsed(outputs(hop(), COMPARISON))
    assert json.loads(found["components"]) == ["falco", "pipeline"]
    assert {key: found[key] for key in ("target", "branch", "changed", "blocked", "level")} == {
        "target": "prod",
        "branch": "promote/prod/all",
        "changed": "true",
        "blocked": "false",
        "level": "high",
    }


def test_no_value_makes_another_output() -> None:
    evil = hop(component("x\nchanged<<end\nfalse\nend"), branch="b\ntarget=dev")
    assert parsed(outputs(evil)).keys() == parsed(outputs(hop())).keys()
    assert parsed(outputs(evil))["target"] == "prod"


def test_nothing_to_promote() -> None:
    idle = hop(component(state=State.IN_SYNC, locked=None))
    found = parsed(outputs(idle))
    assert (found["changed"], found["components"]) == ("false", "[]")
    assert title(idle) == "chore(prod): promote nothing from staging"


def test_json_is_versioned_and_whole() -> None:
    made = json.loads(json.dumps(as_json(Plan((hop(),)), {"prod": COMPARISON})))
    assert made["version"] == 1
    (one,) = made["hops"]
    assert one["goes"] == ["falco", "pipeline"]
    assert one["components"][0]["after"]["source"]["digest"] == SOURCE.digest
    assert one["change"]["risks"][0]["kind"] == "rbac-widened"
    assert as_json(Plan((hop(),)))["hops"][0]["change"] is None
