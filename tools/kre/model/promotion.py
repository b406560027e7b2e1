"""What a promotion is made of: files as Git has them, locks, states, and the plan that says what would be written.

A *component* is one folder of base/ (falco, pipeline, ...). Paths of files are relative to their component, commits and
blobs are full object ids, digests are `sha256:<64 hex>`, times are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file of a component: its path, and Git's mode ("100644", "100755", "120000" a link, "160000" a submodule)
    and object id for it."""

    path: str
    mode: str
    blob: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes of a component were read: folder relative to the root, commit, digest."""

    path: str
    commit: str
    digest: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that differs from the source's on purpose. `blob` is what stands there instead, "" for nothing; `mode`
    is Git's mode where that differs from the source's (or, of a file that the source lacks, from "100644")."""

    path: str
    blob: str
    reason: str
    mode: str = ""


@dataclass(frozen=True, slots=True)
class AcceptedRisk:
    """A change that would be refused, accepted: its kind, and the digest of exactly that change."""

    kind: str
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing of the unit is promoted into the environment until `until`, or until it is lifted where that is None."""

    by: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Previous:
    """What an entry replaced: where a rollback leads, and what a merge compares with."""

    digest: str
    source: Source
    origin: str


@dataclass(frozen=True, slots=True)
class Locked:
    """One component in an environment's lock.

    `environment` is where it came from ("from" in the file), `origin` the commit of the default branch at which base/
    held these bytes, `digest` that of the target's own bytes (the source's, unless something was accepted). `gates` is
    gate -> passed, delegated, waived: initial, and so on; `versions` is derived, for people ({"chart": ..., "images"}).
    """

    environment: str
    source: Source
    origin: str
    digest: str
    promoted: datetime
    gates: Mapping[str, str] = field(default_factory=dict)
    accepted: tuple[Accepted, ...] = ()
    accepted_risks: tuple[AcceptedRisk, ...] = ()
    previous: Previous | None = None
    versions: Mapping[str, object] = field(default_factory=dict)
    hold: Hold | None = None
    hotfix: str = ""  # the reason, where an environment was skipped


@dataclass(frozen=True, slots=True)
class Lock:
    """overlays/<environment>/release.lock.yaml."""

    environment: str
    components: Mapping[str, Locked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Merged:
    """What Git says of a revision. `digests`: component -> digest of its folder below base/. `locked`: (environment,
    component) -> every source and digest that the environment's lock named on the way there."""

    digests: Mapping[str, str] = field(default_factory=dict)
    locked: Mapping[tuple[str, str], frozenset[tuple[Source, str]]] = field(default_factory=dict)


class State(StrEnum):
    """What is to be said of a component in a hop."""

    PROMOTE = "promote"
    IN_SYNC = "in-sync"
    DRIFTED = "drifted"
    BLOCKED = "blocked"
    DOWNGRADE = "downgrade"
    NEW = "new"
    REMOVED = "removed"


class Reason(StrEnum):
    """Why a component does not go on. Each stands in docs/promote.md with what to do."""

    SOURCE_NOT_MERGED = "source-not-merged"  # the hop before has not reached the default branch
    SOURCE_NOT_LOCKED = "source-not-locked"  # the bytes are not those that the source's lock names, or that it runs now
    SOURCE_DIRTY = "source-dirty"  # the work tree holds changes of the source that are not committed
    NO_LOCK = "no-lock"  # the target was never filled: --initial
    COMMIT_NOT_MERGED = "commit-not-merged"  # --source-ref is no ancestor of the default branch
    HISTORY_MISSING = "history-missing"  # a shallow clone
    SKIPS_ENVIRONMENT = "skips-environment"
    FORBIDDEN_PATH = "forbidden-path"
    NOT_A_FILE = "not-a-file"  # a link or a submodule
    CASE_COLLISION = "case-collision"
    DRIFT = "drift"
    CONFLICT = "conflict"  # --merge could not merge
    DOWNGRADE = "downgrade"
    REMOVAL = "removal"  # needs --allow-delete
    FACTS_MISSING = "facts-missing"
    OPTION_GONE = "option-gone"  # a leaf chose what is no longer there
    HOLD = "hold"
    FREEZE = "freeze"
    SOAK = "soak"
    DATE_IN_FUTURE = "date-in-future"
    UNSIGNED = "unsigned"
    UNAPPROVED = "unapproved"
    NO_SIGNERS = "no-signers"
    VALIDATE = "validate"
    RISK = "risk"  # widened rights or targets, weaker authentication, ...: kre.compare names the kind
    UNIT = "unit"  # another component of its unit does not go on


