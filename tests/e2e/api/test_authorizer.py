"""The evaluator against the authorizer of a real API server, on generated roles, bindings and questions: thousands of
SubjectAccessReviews about some seven hundred sets, all on the server together.

How often each feature was allowed and denied is printed, and written to build/rbac-on-a-server.md.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from e2e.api.authorizer import Authorizer
from e2e.http import Http
from e2e.kubectl import PROJECT
from kre.rbac.defaults import defaults, lock
from kre.rbac.evaluate import Policy, policy
from kre.rbac.model import Question, Role, User
from kre.rbac.objects import parse
from support import rbac_counts
from support.rbac_server import AGGREGATED, FIELDS, Served, ordered, served
from support.rbac_sets import FEATURES, Asked, Body

pytestmark = [pytest.mark.e2e, pytest.mark.api]

REPORT = PROJECT / "build/rbac-on-a-server.md"
NO_CONTROLLER = "NOT TESTED: no kube-controller-manager aggregates ClusterRoles on this cluster"


@dataclass
class Compared:
    """What the server said and what the evaluator says, by feature; `aggregates`: whether a controller is there."""

    before: list[Body]
    aggregates: bool = False
    answers: dict[str, list[tuple[Asked, bool, bool]]] = field(default_factory=lambda: {name: [] for name in FEATURES})

    def add(self, sets: list[Served], said: list[bool], known: Policy) -> None:
        asked = [(feature, one) for made in sets for feature, one in zip(made.features, made.questions, strict=True)]
        for (feature, question), allowed in zip(asked, said, strict=True):
            self.answers[feature].append((question, allowed, known.allows(*question_of(question))))

    def counts(self) -> rbac_counts.Counts:
        return rbac_counts.counts((name, said) for name, found in self.answers.items() for _, said, _ in found)


def question_of(asked: Asked) -> tuple[User, Question]:
    user = User(asked["user"], frozenset(asked["groups"]))
    return user, Question(*(asked.get(name, "") for name in FIELDS))


@pytest.fixture(scope="module")
def compared(http: Http) -> Iterator[Compared]:
    run = secrets.token_hex(3)
    server, sets = Authorizer(http, run), list(served(run))
    server.clean()
    found = Compared(list(server.everything()))
    try:
        _compare(server, found, sets)
        yield found
    finally:
        server.clean()


def _compare(server: Authorizer, found: Compared, sets: list[Served]) -> None:
    """What takes a controller time is made first and asked about last."""
    server.spaces()
    found.aggregates = server.aggregates()
    bodies = ordered(sets)
    server.put(bodies)
    known = policy(parse(body) for body in (*found.before, *bodies))
    for later in (False, True) if found.aggregates else (False,):
        if later:
            server.settled()
        server.seen()
        now = [made for made in sets if (made.feature in AGGREGATED) is later]
        found.add(now, server.ask(asked for made in now for asked in made.questions), known)


@pytest.mark.parametrize("feature", list(FEATURES))
def test_every_answer_is_that_of_the_server(compared: Compared, feature: str) -> None:
    if feature in AGGREGATED and not compared.aggregates:
        pytest.skip(NO_CONTROLLER)
    wrong = [(asked, f"the server: {said}") for asked, said, mine in compared.answers[feature] if said != mine]
    assert wrong == []
    assert rbac_counts.few(compared.counts(), [feature]) == []


def test_the_counts_are_reported(compared: Compared, capsys: pytest.CaptureFixture[str]) -> None:
    text = rbac_counts.table(compared.counts())
    if not compared.aggregates:
        text += f"\n{NO_CONTROLLER}.\n"
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(f"# The evaluator and a real API server agree on\n\n{text}")
    with capsys.disabled():
        sys.stdout.write(f"\n{text}")
    assert sum(compared.counts().values()) > 3000


def test_the_server_has_the_roles_and_bindings_that_are_pinned(compared: Compared, http: Http) -> None:
    version = http.ask("GET", "/version").body["gitVersion"]
    if version.split("+")[0] != lock()["version"]:
        pytest.skip(f"NOT TESTED: the server is {version}, what is pinned is of {lock()['version']}")
    there = {(item.kind, item.namespace, item.name): item for item in map(parse, compared.before)}
    wrong = []
    for item in defaults():
        known = there.get((item.kind, item.namespace, item.name))
        if isinstance(item, Role) and isinstance(known, Role) and item.selectors is not None:
            same = (known.labels, known.selectors) == (item.labels, item.selectors)  # a controller fills in the rules
        else:
            same = known == item
        if not same:
            wrong.append((item, known))
    assert wrong == []
