"""One component in one hop: its files three ways, what stands against it, and the entry that the lock would get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from kre.model.promotion import (
    Block,
    Commit,
    ComponentPlan,
    Entry,
    Locked,
    Previous,
    Reason,
    Side,
    Source,
    State,
)
from kre.promote import options, paths, threeway
from kre.promote.deviations import explained, settle
from kre.promote.gates import Case, Verdict, history_missing
from kre.promote.hop import Way
from kre.promote.versions import objects, versions

FIRST_FILL = frozenset({"soak", "freeze", "approvals", "signed"})  # what is waived then


@dataclass
class Component:
    """A component on its way. Read only through `planned`."""

    way: Way
    name: str
    blocks: list[Block] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        way = self.way
        self.before = way.target_lock.components.get(self.name) if way.target_lock else None
        self.evidence = way.source_lock.components.get(self.name) if way.source_lock else None
        self.theirs = way.view.entries(way.source, self.name, way.view.source)
        self.ours = way.view.entries(way.target, self.name)
        base = self._base()
        known = threeway.compare(base, self.ours, self.theirs, way.view.objects.blob, self._merge, self._accepted)
        self.files, drifted = settle(known, way.wanted.merge, way.wanted.accept_drift, gone=not self.theirs)
        self.blocks += drifted
        self.new = {each.result.blob: each.text for each in self.files if each.side is Side.MERGED and each.result}
        self.result = tuple(each.result for each in self.files if each.result)
        self.accepted = explained(self.files, self.before, way.wanted.accept_drift or "kept by --merge")
        self.source_digest = way.view.digest(self.theirs)
        self.digest = way.view.digest(self.result, self.new)

    def planned(self) -> ComponentPlan:
        """Everything that is to be said of it, but for what its unit adds."""
        way = self.way
        if not self.changes and not self.blocks:
            return self._made(State.IN_SYNC, Verdict())
        self.blocks += self._against()
        initial, hotfix = way.initial, way.wanted.hotfix and way.target.hotfix
        waives = FIRST_FILL if initial else frozenset(hotfix.waives) if hotfix else frozenset()
        case = Case(
            way.target,
            self.name,
            self.digest,
            way.standing(self.name),
            way.wanted.authors,
            "initial" if initial else "hotfix",
            waives,
        )
        verdict = way.gates.judge(way.view, case)
        self.blocks += verdict.blocks
        return self._made(self._state(), verdict)

    @property
    def changes(self) -> bool:
        """Whether something would be written: bytes, or what the lock says of them."""
        if self.before is None:
            return bool(self.ours or self.theirs)
        told = (self.before.digest, frozenset(self.before.accepted))
        return not self.theirs or self.result != self.ours or told != (self.digest, frozenset(self.accepted))

    @property
    def removed(self) -> bool:
        return not self.theirs

    @cached_property
    def origin(self) -> str:
        """The commit of the default branch at which base/ held what comes."""
        return self.evidence.origin if self.evidence else self.way.view.source

    @cached_property
    def downgrade(self) -> bool:
        """Whether what comes is older than what is there."""
        before = self.before.origin if self.before else self.origin
        history = self.way.view.history
        return before != self.origin and before in history and history.is_ancestor(self.origin, before)

    # ---- three ways

    def _base(self) -> tuple[Entry, ...]:
        """What was last promoted, as the source held it."""
        view, before = self.way.view, self.before
        if before is None:
            return self._unlocked()
        if view.digest(self.ours) == before.source.digest:
            return self.ours  # as promoted, to the byte: no need to look it up
        if not view.objects.has(before.source.commit):
            if view.history.cut:
                self.blocks.append(history_missing(view, f"what {self.way.target.name} was given"))
            else:
                self.blocks.append(_untrue(self.way, self.name, f"commit {before.source.commit} does not exist"))
            return self.ours
        base = view.objects.tree(before.source.commit, before.source.path)
        if view.digest(base) != before.source.digest:
            message = f"{before.source.path} at commit {before.source.commit[:12]} has another digest"
            self.blocks.append(_untrue(self.way, self.name, message))
        return base

    def _unlocked(self) -> tuple[Entry, ...]:
        """Of a release that no lock explains, the files that the source, or base/, once held: those are merely old."""
        if all(entry in self.theirs for entry in self.ours):
            return tuple(entry for entry in self.ours if entry in self.theirs)
        history, source = self.way.view.history, self.way.source
        held = history.held(f"{source.release}/{self.name}") | history.held(f"base/{self.name}")
        return tuple(entry for entry in self.ours if entry in held)

    def _merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes, bool]:
        labels = (self.way.target.name, "as promoted", self.way.source.name)
        return self.way.view.objects.merge_file(base, ours, theirs, labels)

    def _accepted(self, path: str, entry: Entry | None) -> bool:
        known = {each.path: each for each in self.before.accepted} if self.before else {}
        found = known.get(path)
        if found is None or entry is None:
            return found is not None and not found.blob
        return found.blob == entry.blob and (not found.mode or found.mode == entry.mode)

    # ---- what stands against it

    def _against(self) -> Iterator[Block]:
        way, view = self.way, self.way.view
        yield from self._unproved()
        yield from paths.problems(self.name, self.theirs, view.policy)
        if clash := paths.collisions(entry.path for entry in self.result) - paths.collisions(
            entry.path for entry in self.theirs
        ):
            yield Block(Reason.CASE_COLLISION, "a deviation has the name of a file", "rename one", tuple(sorted(clash)))
        if changed := way.dirty(self.name):
            hint = "commit and merge them, or put them aside: git stash"
            yield Block(Reason.SOURCE_DIRTY, "these are not committed: what is promoted is", hint, changed)
        yield from options.gone(self.name, self.result, way.choices)
        if self.before and self.before.origin not in view.history:
            yield history_missing(view, "whether this is older than what is there")
        elif self.downgrade and not way.wanted.allow_downgrade and not self.removed:
            message = (
                f"{way.target.name} has base/ of a later commit ({self.before.origin[:12] if self.before else ''})"
            )
            yield Block(Reason.DOWNGRADE, message, "--allow-downgrade, or: kre rollback")
        if self.removed and not way.wanted.allow_delete:
            pruned = ", ".join(objects(self.ours, view.objects.blob)) or "nothing"
            yield Block(Reason.REMOVAL, f"{way.source.name} has it no more; Argo CD prunes {pruned}", "--allow-delete")
        new = self.before is None and not self.ours
        if new and (missing := tuple(options.missing_facts(view, way.source, way.target, self.name))):
            yield Block(Reason.FACTS_MISSING, f"{way.target.name} lacks {', '.join(missing)}", "add them", missing)

    def _unproved(self) -> Iterator[Block]:
        """The bytes must be those that the source runs now, and that its lock names."""
        way, view = self.way, self.way.view
        at = f"{way.source.release}/{self.name}"
        if view.source != view.base and self.source_digest != view.digest(view.entries(way.source, self.name)):
            message = f"{at} at {view.source[:12]} is not what {way.source.name} runs now"
            yield Block(Reason.SOURCE_NOT_LOCKED, message, "leave out --source-ref, or bring these bytes back first")
        if way.source.source is None:
            return
        if (self.evidence.digest if self.evidence else None) != (self.source_digest if self.theirs else None):
            message = f"{way.source.lock} does not name these bytes of {at}"
            yield Block(Reason.SOURCE_NOT_LOCKED, message, f"kre promote {way.source.source} {way.source.name} first")

    # ---- what comes of it

    def _state(self) -> State:
        reasons = {block.reason for block in self.blocks}
        if reasons & {Reason.DRIFT, Reason.CONFLICT}:
            return State.DRIFTED
        if self.removed:
            return State.REMOVED
        if self.downgrade:
            return State.DOWNGRADE
        if self.blocks:
            return State.BLOCKED
        return State.PROMOTE if self.before else State.NEW

    def _made(self, state: State, verdict: Verdict) -> ComponentPlan:
        way = self.way
        written = state is not State.IN_SYNC
        if written:
            self._note()
        return ComponentPlan(
            self.name,
            way.view.policy.unit_of(self.name),
            state,
            self.files,
            tuple(self.blocks),
            self._commits() if written else (),
            verdict.gates,
            self.before,
            None if self.blocks or not written or self.removed else self._locked(verdict),
            tuple(self.notes),
            self.digest,
            self.accepted,
        )

    def _note(self) -> None:
        way = self.way
        self.notes += options.unchosen(self.name, self.ours, self.result, way.choices)
        if self.before is None and not self.ours:
            self.notes += options.unlisted(way.target, self.name, way.choices)
        if self.removed:
            self.notes += [f"prunes {each}" for each in objects(self.ours, way.view.objects.blob)]

    def _commits(self) -> tuple[Commit, ...]:
        view = self.way.view
        older = self.before.origin if self.before and self.before.origin in view.history else None
        if self.removed or self.origin not in view.history:
            return ()
        return view.history.touching(f"base/{self.name}", self.origin, older)

    def _locked(self, verdict: Verdict) -> Locked:
        way, before = self.way, self.before
        source = Source(f"{way.source.release}/{self.name}", way.view.source, self.source_digest)
        return Locked(
            way.source.name,
            source,
            self.origin,
            self.digest,
            way.gates.now,
            verdict.gates,
            self.accepted,
            (),
            Previous(before.digest, before.source, before.origin) if before else None,
            versions(self.result, self._read),
            None,
            way.wanted.hotfix,
        )

    def _read(self, blob: str) -> bytes:
        return self.new[blob] if blob in self.new else self.way.view.objects.blob(blob)


def _untrue(way: Way, name: str, why: str) -> Block:
    hint = f"git log -- {way.target.lock} shows who changed it; kre validate says more"
    return Block(Reason.DRIFT, f"{way.target.lock} is not true of {name}: {why}", hint)
