"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# unknown: it could not be asked, or what it depends on has failed
Status: TypeAlias = Literal["ok", "warning", "failed", "unknown"]
WORST: tuple[Status, ...] = ("failed", "unknown", "warning", "ok")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is not as it should be: which object, what was found, and what to do next."""

    status: Status
    where: str
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check made of the snapshot: what to say where all is well, and else the troubles."""

    well: str
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report. `milliseconds` is that of a hop, since the alert was posted."""

    group: str
    check: str
    status: Status
    where: str
    found: str
    remedy: str = ""
    milliseconds: int | None = None


class Unreadable(Exception):
    """What a check needs could not be read. The message says why."""
