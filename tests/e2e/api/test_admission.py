"""What the admission policies let through, on a real API server: exactly the requests that the engine is made for.

Every request goes out as a dry run under the identity's name, with rights to do everything: what is refused, a policy
has refused. It needs the API server and the CRDs of Argo Events and Argo Workflows; no node, no controllers.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from e2e.admission import approvals, beyond, others, pods, workflows
from e2e.admission.api import Answer, Api
from e2e.admission.case import Case
from e2e.admission.stage import POLICIES, Stage
from e2e.api.rest import Rest
from e2e.http import Http
from e2e.kubectl import Cluster, wait

pytestmark = [pytest.mark.e2e, pytest.mark.api]

PREFIX = "kre-engine-"
Policy = dict[str, Any]


def shipped() -> dict[str, Policy]:
    """The policies of the repository, by name without prefix."""
    found = [yaml.safe_load(path.read_text()) for path in sorted(POLICIES.glob("*-validatingadmissionpolicy.yaml"))]
    return {policy["metadata"]["name"].removeprefix(PREFIX): policy for policy in found}


SHIPPED = shipped()
VALIDATIONS = [
    (name, number) for name, policy in SHIPPED.items() for number in range(len(policy["spec"]["validations"]))
]


@pytest.fixture(scope="module")
def api(http: Http) -> Api:
    return Api(http)


@pytest.fixture(scope="module")
def stage(cluster: Cluster, rest: Rest, api: Api) -> Iterator[Stage]:
    """Everything that the requests are about, and the policies as they are shipped, in effect."""
    made = Stage(cluster, others.code())
    try:
        made.up()
        wait("the policies", lambda: all(refusals(api, name, cases(made)) for name in SHIPPED))
        yield made
    finally:
        made.down()


def cases(stage: Stage) -> list[Case]:
    return [
        *workflows.CASES,
        *approvals.CASES,
        *pods.CHANGES,
        *others.CASES,
        *beyond.CASES,
        *pods.deletes(stage.uids()),
    ]


def refusals(api: Api, name: str, table: list[Case]) -> bool:
    """Whether the policy is in effect: it refuses the first request of the table that it should."""
    case = next(case for case in table if case.policy == name and case.refused)
    return bool(api.ask(case.who, case.ask).policy)


def said(case: Case, answer: Answer) -> str:
    """What is wrong with the answer, or nothing."""
    if case.refused:
        right = answer.policy == PREFIX + case.policy and answer.message == case.refused and answer.status == 403
        return "" if right else f"{case}\n    should be refused: {case.refused}\n    but: {str(answer)[-300:]}"
    right = not answer.policy and (answer.status == case.through or (answer.status, case.through) == (201, 200))
    return "" if right else f"{case}\n    should get through, with {case.through}\n    but: {str(answer)[-300:]}"


def test_exactly_the_allowed_requests_get_through(stage: Stage, api: Api) -> None:
    table = cases(stage)
    answers = api.ask_all((case.who, case.ask) for case in table)
    wrong = [text for case, answer in zip(table, answers, strict=True) if (text := said(case, answer))]
    assert not wrong, f"{len(wrong)} of {len(table)}:\n" + "\n".join(wrong)


def test_each_validation_refuses_a_request_of_the_tables(stage: Stage) -> None:
    table = cases(stage)
    idle = [(name, number) for name, number in VALIDATIONS if not refused_by(table, name, number)]
    assert not idle


def refused_by(table: list[Case], name: str, number: int) -> list[Case]:
    """The requests that this validation refuses."""
    validation = SHIPPED[name]["spec"]["validations"][number]
    own = [case for case in table if case.policy == name and case.refused]
    return own if "messageExpression" in validation else [case for case in own if case.refused == validation["message"]]


# ---- without a validation

MARKED = "has(request.userInfo.extra) && 'voided' in request.userInfo.extra"
PROBE = "probed: this policy is in effect"


def without(name: str, number: int) -> list[Policy]:
    """A copy of the policy without that validation, for requests that are marked for it; and its binding."""
    policy = copy.deepcopy(SHIPPED[name])
    mark = f"{name}-{number}"
    spec = policy["spec"]
    policy["metadata"] = {"name": f"kre-e2e-{mark}"}
    condition = {"name": "voided", "expression": f"{MARKED} && request.userInfo.extra['voided'] == ['{mark}']"}
    spec["matchConditions"] = [*spec.get("matchConditions", []), condition]
    spec["validations"][number] = {"expression": "true", "message": "voided"}
    spec["validations"].append({"expression": "!('probe' in request.userInfo.extra)", "message": PROBE})
    file = POLICIES / f"{PREFIX}{name}-validatingadmissionpolicybinding.yaml"
    binding = yaml.safe_load(file.read_text())
    binding["metadata"] = policy["metadata"]
    binding["spec"]["policyName"] = policy["metadata"]["name"]
    return [policy, binding]


def beside(name: str) -> Policy:
    """The shipped policy, but for requests that are marked for one of the copies above."""
    policy = copy.deepcopy(SHIPPED[name])
    condition = f"!({MARKED} && request.userInfo.extra['voided'][0].startsWith('{name}-'))"
    conditions = policy["spec"].get("matchConditions", [])
    policy["spec"]["matchConditions"] = [*conditions, {"name": "not-voided", "expression": condition}]
    return policy


@pytest.fixture(scope="module")
def voided(stage: Stage) -> Iterator[None]:
    """For each validation a copy of its policy without it."""
    made = [document for name, number in VALIDATIONS for document in without(name, number)]
    try:
        stage.apply([*made, *map(beside, SHIPPED)])
        yield
    finally:
        stage.delete(made)
        stage.policies()


@pytest.mark.usefixtures("voided")
@pytest.mark.parametrize(("name", "number"), VALIDATIONS)
def test_without_a_validation_what_it_refused_gets_through(stage: Stage, api: Api, name: str, number: int) -> None:
    table = refused_by(cases(stage), name, number)
    mark = f"{name}-{number}"

    def probed(case: Case) -> bool:
        return api.ask(case.who, case.ask, voided=mark, probe="yes").message == PROBE

    wait(f"the policy without {mark}", lambda: probed(table[0]), pause=0.1)
    wait(f"no policy with {mark}", lambda: not api.ask(table[0].who, table[0].ask, voided=mark).policy, 10, 0.1)
    stopped = {str(case): api.ask(case.who, case.ask, voided=mark) for case in table}
    wrong = [f"{case}: {answer}" for case, answer in stopped.items() if answer.policy]
    assert not wrong, "\n".join(wrong)
