"""The forms of every identifier that is let in, and the keys that the engine reads and writes on objects."""

import re
from collections.abc import Mapping

# RFC 1123, as the API server has it: label for a namespace, subdomain for a pod.
NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
POD = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONTAINER = re.compile(r"[0-9a-f]{64}")
SECONDS = re.compile(r"[0-9]{1,12}")
USER = re.compile(r"[A-Za-z0-9@._:/+=-]{1,253}")
MODES = ("observe", "approve", "enforce")
MODE, STEP = re.compile("|".join(MODES)), re.compile("act|record")
ACTION = re.compile("delete|isolate|release|label|notify")

QUARANTINE = "kre/quarantine"  # label of an isolated pod; NetworkPolicy kre-quarantine selects it
ISOLATED_LABELS = "kre/isolated-labels"  # annotation: what isolation took away, as JSON
MARKED = "kre/alert"  # label: the rule that a pod was marked for
PROTECTED = "kre/protected"  # annotation of a pod or namespace: never touched
APPROVED_BY, REQUESTED_BY = "kre/approved-by", "kre/requested-by"  # annotations of a Workflow
ACTIONS = "kre/actions"  # annotation of a Lease: what was done lately


class Refused(Exception):
    """The engine will not act. The message says why, for a person, in words of its own (never the alert's)."""

    outcome = "refused"


class Gone(Refused):
    """The pod that was meant is not there any more."""

    outcome = "gone"


def check(values: Mapping[str, str], forms: Mapping[str, re.Pattern[str]]) -> Mapping[str, str]:
    """The values, or raises Refused at the first that is not all of the form that it must have."""
    for key, form in forms.items():
        if not form.fullmatch(values[key]):
            raise Refused(f"{key} is not of the form that it must have")
    return values


def slug(text: str) -> str:
    """A Falco rule's name as a label value: "Terminal shell in container" -> "terminal-shell-in-container"."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "unknown"
