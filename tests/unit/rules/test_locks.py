"""P16: an entry that a change writes into a lock continues what is merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kre.load.bundle import load
from kre.load.merged import merged
from kre.load.source import parse
from kre.model.bundle import Bundle, Environment
from kre.model.promotion import Hold, Lock, Locked, Merged, Previous, Source
from kre.model.resource import Root
from kre.promote.lockfile import render
from kre.rules.locks import continued
from support.repository import commit, git

POLICY = b"""\
environments:
- name: dev
- name: staging
  from: dev
- name: prod
  from: staging
  hotfix: {from: [dev], waives: [soak]}
"""
ENVIRONMENTS = (
    Environment("dev", None, "overlays/dev"),
    Environment("staging", "dev", "overlays/staging"),
    Environment("prod", "staging", "overlays/prod"),
)


def sha(number: int) -> str:
    return f"sha256:{number:064x}"


def entry(came_from: str, digest: int, previous: Locked | None = None) -> Locked:
    """An entry as a promotion writes it."""
    path = "base/falco" if came_from == "dev" else f"overlays/{came_from}/release/falco"
    source = Source(path, f"{digest:040x}", sha(digest))
    made = Locked(came_from, source, f"{digest:040x}", sha(digest), datetime(2026, 1, 5, tzinfo=UTC))
    before = Previous(previous.digest, previous.source, previous.origin) if previous else None
    return replace(made, previous=before)


def bundle(policy: bytes = POLICY, **locks: Locked | None) -> Bundle:
    """A Bundle with these entries for falco in the locks of these environments."""
    sources = {"overlays/environments.yaml": parse("overlays/environments.yaml", policy)}
    for name, locked in locks.items():
        path = f"overlays/{name}/release.lock.yaml"
        sources[path] = parse(path, render(Lock(name, {"falco": locked} if locked else {})))
    roots = tuple(Root(f"overlays/{known.name}", "applications", known.name) for known in ENVIRONMENTS)
    return Bundle(Path("/nowhere"), ENVIRONMENTS, roots, sources=sources)


def said(before: Bundle, after: Bundle, base: int = 9, past: tuple[Locked, ...] = ()) -> list[str]:
    """What the rule says where base/falco has digest `base`, and prod's lock named the past ones."""
    known = frozenset((each.source, each.digest) for each in past)
    told = Merged({"falco": sha(base)}, {("prod", "falco"): known})
    return [
        f"{hit.place.path}: {hit.message}" for hit in continued(replace(after, before=replace(before, merged=told)))
    ]


OLD = entry("staging", 1)
NOW = entry("dev", 2)  # what staging runs


def test_a_promotion_is_fine() -> None:
    assert said(bundle(prod=OLD, staging=NOW), bundle(prod=entry("staging", 2, OLD), staging=NOW)) == []
    assert said(bundle(staging=NOW), bundle(staging=entry("dev", 9, NOW))) == []


def test_the_source_is_what_is_merged_and_no_more() -> None:
    after = entry("dev", 3, NOW)  # a pull request that fills both at once
    found = said(bundle(prod=OLD, staging=NOW), bundle(prod=entry("staging", 3, OLD), staging=after), base=3)
    told = f"its source is {sha(3)[:19]}..., and staging runs {sha(2)[:19]}..., as far as it is merged"
    assert found == [f"overlays/prod/release.lock.yaml: falco: {told}"]
    assert "dev runs" in said(bundle(staging=NOW), bundle(staging=entry("dev", 8, NOW)))[0]


@pytest.mark.parametrize("previous", [None, entry("staging", 7)])
def test_it_names_what_it_replaces(previous: Locked | None) -> None:
    found = said(bundle(prod=OLD, staging=NOW), bundle(prod=entry("staging", 2, previous), staging=NOW))
    assert [text.partition(": falco: ")[2] for text in found] == [
        f"what the entry replaces is not {sha(1)[:19]}..., which is merged"
    ]


