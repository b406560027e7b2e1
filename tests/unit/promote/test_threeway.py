"""Three versions of a file: a row for each case there is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kre.doors.git import blob_id
from kre.doors.git.objects import Objects
from kre.model.promotion import Entry, FileChange, Side
from kre.promote.threeway import compare, paths_of
from support.promotion import small

LINES = b"one\ntwo\nthree\nfour\nfive\n"
TOP, END = LINES.replace(b"one", b"ONE"), LINES.replace(b"five", b"FIVE")
OTHER = LINES.replace(b"one", b"1")
BOTH = TOP.replace(b"five", b"FIVE")
PLAIN, RUN, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
SAME, TAKE, KEEP, MERGED, CONFLICT = Side

# name: base, ours, theirs, side, result. A version is None, bytes, or (mode, bytes).
CASES = {
    "nobody changed it": (LINES, LINES, LINES, SAME, LINES),
    "source changed it": (LINES, LINES, TOP, TAKE, TOP),
    "source added it": (None, None, LINES, TAKE, LINES),
    "source deleted it": (LINES, LINES, None, TAKE, None),
    "source made it executable": (LINES, LINES, (RUN, LINES), TAKE, (RUN, LINES)),
    "source made it no longer executable": ((RUN, LINES), (RUN, LINES), LINES, TAKE, LINES),
    "target changed it": (LINES, TOP, LINES, KEEP, TOP),
    "target added it": (None, LINES, None, KEEP, LINES),
    "target deleted it": (LINES, None, LINES, KEEP, None),
    "target made it executable": (LINES, (RUN, LINES), LINES, KEEP, (RUN, LINES)),
    "both made the same change": (LINES, TOP, TOP, SAME, TOP),
    "both added the same": (None, LINES, LINES, SAME, LINES),
    "both deleted it": (LINES, None, None, SAME, None),
    "both made it executable": (LINES, (RUN, LINES), (RUN, LINES), SAME, (RUN, LINES)),
    "different lines": (LINES, TOP, END, MERGED, BOTH),
    "bytes here, mode there": (LINES, TOP, (RUN, LINES), MERGED, (RUN, TOP)),
    "mode here, bytes there": (LINES, (RUN, LINES), TOP, MERGED, (RUN, TOP)),
    "mode here, different lines": (LINES, (RUN, TOP), END, MERGED, (RUN, BOTH)),
    "same bytes, mode there": (LINES, TOP, (RUN, TOP), MERGED, (RUN, TOP)),
    "the same line": (LINES, TOP, OTHER, CONFLICT, TOP),
    "added in two ways": (None, TOP, OTHER, CONFLICT, TOP),
    "added with two modes": (None, LINES, (RUN, LINES), CONFLICT, LINES),
    "deleted here, changed there": (LINES, None, TOP, CONFLICT, None),
    "changed here, deleted there": (LINES, TOP, None, CONFLICT, TOP),
    "mode here, deleted there": (LINES, (RUN, LINES), None, CONFLICT, (RUN, LINES)),
    "deleted here, mode there": (LINES, None, (RUN, LINES), CONFLICT, None),
    "bytes that are no text": (b"\0a", b"\0b", b"\0c", CONFLICT, b"\0b"),
    "a link here": (LINES, (LINK, b"x"), TOP, CONFLICT, (LINK, b"x")),
    "a link there": (LINES, TOP, (LINK, b"x"), CONFLICT, TOP),
    "a submodule there": (LINES, TOP, (SUBMODULE, b"x"), CONFLICT, TOP),
}


@dataclass
class Store:
    """Blobs by id, and Git's own merge."""

    objects: Objects

    def __post_init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.merged = 0

    def entry(self, path: str, version: bytes | tuple[str, bytes] | None) -> list[Entry]:
        if version is None:
            return []
        mode, content = version if isinstance(version, tuple) else (PLAIN, version)
        name = blob_id(content)
        self.blobs[name] = content
        return [Entry(path, mode, name)]

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes, bool]:
        self.merged += 1
        return self.objects.merge_file(base, ours, theirs, ("prod", "before", "staging"))

    def compare(self, base, ours, theirs, **options) -> tuple[FileChange, ...]:
        return compare(
            *(self.entry("f", version) for version in (base, ours, theirs)),
            self.blobs.__getitem__,
            self.merge,
            **options,
        )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(Objects(small(tmp_path_factory.mktemp("stage")).folder))


