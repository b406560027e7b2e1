"""The lock file: the same lock, the same bytes; nothing that is not meant is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kre.errors import UsageError
from kre.load.source import parse
from kre.model.promotion import Accepted, AcceptedRisk, Hold, Lock, Locked, Previous, Source
from kre.promote import lockfile
from kre.schema import jsonschema_engine
from kre.schema.own import own_schema
from support.promotion import HOWS, How, small

PATH = "overlays/prod/release.lock.yaml"
ENTRY = Locked(
    environment="staging",
    source=Source("overlays/staging/release/falco", "a" * 40, f"sha256:{'1' * 64}"),
    origin="b" * 40,
    digest=f"sha256:{'2' * 64}",
    promoted=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    gates={"validate": "passed", "soak": "waived: initial"},
)
FULL = replace(
    ENTRY,
    accepted=(Accepted("values.yaml", "c" * 40, "more: memory #1", "100755"), Accepted("gone.yaml", "", "not here")),
    accepted_risks=(AcceptedRisk("rbac-widened", f"sha256:{'3' * 64}", 'says "why"'),),
    previous=Previous(f"sha256:{'4' * 64}", ENTRY.source, "d" * 40),
    versions={"chart": "falco 9.1.0", "images": ["a:1", "b@sha256:1"]},
    hold=Hold("ops@example.com", "on", datetime(2026, 2, 1, tzinfo=UTC)),
    hotfix="the night of the outage",
)

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
digest = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
commit = st.text("0123456789abcdef", min_size=40, max_size=40)
moment = st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
source = st.builds(Source, text, commit, digest)
name = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
locked = st.builds(
    Locked,
    environment=name,
    source=source,
    origin=commit,
    digest=digest,
    promoted=moment,
    gates=st.dictionaries(text, text, max_size=3),
    accepted=st.lists(
        st.builds(Accepted, text, st.one_of(commit, st.just("")), text, st.sampled_from(["", "100644", "100755"])),
        max_size=2,
    ).map(tuple),
    accepted_risks=st.lists(st.builds(AcceptedRisk, text, digest, text), max_size=2).map(tuple),
    previous=st.none() | st.builds(Previous, digest, source, commit),
    versions=st.fixed_dictionaries({}, optional={"chart": text, "images": st.lists(text, max_size=3)}),
    hold=st.none() | st.builds(Hold, text, text, st.none() | moment),
    hotfix=text | st.just(""),
)


@settings(deadline=None)
@given(name, st.dictionaries(name, locked, max_size=3))
def test_what_is_written_is_read(environment: str, components: dict[str, Locked]) -> None:
    lock = Lock(environment, components)
    written = lockfile.render(lock)
    assert lockfile.read(PATH, written) == lock
    assert lockfile.render(lockfile.read(PATH, written)) == written


def test_the_text() -> None:
    shown = lockfile.render(Lock("prod", {"falco": FULL, "a": ENTRY})).decode()
    assert shown.startswith("# overlays/prod/release.lock.yaml - written by `kre promote`; do not edit")
    assert shown.index("  a:\n") < shown.index("  falco:\n")
    assert '    reason: "more: memory #1"\n' in shown.replace("      reason", "    reason")
    assert '    by: "ops@example.com"\n    reason: "on"' in shown.replace("      ", "    ")
    assert shown.endswith("    until: 2026-02-01T00:00:00Z\n")
    assert "    promoted: 2026-01-15T10:30:00Z\n" in shown


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("version: 1", "version: 2", "another kre wrote this"),
        ("from: staging", "from: Staging", "does not match"),
        ("digest: sha256:2222", "digest: sha256:22x2", "digest:"),
        ("accepted: []", "accepted: {}", "accepted must be of type list"),
        ("hold: null", "hold: null\n    holds: null", "unknown field 'holds'"),
        ("    digest: sha256:2", "    digest: sha256:3\n    digest: sha256:2", "is already there"),
        ("promoted: 2026-01-15", "promoted: 2026-13-15", "is no time"),
        ("environment: prod", "", "environment is missing"),
        ("gates: {}", "gates: []", "gates must be of type Mapping"),
    ],
)
def test_what_is_not_meant_is_refused_with_its_line(before: str, after: str, says: str) -> None:
    written = lockfile.render(Lock("prod", {"falco": replace(ENTRY, gates={})})).decode()
    assert before in written
    with pytest.raises(UsageError, match=says) as failed:
        lockfile.read(PATH, written.replace(before, after, 1).encode())
    assert str(failed.value).startswith(PATH)


def _violations(text: str) -> list:
    source = parse(PATH, text.encode())
    return [*jsonschema_engine.check_against(source.documents[0].value, own_schema("lock"))]


def test_the_schema_takes_what_is_written_and_refuses_what_is_not_read() -> None:
    written = lockfile.render(Lock("prod", {"falco": FULL, "pipeline": ENTRY})).decode()
    assert _violations(written) == []
    for before, after in (
        ("version: 1", "version: 2"),
        ("digest: sha256:2222", "digest: sha256:22x2"),
        ("hold: null", "holds: null"),
        ("from: staging", "from: Staging"),
        ('mode: "100755"', 'mode: "100777"'),
    ):
        assert before in written
        assert _violations(written.replace(before, after, 1))


@pytest.mark.parametrize("how", HOWS)
def test_promotions_of_different_components_merge(tmp_path: Path, how: How) -> None:
    """Neighbours in the file, promoted at the same time: the reason for one lock for each environment."""
    stage = small(tmp_path)
    entries = dict.fromkeys(("falco", "falcosidekick", "pipeline"), ENTRY)
    stage.land({PATH: lockfile.render(Lock("prod", entries))})
    for number, component in enumerate(entries):
        changed = replace(
            ENTRY, digest=f"sha256:{str(number) * 64}", origin=str(number) * 40, gates={}, versions={"chart": "x 1"}
        )
        changed = replace(changed, source=replace(ENTRY.source, commit=str(number + 3) * 40))
        stage.branch(component, {PATH: lockfile.render(Lock("prod", {**entries, component: changed}))})
    for component in entries:
        stage.merge(component, how)
    merged = lockfile.read(PATH, (stage.folder / PATH).read_bytes()).components
    assert [merged[name].origin[0] for name in sorted(entries)] == ["0", "1", "2"]
    assert lockfile.render(Lock("prod", merged)) == (stage.folder / PATH).read_bytes()
