"""Everything that anybody does in one environment, as far as it is written here; and who they are of whom it is not."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from kre.model.bundle import Bundle, Environment
from kre.model.resource import dig, each
from kre.model.source import Source
from kre.rbac.environment import World, world
from kre.rbac.identities import Identity, running
from kre.rbac.require import programs
from kre.rbac.require.events import of_events
from kre.rbac.require.model import Account, Act, account
from kre.rbac.require.pods import of_pods
from kre.rbac.require.scene import Scene
from kre.rbac.require.workflows import of_workflows

Acts = dict[Account, list[Act]]


def acts(bundle: Bundle, environment: Environment | None) -> Acts:
    """Identity -> what it does: everybody that something runs as, and everybody whom a binding names. Who does nothing
    here, and is made here, has no acts, and needs nothing."""
    name = environment.name if environment else None
    known = world(bundle, name)
    targets = tuple(str(name) for name in each(environment.spec, "targets")) if environment else None
    scene = Scene(bundle, known.resources, targets)
    found: Acts = {}
    for act in (*of_events(scene), *of_pods(scene), *of_workflows(scene), *_others(scene)):
        found.setdefault(act.who, []).append(act)
    for act in (*_named(running(bundle, name)), *_bound(scene, known)):
        if act.who not in found:
            found[act.who] = [act]
    for item in scene.of("ServiceAccount"):
        found.setdefault(account(item.namespace, item.name), [])
    return dict(sorted(found.items()))


def _others(scene: Scene) -> Iterator[Act]:
    """Whom the files beside the code give something to do without a program of their own: people, above all."""
    for source in _declarations(scene):
        for index, entry in enumerate(each(source.documents[0].value, "identities")):
            for position, need in enumerate(each(entry, "needs")):
                who, at = str(dig(entry, "name")), source.at(("identities", index, "needs", position))
                rights = tuple(programs.needs(scene, need))
                yield Act(who, f"{who} {dig(need, 'does')}", None, needs=rights, declared=at)


def _declarations(scene: Scene) -> Iterable[Source]:
    """Every needs.yaml beside code that a ConfigMap of this environment is made from."""
    folders = {
        posixpath.dirname(path) for item in scene.of("ConfigMap") for path in programs.files(scene, item).values()
    }
    paths = (posixpath.join(folder, programs.FILE) for folder in sorted(folders))
    return [found for path in paths if (found := scene.bundle.sources.get(path)) and found.documents]


def _named(running: Iterable[Identity]) -> Iterator[Act]:
    """Those that are named where nobody can see what they do: values of a chart, patches in text, a project."""
    for identity in running:
        if identity.parameterised:
            continue
        for use in identity.uses:
            who = account(identity.namespace, identity.name)
            why = f"{use.resource} names it, and what that does is not written here"
            yield Act(who, str(use.resource), use.resource, use.pointer, unknown=why)


def _bound(scene: Scene, known: World) -> Iterator[Act]:
    """Whom bindings name that are not made here: by a chart, or by nobody who is known; and people."""
    for binding in known.policy.bindings:
        for index, subject in enumerate(binding.subjects if binding.resource is not None else ()):
            if subject.kind != "ServiceAccount":
                who, why = f"{subject.kind} {subject.name}", "what people do is written nowhere here"
            else:
                space = subject.namespace or binding.namespace
                if scene.find("ServiceAccount", space, subject.name) is not None:
                    continue
                who, why = account(space, subject.name), _maker(scene, space)
            yield Act(who, who, binding.resource, ("subjects", index), unknown=why)


def _maker(scene: Scene, namespace: str) -> str:
    for item in scene.of("Application"):
        charts = [
            one for one in (*each(item.body, "spec", "sources"), dig(item.body, "spec", "source")) if dig(one, "chart")
        ]
        if charts and dig(item.body, "spec", "destination", "namespace") == namespace:
            return f"it is made by chart {dig(charts[0], 'chart')}, whose code is not here"
    return "nothing here makes it, or runs as it"
