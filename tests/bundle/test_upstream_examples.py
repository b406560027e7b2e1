"""The examples that Argo Events and Argo Workflows publish pass the schemas, apart from those that are truly wrong."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from kre.load.bundle import load
from kre.rules.run import validate
from support.repository import PROJECT

# KRE_EXAMPLES names another folder that holds argo-events/ and argo-workflows/ (their examples/ folders).
EXAMPLES = Path(os.environ.get("KRE_EXAMPLES", PROJECT.parent / "shared/upstream/examples"))

# Of Argo Events 1.9.10 and Argo Workflows 4.0.6. A field that is not known is dropped by the API server, in silence.
NOT_NAMESPACED = "a reference to a ConfigMap or Secret has no namespace: it is looked up next to the object"
NO_TYPE = "an EventSource has no spec.type any more"
SERVER_URL = "serverURL became url; without url the controller refuses the Sensor"
ON_THE_TRIGGER = "it stands inside of the trigger's template, not next to it, where it would count"
MISPLACED = "name or generateName stands where it is none: the API server refuses an object without"
WRONG = {
    "argo-events/event-sources/stripe.yaml": NOT_NAMESPACED,
    "argo-events/sensors/trigger-openwhisk.yaml": "it is written openWhisk",
    "argo-events/sensors/trigger-with-atleast-once-semantics.yaml": ON_THE_TRIGGER,
    "argo-events/sensors/trigger-with-policy.yaml": ON_THE_TRIGGER,
    "argo-events/sensors/url-sensor.yaml": "it is written verifyCert",
    "argo-events/tutorials/03-trigger-sources/sensor-cm.yaml": NOT_NAMESPACED,
    "argo-events/tutorials/03-trigger-sources/sensor-git.yaml": f"sshKeyPath became sshKeySecret; {NOT_NAMESPACED}",
    "argo-events/tutorials/06-trigger-conditions/minio-event-source.yaml": NO_TYPE,
    "argo-events/tutorials/06-trigger-conditions/webhook-event-source.yaml": NO_TYPE,
    "argo-events/tutorials/09-http-trigger/minio-event-source.yaml": NO_TYPE,
    "argo-events/tutorials/09-http-trigger/sensor-01.yaml": SERVER_URL,
    "argo-events/tutorials/09-http-trigger/sensor-02.yaml": SERVER_URL,
    "argo-workflows/fun-with-gifs.yaml": MISPLACED,
    "argo-workflows/k8s-jobs.yaml": MISPLACED,
    "argo-workflows/k8s-patch-json-workflow.yaml": "metadata has annotations twice",
}


pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason=f"NOT TESTED: the published examples are not at {EXAMPLES} (see KRE_EXAMPLES)"
)


@cache
def wrong() -> dict[str, list[str]]:
    """What both engines, which must agree, find wrong: messages by file."""
    found: dict[str, list[str]] = {}
    for finding in validate(load(EXAMPLES), "both"):
        if finding.severity == "error" and finding.rule[0] in "YKS":  # files and schemas, not policy
            found.setdefault(finding.place.path, []).append(finding.message)
    return found


def test_all_others_pass() -> None:
    assert {path: said for path, said in wrong().items() if path not in WRONG} == {}


@pytest.mark.parametrize("path", [path for path in WRONG if (EXAMPLES / path).exists()])
def test_wrong_ones_do_not(path: str) -> None:
    assert wrong().get(path), WRONG[path]


def test_they_were_read() -> None:
    files = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.yaml")}
    bundle = load(EXAMPLES)
    assert len(files) > 100
    assert {resource.origin for resource in bundle.resources} >= files - set(wrong())
