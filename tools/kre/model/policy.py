"""What overlays/environments.yaml says of promotion: the path, the gates on it, when it is closed, and what may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

FORGE: Literal["forge"] = "forge"
Waivable: TypeAlias = Literal["soak", "freeze", "approvals", "signed"]


@dataclass(frozen=True, slots=True)
class Window:
    """A time that comes again: `cron` or `rrule`, in the local time of `zone`, for `duration` (hours and minutes as
    they pass, after `days` on the calendar). An rrule counts from `start`. Nothing is promoted in a "deny" window;
    where there are "allow" windows, nothing is promoted outside of them. Deny wins."""

    kind: Literal["deny", "allow"]
    reason: str
    zone: str
    duration: timedelta
    days: int = 0
    cron: str = ""
    rrule: str = ""
    start: datetime | None = None  # local


@dataclass(frozen=True, slots=True)
class Gates:
    """What must be so before a component enters an environment. `approvals`: a number of signatures, FORGE (branch
    protection asks for them), or None for none."""

    check: bool = True  # "validate" in the file
    policy: bool = True
    soak: timedelta = timedelta()
    approvals: int | Literal["forge"] | None = None
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Hotfix:
    """How an emergency may enter: from which environments further back, and without which gates."""

    sources: tuple[str, ...] = ()
    waives: tuple[Waivable, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One environment on the path, and the one that it is promoted from (None: it runs base/)."""

    name: str
    source: str | None = None
    gates: Gates = field(default_factory=Gates)
    freeze: tuple[Window, ...] = ()
    hotfix: Hotfix | None = None

    @property
    def release(self) -> str:
        """The folder that holds what it runs."""
        return f"overlays/{self.name}/release" if self.source else "base"

    @property
    def lock(self) -> str:
        """The path of its lock. One that runs base/ has none."""
        return f"overlays/{self.name}/release.lock.yaml"


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole file. `include` and `forbid` are patterns over paths below base/ or release/; `units` are components
    that are promoted together, by the name of the unit. `accepted_risks`: whether an accepted risk counts in the pull
    request that adds it ("codeowners" protect it), or only after it was merged ("base")."""

    steps: tuple[Step, ...]
    include: tuple[str, ...] = ("<component>/**",)
    forbid: tuple[str, ...] = ()
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    accepted_risks: Literal["codeowners", "base"] = "codeowners"

    def step(self, name: str) -> Step | None:
        """The environment of this name."""
        return next((step for step in self.steps if step.name == name), None)

    def unit_of(self, component: str) -> str:
        """The unit that a component belongs to: its own name where it stands alone."""
        return next((unit for unit, names in self.units.items() if component in names), component)

    def members(self, component: str) -> tuple[str, ...]:
        """The components that go together with one, itself among them."""
        return self.units.get(self.unit_of(component), (component,))

    def path(self, source: str, target: str) -> tuple[Step, ...]:
        """The environments after `source` up to `target`, in order; () where no path leads there."""
        found: list[Step] = []
        step = self.step(target)
        while step and step not in found and step.name != source:
            found.insert(0, step)
            step = self.step(step.source) if step.source else None
        return tuple(found) if step and step.name == source else ()