def test_where_nothing_is_merged_it_replaces_nothing() -> None:
    found = said(bundle(staging=NOW), bundle(staging=NOW, prod=entry("staging", 2, OLD)))
    assert "replaces names one, and none is merged" in found[0]


def test_no_environment_is_skipped() -> None:
    skipping = entry("dev", 9, OLD)
    assert (
        "it comes from dev, not from staging"
        in said(bundle(prod=OLD, staging=NOW), bundle(prod=skipping, staging=NOW))[0]
    )
    hotfix = replace(skipping, hotfix="an emergency")
    assert said(bundle(prod=OLD, staging=NOW), bundle(prod=hotfix, staging=NOW)) == []
    strict = POLICY.partition(b"  hotfix")[0]  # the merged policy decides, not the one that comes along
    assert said(bundle(strict, prod=OLD, staging=NOW), bundle(prod=hotfix, staging=NOW)) != []


def test_a_hold_and_its_end_are_fine() -> None:
    held = replace(OLD, hold=Hold("somebody", "wait"))
    assert said(bundle(prod=OLD, staging=NOW), bundle(prod=held, staging=NOW)) == []
    assert said(bundle(prod=held, staging=NOW), bundle(prod=OLD, staging=NOW)) == []
    changed = replace(held, digest=sha(5))
    assert said(bundle(prod=OLD, staging=NOW), bundle(prod=changed, staging=NOW)) != []


def test_a_rollback_leads_to_what_was_there() -> None:
    current = entry("staging", 2, OLD)
    back = replace(entry("staging", 1, current), hold=Hold("somebody", "broken"))
    before, after = bundle(prod=current, staging=NOW), bundle(prod=back, staging=NOW)
    assert said(before, after, past=(OLD, current)) == []
    assert said(before, after) != []  # it never was there
    assert (
        said(before, bundle(prod=replace(back, hold=None), staging=NOW), past=(OLD, current)) != []
    )  # and holds nothing


def test_only_what_the_source_lacks_is_removed() -> None:
    assert "falco is gone from the lock" in said(bundle(prod=OLD, staging=NOW), bundle(prod=None, staging=NOW))[0]
    assert said(bundle(prod=OLD, staging=None), bundle(prod=None, staging=None)) == []


def test_a_lock_does_not_go() -> None:
    assert "the lock of prod is gone" in said(bundle(prod=OLD, staging=NOW), bundle(staging=NOW))[0]


def test_the_first_fill_passes_no_gate_but_those_that_ran() -> None:
    first = replace(entry("staging", 2), gates={"validate": "passed", "policy": "passed", "soak": "waived: initial"})
    assert said(bundle(staging=NOW), bundle(staging=NOW, prod=first)) == []
    forged = replace(first, gates={"soak": "passed"})
    assert "soak is said to be passed" in said(bundle(staging=NOW), bundle(staging=NOW, prod=forged))[0]


def test_git_tells_what_base_holds_and_what_locks_named(repository: Path) -> None:
    path = repository / "overlays/prod/release.lock.yaml"
    path.write_bytes(render(Lock("prod", {"pipeline": OLD})))
    commit(repository)
    path.write_bytes(render(Lock("prod", {"pipeline": entry("dev", 4, OLD)})))
    tip = commit(repository)
    prod = next(known for known in load(repository, ["prod"]).environments if known.name == "prod")
    found = merged(repository, tip, [prod])
    assert {digest for _, digest in found.locked["prod", "pipeline"]} == {sha(1), sha(4)}
    values = repository / "base/falcosidekick/values.yaml"
    values.write_text(values.read_text() + "# more\n")
    assert merged(repository, tip, [prod]).digests == found.digests  # the work tree is not asked
    other = merged(repository, commit(repository), [prod]).digests
    assert {name for name in other if other[name] != found.digests[name]} == {"falcosidekick"}
    git(repository, "update-index", "--chmod=+x", "base/falcosidekick/values.yaml")
    git(repository, "commit", "--quiet", "-m", "test: mode")
    assert merged(repository, "HEAD", [prod]).digests["falcosidekick"] != other["falcosidekick"]
    assert merged(repository, tip, []) == Merged()
