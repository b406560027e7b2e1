"""Whatever is taken out of what dev renders, or loosened in it, somebody notices; or explained.yaml says why not."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from random import Random

import pytest

from kre.rules.run import validate
from safety.explain import Explanations
from safety.mutate import Mutant, deep, every, loosened
from safety.promise import bundle, world
from safety.watch import Watch, swapped

SEED = int(os.environ.get("KRE_MUTATION_SEED", "20"))
COUNT = int(os.environ.get("KRE_MUTATION_COUNT", "3000"))
EXPLAINED = Explanations(Path(__file__).with_name("explained.yaml"))


@cache
def watch() -> Watch:
    loaded = bundle("dev")
    return Watch(loaded, world(loaded, "dev"))


def unnoticed(mutants: list[Mutant]) -> list[str]:
    """Those that no promise, no explanation and no rule is about."""
    quiet = [mutant for mutant in mutants if not watch().promise(mutant)]
    bare = [mutant for mutant in quiet if not EXPLAINED.of(str(mutant))]
    return [str(mutant) for mutant in bare if not watch().rule(mutant)]


def test_every_single_fault_is_noticed() -> None:
    """Each field and item removed, each scalar changed, each pattern loosened, each list widened or out of order."""
    made = [mutant for item in watch().world.objects for mutant in every(item)]
    assert len(made) > 10_000
    left = unnoticed(made)
    assert not left, f"{len(left)} of {len(made)}:\n" + "\n".join(left)
    assert EXPLAINED.idle() == [], "explanations of nothing"


def test_random_deeper_faults_are_noticed() -> None:
    """Fields that do not belong there, parts of other objects, two faults at once. KRE_MUTATION_SEED makes others."""
    left = unnoticed(list(deep(list(watch().world.objects), Random(SEED), COUNT)))
    assert not left, f"with KRE_MUTATION_SEED={SEED}:\n" + "\n".join(left)


def test_rules_of_validate_watch_too() -> None:
    """A field that no schema knows, in a kind that a promise looks at only in part."""
    (role,) = [item for item in watch().world.of("ClusterRole") if item.name == "kre-notify"]
    wild = [mutant for mutant in every(role) if mutant.what == "'*' added" and mutant.at[-1] == "verbs"]
    assert wild
    found = [validate(swapped(watch().bundle, mutant.old, mutant.made)) for mutant in wild]
    assert all(any(finding.rule.startswith("R00") for finding in told) for told in found)


@pytest.mark.parametrize("text", ["kre-demo", "", "docker.io/library/python"])
def test_only_patterns_are_loosened(text: str) -> None:
    assert list(loosened(text)) == []


def test_loosened() -> None:
    assert {r"(a\.b)$", r"^(a\.b)", r"^(a\.b)$|.*", ".*", r"^(a.b)$", r"^(a\.b|other)$"} <= set(loosened(r"^(a\.b)$"))


def test_an_explanation_is_a_reason_and_is_used(tmp_path: Path) -> None:
    file = tmp_path / "explained.yaml"
    file.write_text(
        "- {mutants: 'A */b[0]: *', why: it is only what people read}\n- {mutants: x*, deep: true, why: a b c d e}\n"
    )
    made = Explanations(file)
    assert made.of("A x/b[0]: removed")
    assert not made.of("A x/b0: removed")
    assert Explanations(file).idle() == ["A */b[0]: *"]
    assert made.idle() == []
    file.write_text("- {mutants: 'A', why: because}\n")
    with pytest.raises(AssertionError, match="no reason"):
        Explanations(file)
