"""Every rule has a fixture that it fails and one that it passes, and finds nothing else in either."""

from __future__ import annotations

from pathlib import Path

import pytest

from kre.load.bundle import Like, _load, load
from kre.model.finding import Finding
from kre.rules.registry import all_rules
from kre.rules.run import validate
from support.comparing import sources
from support.repository import FIXTURES, Plan

IDS = [rule.id for rule in all_rules()]
# Whatever right a fixture of another rule plants, nothing needs it, no budget lists it, and it may lead further: these
# say so in each of them.
EVERYWHERE = {"E02", "E03", "E04", "E05", "E06", "E10", "E18", "E20", "R039"}


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> Like:
    """The small repository without a fault: what a fixture leaves as it is, is neither parsed nor rendered again."""
    root = Plan().build(tmp_path_factory.mktemp("like") / "repository")
    return sources(root), load(root).roots


def findings(plan: Plan, own: str, folder: Path, like: Like) -> list[Finding]:
    root = plan.build(folder / "repository")
    since = "HEAD" if plan.values.get("after_commit") else None
    found = validate(_load(root, None, since, like))
    left = EVERYWHERE - {own}
    return [item for item in found if (item.rule in plan.only if plan.only else item.rule not in left)]


def files(word: str) -> list[str]:
    """<rule>/<file> of every fixture that begins with this word."""
    return sorted(path.relative_to(FIXTURES / "rules").as_posix() for path in FIXTURES.glob(f"rules/*/{word}*.yaml"))


@pytest.mark.parametrize("name", files("bad"))
def test_bad(name: str, like: Like, tmp_path: Path) -> None:
    plan = Plan.read(FIXTURES / "rules" / name)
    found = findings(plan, name.split("/", maxsplit=1)[0], tmp_path, like)
    expected = plan.expected(tmp_path / "repository")
    for wanted in expected:
        hits = [finding for finding in found if wanted.line in (0, finding.place.line)]
        if wanted.line == 0:  # the place depends on what differs first
            assert any(wanted.rule == item.rule and wanted.says in item.message for item in hits), _shown(found)
        else:
            assert any(wanted.matches(item) for item in hits), f"{wanted} is not among:\n{_shown(found)}"
    # What is planted in base/ is copied to prod, and found there as well.
    copies = [item for item in found if item.place.path.startswith("overlays/prod/")]
    assert {item.rule for item in found} == {wanted.rule for wanted in expected}, _shown(found)
    assert len(found) - len(copies) <= len(expected), _shown(found)
    assert name.split("/", maxsplit=1)[0] in {wanted.rule for wanted in expected}


@pytest.mark.parametrize("name", files("good"))
def test_good(name: str, like: Like, tmp_path: Path) -> None:
    found = findings(Plan.read(FIXTURES / "rules" / name), name.split("/", maxsplit=1)[0], tmp_path, like)
    assert not found, _shown(found)


def test_every_fixture_has_a_rule() -> None:
    assert sorted(path.name for path in (FIXTURES / "rules").iterdir()) == sorted(IDS)
    assert {name.split("/")[0] for name in files("bad")} == {name.split("/")[0] for name in files("good")} == set(IDS)


def _shown(found: list[Finding]) -> str:
    return "\n".join(f"{item.place} {item.rule} {item.message} | {item.hint}" for item in found) or "(nothing)"
