"""The generated sets as they can live side by side on one API server: each with names of its own, so that none adds to
what another allows, and none to what the cluster had before.

Namespaces, users, groups and names of roles get the set's mark, paths go below /kre-test, and selectors of labels take
roles of their own set alone. Only `system:masters`, and Kubernetes' own roles and groups in the sets about those, stay
what they are.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from kre.rbac.model import ACCOUNT
from support import rbac_sets
from support.rbac_sets import Asked, Body

LABEL, SET, TAKES = "kre-test/rbac", "kre-test/rbac-set", "kre-test/rbac-aggregates"  # the run, the set, some have it
PREFIX = "kre-rbac-"
AGGREGATED = ("aggregation", "circle of aggregates", "defaults")  # what a controller has to be there for
# How many sets of a feature, and how many questions more near to each of theirs.
USUAL = (30, 2)
COUNTS = {
    "aggregation": (200, 0), "circle of aggregates": (16, 3), "defaults": (36, 1), "missing role": (80, 1),
    "nonResourceURLs": (36, 1), "system:masters": (20, 2),
}  # fmt: skip
FIELDS = ("verb", "group", "resource", "subresource", "name", "namespace", "path")  # of kre.rbac.model.Question
_KEPT = ("system:masters", "system:master", "system:authenticated")


@dataclass(frozen=True)
class Served:
    """One set: what it is about, its objects and questions under their names on the server, each question's feature."""

    feature: str
    objects: list[Body]
    questions: list[Asked]
    features: list[str]


def served(run: str) -> Iterator[Served]:
    """Every set of a run, whose mark is in all names. Those that a controller has work with come first."""
    for feature in sorted(rbac_sets.FEATURES, key=lambda name: name not in AGGREGATED):
        sets, more = COUNTS.get(feature, USUAL)
        for number in range(sets):
            line, features = rbac_sets.alone(Random(f"server {feature} {number}"), feature, more)
            mark = f"{run}-{list(rbac_sets.FEATURES).index(feature)}-{number}"
            yield Served(feature, *moved(line, run, mark), features)


def ordered(sets: Iterable[Served]) -> list[Body]:
    """All objects, in the order in which a controller that aggregates has the least to write: first whatever it has
    work with, and of that first what is aggregated; the rest while it works."""

    def key(entry: tuple[Served, Body]) -> tuple[bool, bool, str]:
        one, body = entry
        labels = body["metadata"]["labels"]
        return one.feature not in AGGREGATED, TAKES in labels, labels.get("level", "")

    return [body for _, body in sorted(((one, body) for one in sets for body in one.objects), key=key)]


def moved(line: Body, run: str, mark: str) -> tuple[list[Body], list[Asked]]:
    """The objects and questions of a line under the names that they get in a run."""
    own = {item["metadata"]["name"] for item in line["objects"]}
    move = _Move(run, mark, own, defaults=line["defaults"])
    return [move.item(item) for item in line["objects"]], [move.question(asked) for asked in line["questions"]]


def namespaces(run: str) -> list[str]:
    """Those that the objects of a run are in."""
    return [_space(name, run) for name in rbac_sets.NAMESPACES]


def _space(name: str, run: str) -> str:
    return f"{PREFIX}{run}-{name}" if name else ""


@dataclass(frozen=True)
class _Move:
    run: str
    mark: str
    own: set[str]
    defaults: bool

    def item(self, item: Body) -> Body:
        made = copy.deepcopy(item)
        meta = made["metadata"]
        meta["name"] = self._role(meta["name"])
        takes = {TAKES: "yes"} if "aggregationRule" in made else {}
        meta["labels"] = {**meta.get("labels", {}), LABEL: self.run, SET: self.mark, **takes}
        if "namespace" in meta:
            meta["namespace"] = _space(meta["namespace"], self.run)
        for rule in made.get("rules", ()):
            if "nonResourceURLs" in rule:
                rule["nonResourceURLs"] = [self._path(url) for url in rule["nonResourceURLs"]]
        for selector in made.get("aggregationRule", {}).get("clusterRoleSelectors", ()):
            selector["matchLabels"] = {**selector.get("matchLabels", {}), SET: self.mark}
        if "roleRef" in made:
            made["roleRef"]["name"] = self._role(made["roleRef"]["name"])
            made["subjects"] = [self._subject(subject) for subject in made["subjects"]]
        return made

    def question(self, asked: Asked) -> Asked:
        made = {**asked, "user": self._user(asked["user"]), "groups": [self._group(name) for name in asked["groups"]]}
        made["namespace"] = _space(asked.get("namespace", ""), self.run)
        return {**made, "path": self._path(asked["path"])} if asked.get("path") else made

    def _role(self, name: str) -> str:
        return f"{PREFIX}{self.mark}-{name}" if name in self.own else name

    def _subject(self, subject: dict[str, Any]) -> dict[str, Any]:
        if subject["kind"] == "ServiceAccount":
            made = {**subject, "name": f"{subject['name']}-{self.mark}"}
        else:
            made = {**subject, "name": (self._user if subject["kind"] == "User" else self._group)(subject["name"])}
        return {**made, "namespace": _space(subject["namespace"], self.run)} if "namespace" in subject else made

    def _user(self, name: str) -> str:
        if not name.startswith(ACCOUNT):
            return f"{name}-{self.mark}"
        space, _, account = name.removeprefix(ACCOUNT).partition(":")
        return f"{ACCOUNT}{_space(space, self.run)}:{account}-{self.mark}"

    def _group(self, name: str) -> str:
        return name if name in _KEPT else f"{name}-{self.mark}"

    def _path(self, path: str) -> str:
        return f"/kre-test{path}" if path.startswith("/") and not self.defaults else path