@pytest.mark.parametrize(("base", "ours", "theirs", "side", "result"), CASES.values(), ids=CASES)
def test_case(store: Store, base, ours, theirs, side, result) -> None:
    (change,) = store.compare(base, ours, theirs)
    assert change.side is side
    assert [*store.entry("f", result)] == ([change.result] if change.result else [])
    assert change.drift == (side in (KEEP, MERGED, CONFLICT))
    if side is MERGED and change.result:
        assert blob_id(change.text) == change.result.blob


def test_every_case_there_is_has_a_row() -> None:
    """Bytes and modes of three versions, up to renaming: which are equal, and which are no file."""

    def shape(versions: tuple) -> tuple:
        files = [v if isinstance(v, tuple) else (PLAIN, v) if v is not None else None for v in versions]
        kinds = [f is None for f in files]
        equal = [a == b for a, b in ((files[0], files[1]), (files[1], files[2]), (files[0], files[2]))]
        return (*kinds, *equal)

    wanted = {
        shape((a, b, c))
        for a in (None, b"1", b"2", b"3")
        for b in (None, b"1", b"2", b"3")
        for c in (None, b"1", b"2", b"3")
        if (a, b, c) != (None, None, None)
    }
    assert wanted <= {shape(row[:3]) for row in CASES.values()}


def test_a_conflict_shows_both_sides(store: Store) -> None:
    (change,) = store.compare(LINES, TOP, OTHER)
    assert change.text == (b"<<<<<<< prod\nONE\n=======\n1\n>>>>>>> staging\n" + LINES.removeprefix(b"one\n"))
    (gone,) = store.compare(LINES, None, TOP)
    assert b"<<<<<<< prod\n=======\nONE\n" in gone.text


def test_nothing_is_merged_that_need_not_be(store: Store) -> None:
    store.merged = 0
    for base, ours, theirs, side, _ in CASES.values():
        if side in (SAME, TAKE, KEEP):
            store.compare(base, ours, theirs)
    store.compare(LINES, TOP, (RUN, LINES))
    assert store.merged == 0


def test_an_accepted_deviation_is_no_drift_until_the_source_changes_the_file(store: Store) -> None:
    def accepted(path: str, entry: Entry | None) -> bool:
        return path == "f" and entry is not None and entry.blob == blob_id(TOP)

    (kept,) = store.compare(LINES, TOP, LINES, accepted=accepted)
    assert (kept.side, kept.drift) == (KEEP, False)
    (other,) = store.compare(LINES, END, LINES, accepted=accepted)
    assert other.drift
    (moved,) = store.compare(LINES, TOP, END, accepted=accepted)
    assert (moved.side, moved.drift) == (MERGED, True)


tree = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.sampled_from([PLAIN, RUN]), st.sampled_from([b"1", b"2"])))


@given(tree, tree, tree)
def test_no_file_is_lost_and_no_byte_made_up(base: dict, ours: dict, theirs: dict) -> None:
    blobs = {blob_id(content): content for content in (b"1", b"2")}
    trees = [[Entry(p, mode, blob_id(content)) for p, (mode, content) in t.items()] for t in (base, ours, theirs)]
    changes = compare(*trees, blobs.__getitem__, lambda *_: (b"", False))
    assert [change.path for change in changes] == sorted({*base, *ours, *theirs})
    result = paths_of(changes)
    for change in changes:
        held = {ours.get(change.path), theirs.get(change.path)}
        found = result.get(change.path)
        if change.side is not MERGED:
            assert (None if found is None else (found.mode, blobs[found.blob])) in held
    if ours == base:  # nothing was done by hand: the target becomes the source, to the byte
        assert result == {entry.path: entry for entry in trees[2]}
    if theirs == base:
        assert result == {entry.path: entry for entry in trees[1]}
