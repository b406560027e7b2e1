"""Versions of Argo Workflows that one has to be above: an offline table, and the date it was last compared with what
the project has published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

CHECKED = "2026-07-31"
Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Floor:
    """A fault, when it was published, the first version of each major line without it, and what it is good for.

    `opens` means that a Workflow gets past Strict and Secure by it.
    """

    id: str
    published: str
    fixed: Mapping[int, Version]
    means: str
    opens: bool = True


FLOORS = (
    Floor("CVE-2026-31892", "2026-03-11", {3: (3, 7, 11), 4: (4, 0, 2)},
          "a Workflow's podSpecPatch makes any pod of the template's"),
    Floor("CVE-2026-40886", "2026-04-23", {3: (3, 7, 14), 4: (4, 0, 5)},
          "one annotation of a pod stops the controller for good", opens=False),
    Floor("CVE-2026-42296", "2026-05-09", {3: (3, 7, 14), 4: (4, 0, 5)},
          "a Workflow may set hostNetwork, securityContext and serviceAccountName all the same"),
    Floor("CVE-2026-54526", "2026-07-16", {3: (3, 7, 15), 4: (4, 0, 6)},
          "a Workflow's artifactGC.podSpecPatch makes any pod of the one that collects artifacts"),
)  # fmt: skip
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-(?:alpha|beta|rc))?")


def below(text: str) -> tuple[Floor, ...]:
    """The faults that the version of a tag has; none of one that nobody can tell. Lines older than the table have them
    all, and so has a candidate of the first version without."""
    found = _VERSION.match(text)
    if found is None:
        return ()
    known = (int(found[1]), int(found[2]), int(found[3]))
    return tuple(floor for floor in FLOORS if _older(known, floor.fixed, candidate=bool(found[4])))


def _older(known: Version, fixed: Mapping[int, Version], *, candidate: bool) -> bool:
    first = fixed.get(known[0])
    if first is None:
        return known[0] < min(fixed)
    return known < first or (candidate and known == first)
