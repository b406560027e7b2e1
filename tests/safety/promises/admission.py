"""The admission policies: there, bound, refusing, closed when they fail, and about what they are meant to be about.

What their expressions let through is asked of a real API server: tests/e2e/api/test_admission.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from kre.model.resource import Resource, dig
from kre.model.resource import each as items
from safety.promise import World, each, exactly, text, without

RESPONSES = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kre-responses"}}}
EVIDENCE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kre-evidence"}}}
BOTH = {
    "namespaceSelector": {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["kre-pipeline", "kre-responses"]}
        ]
    }
}
ALL = ["CREATE", "UPDATE", "DELETE"]
INTERNALS = (
    "cronworkflows workflowartifactgctasks workflowartifactgctasks/status workfloweventbindings workflowtaskresults"
    " workflowtasksets workflowtasksets/status"
).split()


def _rule(group: str, resources: list[str], operations: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "apiVersions": ["*"], "resources": resources, "operations": operations}


# policy -> (what it matches, match conditions, validations at least, where its binding holds)
POLICIES: dict[str, tuple[list[dict[str, Any]], list[str], int, dict[str, Any] | None]] = {
    "kre-engine-approve": ([_rule("argoproj.io", ["workflows"], ["UPDATE"])], ["approvers"], 11, RESPONSES),
    "kre-engine-code": (
        [
            _rule("argoproj.io", ["workflowtemplates", "sensors", "eventsources", "eventbus"], ALL),
            _rule("", ["configmaps"], ALL),
            _rule("apps", ["deployments", "deployments/scale"], ALL),
        ],
        ["by-name"], 1, BOTH,
    ),
    "kre-engine-deletes": ([_rule("", ["pods"], ["DELETE"])], ["engine"], 8, None),
    "kre-engine-evidence": ([_rule("", ["secrets"], ALL)], [], 4, EVIDENCE),
    "kre-engine-internals": ([_rule("argoproj.io", INTERNALS, ALL)], [], 1, RESPONSES),
    "kre-engine-never": ([_rule("*", ["*/*"], ["*"])], ["engine"], 1, None),
    "kre-engine-nodes": ([_rule("", ["nodes"], ["UPDATE"])], ["cordon-node"], 5, None),
    "kre-engine-owners": ([_rule("apps", ["deployments", "statefulsets"], ["UPDATE"])], ["scale-down"], 10, None),
    "kre-engine-pods": ([_rule("", ["pods"], ["UPDATE"])], ["engine"], 20, None),
    "kre-engine-workflows": ([_rule("argoproj.io", ["workflows"], ALL)], [], 22, RESPONSES),
}  # fmt: skip
ROOT = ([_rule("argoproj.io", ["applications"], ["CREATE", "UPDATE"])], ["made-by-the-root"], 1, None)


@each("ValidatingAdmissionPolicy")
def a_policy_matches_what_it_is_about(item: Resource, world: World) -> Iterator[str]:
    matches, conditions, _, _ = POLICIES.get(item.name, ROOT)
    spec = dig(item.body, "spec") or {}
    wanted = {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": matches}}
    found = without(spec, "matchConditions", "variables", "validations")
    yield from exactly(found, wanted, "every such request is judged, and refused where it can't be judged")
    names = [dig(one, "name") for one in items(spec, "matchConditions")]
    yield from exactly(names, conditions, "each further condition lets requests past the policy")
    if item.name not in POLICIES and item.name != f"kre-{world.environment.name}-root":
        yield "a policy that no promise is about"


@each("ValidatingAdmissionPolicy")
def a_policy_has_all_its_validations(item: Resource, _: World) -> Iterator[str]:
    _, _, validations, _ = POLICIES.get(item.name, ROOT)
    found = items(item.body, "spec", "validations")
    if len(found) < validations:
        yield f"{len(found)} validations, {validations} at least are known"
    for index, one in enumerate(found):
        if set(one) - {"messageExpression"} != {"expression", "message", *(["reason"] if "reason" in one else [])}:
            yield f"validation {index} is not expression, message and reason"
        if str(dig(one, "expression")).strip() in ("", "true", "None"):
            yield f"validation {index} refuses nothing"


@each("ValidatingAdmissionPolicy")
def expressions_are_those_that_were_tried(item: Resource, world: World) -> Iterator[str]:
    """Nobody reads CEL here. The files in base/ are what the API server was asked about, and what must be rendered."""
    if item.name in POLICIES and not world.environment.source:
        why = "an expression that no API server was asked about"
        for part in ("matchConditions", "variables", "validations"):
            found, wanted = (_folded(items(body, "spec", part)) for body in (item.body, tried(item.name)))
            yield from exactly(found, wanted, why, part)


@each("ValidatingAdmissionPolicy")
def the_root_makes_applications_of_its_project(item: Resource, world: World) -> Iterator[str]:
    env = world.environment.name
    if item.name != f"kre-{env}-root":
        return
    by = f"""object.metadata.?annotations["argocd.argoproj.io/tracking-id"].orValue("").startsWith("kre-{env}-root:")"""
    label = f"""object.metadata.?labels["app.kubernetes.io/instance"].orValue("") == "kre-{env}-root\""""
    spec = dig(item.body, "spec")
    conditions = [{"name": "made-by-the-root", "expression": f"{by} || {label}"}]
    yield from exactly(_folded(items(spec, "matchConditions")), conditions, "whatever the root applies is judged")
    message = f"kre-{env}-root may make Applications of project kre-{env} only"
    wanted = [{"expression": f'object.spec.project == "kre-{env}"', "message": message}]
    yield from exactly(items(spec, "validations"), wanted, "an Application of another project has other walls")


def _folded(entries: list[Any]) -> list[Any]:
    """Without what YAML's folding leaves of line breaks."""
    return [{key: " ".join(str(value).split()) for key, value in one.items()} for one in entries]


@cache
def tried(name: str) -> Any:
    """The policy as tests/e2e/api/test_admission.py reads it."""
    return yaml.safe_load(text(f"base/responses/manifests/admission/{name}-validatingadmissionpolicy.yaml"))


@each("ValidatingAdmissionPolicyBinding")
def a_binding_refuses(item: Resource, _: World) -> Iterator[str]:
    scope = POLICIES.get(item.name, ROOT)[3]
    wanted = {"policyName": item.name, "validationActions": ["Deny"], **({"matchResources": scope} if scope else {})}
    yield from exactly(dig(item.body, "spec"), wanted, "it refuses, it does not only warn; where it must hold")
