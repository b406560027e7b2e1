"""Everything that was loaded, once: what rules, reports and promotion read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from kre.model.chart import Chart
from kre.model.finding import Finding
from kre.model.promotion import Lock, Merged
from kre.model.resource import Body, Pointer, Resource, Root
from kre.model.source import Kustomization, Source


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment: its name, the one it is promoted from (None: it runs base/), its folder, its facts."""

    name: str
    source: str | None
    folder: str
    facts: Body = field(repr=False, default_factory=dict)

    @property
    def spec(self) -> Body:
        found = self.facts.get("spec")
        return found if isinstance(found, Mapping) else {}


class Foreign(NamedTuple):
    """Something in or about a release that no promotion put there: where (a file, and what in it), why, what to do."""

    environment: str
    path: str
    why: str
    pointer: Pointer = ()
    hint: str = "change base/ instead, and promote it"


@dataclass(frozen=True)
class Bundle:
    """One root folder, loaded.

    With `overlays/environments.yaml` it has `environments`, in the order of promotion; a folder of plain manifests
    has none. `sources` are the parsed files and `kustomizations` those of every folder, by path; `problems` what
    could not be loaded. `config` is kre.yaml, {} where there is none. `locks` are those of the environments that were
    filled, `foreign` what no promotion put into a release. `owners` are the lines of CODEOWNERS, each a pattern and
    whether it names somebody. `before` is the bundle of an older revision, where one was asked for; `merged`, in that
    one, what Git says of the revision where the newer has other locks. `charts` are those of its Applications, where it
    was asked to render them; what they make is not among the resources.
    """

    root: Path
    environments: tuple[Environment, ...] = ()
    roots: tuple[Root, ...] = ()
    sources: Mapping[str, Source] = field(repr=False, default_factory=dict)
    kustomizations: Mapping[str, Kustomization] = field(repr=False, default_factory=dict)
    problems: tuple[Finding, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    locks: Mapping[str, Lock] = field(default_factory=dict)
    foreign: tuple[Foreign, ...] = ()
    owners: tuple[tuple[str, bool], ...] = ()
    charts: tuple[Chart, ...] = ()
    merged: Merged | None = field(repr=False, default=None)
    before: Bundle | None = field(repr=False, default=None)

    @cached_property
    def kept(self) -> dict[object, Any]:
        """Answers about it that were found once (kre.model.once)."""
        return {}

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every rendered object of every root."""
        return tuple(resource for root in self.roots for resource in root.resources)

    @cached_property
    def judged(self) -> tuple[Environment, ...]:
        """The environments of which everything could be rendered. Of others nobody knows what refers to what."""
        failed = {root.environment for root in self.roots if root.failed}
        return tuple(environment for environment in self.environments if environment.name not in failed)

    @cached_property
    def worlds(self) -> tuple[tuple[Environment | None, tuple[Resource, ...]], ...]:
        """Objects that live side by side: those of one environment that is `judged`; all of them where there are no
        environments, if all could be rendered."""
        if not self.environments:
            return () if any(root.failed for root in self.roots) else ((None, self.resources),)
        return tuple((environment, tuple(self.of(environment.name))) for environment in self.judged)

    def of(self, environment: str, *kinds: str) -> Iterator[Resource]:
        """The objects of an environment, of these kinds or of any."""
        for resource in self.resources:
            if resource.environment == environment and (not kinds or resource.kind in kinds):
                yield resource

    def root_at(self, path: str) -> Root | None:
        """The build unit of a folder, None where nothing is rendered there."""
        return next((root for root in self.roots if root.path == path), None)

    def environment(self, name: str) -> Environment:
        """The environment of this name. Raises KeyError."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        raise KeyError(name)
