"""Where an accepted risk counts: merged before, or where code owners protect the file; for exactly that change."""

from __future__ import annotations

from pathlib import Path

import pytest

from kre.compare.accepted import Verdict, verdict
from kre.compare.environment import compare
from kre.load.bundle import load
from kre.load.owners import owned
from kre.load.source import parse
from kre.model.bundle import Bundle
from kre.model.comparison import Kind, Risk

OWNED = (("*", True),)
FILE, LOCK, POLICY = (
    "overlays/prod/accepted-risks.yaml",
    "overlays/prod/release.lock.yaml",
    "overlays/environments.yaml",
)
RISK = Risk(Kind.MODE, "prod", f"sha256:{'1' * 64}", ())


def bundle(owners: tuple[tuple[str, bool], ...] = OWNED, **files: str) -> Bundle:
    """A Bundle of these files alone: `accepted`, `lock`, `policy`."""
    paths = {"accepted": FILE, "lock": LOCK, "policy": POLICY}
    sources = {paths[key]: parse(paths[key], text.encode()) for key, text in files.items()}
    return Bundle(Path("/nowhere"), sources=sources, owners=owners)


def listed(digest: str = RISK.digest, kind: str = RISK.kind, reason: str = "agreed") -> str:
    return f"version: 1\naccepted:\n- {{kind: {kind}, digest: '{digest}', reason: '{reason}'}}\n"


def lock(digest: str = RISK.digest, at: str = "1") -> str:
    entry = f"{{kind: {RISK.kind}, digest: '{digest}', reason: agreed}}"
    return f"components:\n  responses: {{digest: '{at}', accepted_risks: [{entry}]}}\n"


@pytest.mark.parametrize("policy", ["acceptedRisks: base", "acceptedRisks: codeowners", "environments: []"])
def test_what_was_merged_before_counts(policy: str) -> None:
    before = bundle((), accepted=listed(), policy=policy)
    assert verdict(before, bundle((), policy=policy), RISK) == Verdict(True, "agreed")


def test_in_the_same_change_it_counts_where_code_owners_protect_it() -> None:
    assert verdict(bundle(), bundle(accepted=listed()), RISK).accepted
    assert verdict(bundle(), bundle(lock=lock()), RISK).accepted


def test_in_the_same_change_it_does_not_without_owners() -> None:
    found = verdict(bundle(()), bundle(OWNED, accepted=listed()), RISK)  # owners that the change brings are nobody's
    assert found == Verdict(False, f"{FILE} accepts it in the same change, and has no code owner")
    assert not verdict(bundle((("*", True), ("/overlays/prod/", False))), bundle(accepted=listed()), RISK).accepted


@pytest.mark.parametrize("policy", ["acceptedRisks: base", "acceptedRisks: everything"])
def test_in_the_same_change_it_does_not_where_the_policy_says_base(policy: str) -> None:
    before = bundle(policy=policy)
    for after in (bundle(accepted=listed()), bundle(lock=lock()), bundle(accepted=listed(), policy="acceptedRisks: x")):
        found = verdict(before, after, RISK)
        assert not found.accepted
        assert "in the same change" in found.reason


@pytest.mark.parametrize(
    "text", [listed(f"sha256:{'2' * 64}"), listed(kind="rbac-widened"), listed(reason=" "), "accepted: x", "- 1"]
)
def test_another_change_is_not_accepted_by_it(text: str) -> None:
    assert verdict(bundle(accepted=text), bundle(accepted=text), RISK) == Verdict(False)


def test_what_was_accepted_for_one_promotion_holds_for_that_one_alone() -> None:
    assert not verdict(bundle(lock=lock()), bundle(lock=lock()), RISK).accepted
    assert verdict(bundle(lock=lock()), bundle(lock=lock(at="2")), RISK).accepted


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", FILE, True),
        ("/overlays/prod/", FILE, True),
        ("overlays/prod", FILE, True),
        ("/overlays/*/accepted-risks.yaml", FILE, True),
        ("accepted-risks.yaml", FILE, True),
        ("prod/", FILE, True),
        ("**/accepted-risks.yaml", FILE, True),
        ("/overlays/**", FILE, True),
        ("*.yaml", FILE, True),
        ("overlays/*", FILE, False),
        ("/prod/", FILE, False),
        ("/overlays/staging/", FILE, False),
        ("*.md", FILE, False),
        ("/accepted-risks.yaml", FILE, False),
    ],
)
def test_code_owners(pattern: str, path: str, matches: bool) -> None:
    assert owned(((pattern, True),), path) is matches
    assert owned((("*", True), (pattern, False)), path) is not matches


def test_the_digest_is_of_exactly_that_change(repository: Path) -> None:
    facts = repository / "overlays/prod/environment/environment.yaml"
    before = load(repository, ["prod"])
    found = {}
    for mode in ("approve", "enforce"):
        facts.write_text(
            facts.read_text().replace(f"mode: {'observe' if mode == 'approve' else 'approve'}", f"mode: {mode}")
        )
        after = load(repository, ["prod"])
        (risk,) = compare(before, after, "prod").risks
        assert compare(before, after, "prod").risks[0].digest == risk.digest
        found[mode] = risk.digest
    assert found["approve"] != found["enforce"]
    back = compare(load(repository, ["prod"]), before, "prod").risks
    assert back[0].digest not in found.values()
    assert all(digest.startswith("sha256:") for digest in found.values())
