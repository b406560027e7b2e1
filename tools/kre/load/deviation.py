"""How what stands in a release differs from its source, in the words of a lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kre.model.promotion import Accepted, Entry

USUAL = "100644"


def deviation(path: str, held: Entry | None, source: Entry | None, reason: str = "") -> Accepted:
    """How the lock says that the target holds `held` where the source has `source`."""
    if held is None:
        return Accepted(path, "", reason)
    return Accepted(path, held.blob, reason, "" if held.mode == (source.mode if source else USUAL) else held.mode)


def deviations(held: Mapping[str, Entry], source: Mapping[str, Entry]) -> Iterator[Accepted]:
    """All of them, by path, without reasons."""
    for path in sorted({*held, *source}):
        if held.get(path) != source.get(path):
            yield deviation(path, held.get(path), source.get(path))


def unexplained(
    held: Mapping[str, Entry], source: Mapping[str, Entry], accepted: Iterable[Accepted]
) -> tuple[str, ...]:
    """The paths that are other than the source and what is `accepted` of it make them, sorted."""
    known = {each.path: replace(each, reason="") for each in accepted}
    found = {each.path: each for each in deviations(held, source)}
    return tuple(sorted(path for path in {*known, *found} if known.get(path) != found.get(path)))
