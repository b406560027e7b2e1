"""What is asked about one environment: its policy, who runs as whom, and the line of everything. Plain JSON, so that it
can be kept between runs, and an Atlas made of that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import Pointer, Resource, each
from kre.rbac.decode import Rejected
from kre.rbac.defaults import join
from kre.rbac.environment import DEFAULT, world
from kre.rbac.evaluate import Policy, policy
from kre.rbac.identities import running
from kre.rbac.model import Question, Role, Step, User, account
from kre.rbac.objects import parse
from kre.rbac.reach.ground import Ground, from_json, ground, to_json

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Runs:
    """What runs as somebody: the object, and the line that says so. `implied`: it names nobody."""

    by: str
    place: str
    implied: bool = False


@dataclass(frozen=True)
class Atlas:
    """One environment ("" for a folder without any).

    `runs` has every ServiceAccount as (namespace, name) that is known at all, with what runs as it. `refused` are RBAC
    objects that the API server would not take; `charts` are those that are not rendered, whose RBAC is not in here,
    each with why; `brought` are those whose RBAC is, each with the checksum of its archive. `ground` is what else
    decides who can become whom.
    """

    environment: str
    policy: Policy
    runs: Mapping[tuple[str, str], tuple[Runs, ...]]
    refused: tuple[str, ...]
    charts: tuple[tuple[str, str], ...]
    brought: tuple[tuple[str, str, bool], ...]  # chart, sha256, whether it is pinned
    places: Mapping[tuple[str, str, str, Pointer], Place]
    ground: Ground = field(default_factory=Ground)

    def place(self, step: Step) -> Place | None:
        """Where a link of a chain is written; None for what comes with Kubernetes."""
        return self.places.get((step.kind, step.namespace, step.name, step.pointer))

    def people(self) -> list[tuple[str, User]]:
        """The users and groups, each as a kind and a name and as somebody, that bindings here name."""
        named = {
            (subject.kind, subject.name)
            for binding in self.policy.bindings
            for index, subject in enumerate(binding.subjects)
            if subject.kind != "ServiceAccount" and self.place(binding.step(index))
        }
        return [
            (f"{kind} {name}", User(name) if kind == "User" else User("", frozenset((name,))))
            for kind, name in sorted(named)
        ]

    def able(self, asked: Question) -> dict[str, list[str]]:
        """Namespace -> everybody known here who may do it there; under "" whoever may everywhere, and is listed in no
        namespace then."""
        everybody = [(f"ServiceAccount {space}/{name}", account(space, name)) for space, name in sorted(self.runs)]
        everybody += self.people()
        spaces = sorted({binding.namespace for binding in self.policy.bindings} - {""}) if not asked.path else []
        found: dict[str, list[str]] = {}
        for title, user in everybody:
            if self.policy.allows(user, replace(asked, namespace="")):
                found.setdefault("", []).append(title)
                continue
            for space in spaces:
                if self.policy.allows(user, replace(asked, namespace=space)):
                    found.setdefault(space, []).append(title)
        return dict(sorted(found.items()))

    def ours(self, chain: tuple[Step, ...]) -> bool:
        """Whether something of a chain is written here, so that it does not come with every cluster."""
        return any(self.place(step) is not None for step in chain)


def compiled(bundle: Bundle, environment: str | None) -> Json:
    """All of that as JSON."""
    known = world(bundle, environment)
    resources = [item.resource for item in known.own if item.resource is not None]
    used = {(one.namespace, one.name): one.uses for one in running(bundle, environment)}
    named = {(item.namespace or DEFAULT, item.name) for item in known.resources if item.kind == "ServiceAccount"}
    return {
        "environment": environment or "",
        "objects": [
            {"body": item.body, "namespace": item.namespace, "places": list(_places(bundle, item))}
            for item in resources
        ],
        "accounts": [
            {
                "namespace": space,
                "name": name,
                "runs": [
                    {"by": str(use.resource), "place": str(use.place(bundle)), "implied": use.implied}
                    for use in used.get((space, name), ())
                ],
            }
            for space, name in sorted({*used, *named})
        ],
        "refused": [
            f"{place(bundle, item)}: {item} is not what the API server takes: {why}" for item, why in known.refused
        ],
        "charts": sorted({(chart, why) for _, chart, why in known.charts}),
        "brought": sorted({(str(chart), chart.sha256, chart.pinned) for chart in known.brought}),
        "ground": to_json(ground(bundle, known.resources)),
    }


def _places(bundle: Bundle, item: Resource) -> Iterator[list[Any]]:
    """[pointer, path, line, column] of an object, its rules and its subjects."""
    pointers: list[Pointer] = [()]
    pointers += [(field, index) for field in ("rules", "subjects") for index in range(len(each(item.body, field)))]
    for pointer in pointers:
        at = place(bundle, item, pointer)
        yield [pointer, at.path, at.line, at.column]


def atlas(found: Json) -> Atlas:
    """The Atlas of what compiled() made."""
    items, places = [], {}
    for entry in found["objects"]:
        try:
            item = parse(entry["body"], entry["namespace"] or DEFAULT)
        except Rejected as error:  # compiled() has left those out
            raise AssertionError(entry) from error
        items.append(item)
        for pointer, *at in entry["places"]:
            places[item.kind, item.namespace, item.name, tuple(pointer)] = Place(*at)
    runs = {
        (entry["namespace"], entry["name"]): tuple(Runs(**one) for one in entry["runs"]) for entry in found["accounts"]
    }
    for item in items:
        for subject in () if isinstance(item, Role) else item.subjects:
            if subject.kind == "ServiceAccount":
                runs.setdefault((subject.namespace or item.namespace, subject.name), ())
    return Atlas(
        found["environment"],
        policy(join(items)),
        runs,
        tuple(found["refused"]),
        tuple((chart, why) for chart, why in found["charts"]),
        tuple((chart, digest, pinned) for chart, digest, pinned in found["brought"]),
        places,
        from_json(found["ground"]),
    )