class Side(StrEnum):
    """What happened to one file, seen three ways: base (the lock's source), ours (the target), theirs (the source)."""

    SAME = "same"  # nobody changed it, or both in the same way
    TAKE = "take"  # only the source did
    KEEP = "keep"  # only the target did: drift
    MERGED = "merged"  # both did, and it merges
    CONFLICT = "conflict"  # both did, and it does not


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file three ways, and what the target would hold: `result` is None where it would be gone.

    `text` is the merged text of MERGED, whose blob may not exist yet (write `text`: its id is the result's), and of
    CONFLICT the text with markers, b"" where there is none to show. `accepted`: a deviation that the lock explains.
    """

    path: str
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    side: Side
    result: Entry | None = None
    text: bytes = b""
    accepted: bool = False

    @property
    def drift(self) -> bool:
        """Whether the target holds what no promotion brought and nobody accepted, and the source does not hold either;
        or what was accepted, and the source has changed since."""
        return self.side in (Side.MERGED, Side.CONFLICT) or (self.side is Side.KEEP and not self.accepted)


@dataclass(frozen=True, slots=True)
class Block:
    """One reason why a component does not go on: in words, with what to do, and the files that it is about."""

    reason: Reason
    message: str
    hint: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that a promotion brings: id, committer's date, first line of its message."""

    id: str
    date: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class ComponentPlan:
    """One component in one hop. `files` are all that one of the three versions holds, so their results are the whole
    component. `locked` is the entry that the lock would get, None where nothing is written; `digest` that of what the
    target would hold, whatever stands against it: approvals sign that. `accepted` are the deviations it would have."""

    name: str
    unit: str
    state: State
    files: tuple[FileChange, ...] = ()
    blocks: tuple[Block, ...] = ()
    commits: tuple[Commit, ...] = ()
    gates: Mapping[str, str] = field(default_factory=dict)
    before: Locked | None = None
    locked: Locked | None = None
    notes: tuple[str, ...] = ()  # options that are new and chosen by no leaf, kinds that would be pruned, ...
    digest: str = ""
    accepted: tuple[Accepted, ...] = ()

    @property
    def goes(self) -> bool:
        """Whether it would be written: its files and its entry in the lock, or (state REMOVED) that both go."""
        return not self.blocks and self.state is not State.IN_SYNC


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from an environment to the next.

    `base` is the commit of the default branch that it was planned at, and the parent of the commit that would be
    written on `branch`.
    """

    source: str
    target: str
    base: str
    branch: str
    components: tuple[ComponentPlan, ...]
    blocks: tuple[Block, ...] = ()  # of the hop as a whole, such as source-not-merged

    @property
    def met(self) -> bool:
        """Whether there is nothing left to do."""
        return not self.blocks and all(each.state is State.IN_SYNC for each in self.components)

    @property
    def goes(self) -> tuple[ComponentPlan, ...]:
        """The components that would be written. None where the hop is blocked, or where one of them has drifted."""
        if self.blocks or any(each.state is State.DRIFTED for each in self.components):
            return ()
        return tuple(each for each in self.components if each.goes)


@dataclass(frozen=True, slots=True)
class Plan:
    """All hops on the way from one environment to another, in order. Only the first that is unmet is written."""

    hops: tuple[Hop, ...]
