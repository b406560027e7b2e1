"""Who notices a fault: a promise, or a rule of `kre validate`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kre.model.bundle import Bundle
from kre.model.resource import Resource
from kre.rules.run import validate
from safety.mutate import Mutant
from safety.promise import VALUES, World, promises


@dataclass(frozen=True)
class Watch:
    """The watchers of one environment, none of which has anything to say as it is."""

    bundle: Bundle  # of this environment alone
    world: World

    def promise(self, mutant: Mutant) -> str:
        """What a promise says about a mutant, "" where all keep quiet."""
        for promise in sorted(promises().values(), key=lambda one: not one.alone):
            for complaint in promise.about(self.world, mutant.old, mutant.made):
                return str(complaint)
        return ""

    def rule(self, mutant: Mutant) -> str:
        """What a rule of `kre validate` says about it, "" where it finds nothing."""
        if mutant.old.kind == VALUES:
            return ""
        for finding in validate(swapped(self.bundle, mutant.old, mutant.made)):
            return f"{finding.rule}: {finding.message}"
        return ""


def swapped(bundle: Bundle, old: Resource, new: Resource | None) -> Bundle:
    """The bundle, as if an object had been rendered otherwise."""
    roots = []
    for root in bundle.roots:
        if any(item is old for item in root.resources):
            resources = (item if item is not old else new for item in root.resources)
            roots.append(replace(root, resources=tuple(item for item in resources if item is not None)))
        else:
            roots.append(root)
    return replace(bundle, roots=tuple(roots))
