"""What a Workflow came to, read from its object: pure, and never at a loss, whatever stands in there."""

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ENDED = ("Succeeded", "Failed", "Error")
NAMES = ("namespace", "pod", "uid", "rule", "alert", "received", "mode")
WORD, USER = re.compile(r"[a-z][a-z-]{0,40}"), re.compile(r"[A-Za-z0-9@._:/+=-]{1,253}")
CAUSES = {  # in words of Argo and of Kubernetes; the first that fits
    "quota": re.compile(r"exceeded quota"),
    "image": re.compile(r"ErrImage|ImagePull|InvalidImageName|ImageInspectError|RegistryUnavailable"),
    "unschedulable": re.compile(r"Unschedulable|nodes are available"),
    "strict": re.compile(r"templateReferencing restriction"),
    "deadline": re.compile(r"[Dd]eadline"),
}
# Of a node that had no pod, or one that the controller has not seen to run.
UNMADE = re.compile(r"exceeded its deadline|Stopped with strategy|exceeded quota")
Node = Mapping[str, Any]


@dataclass
class Seen:
    """What was noticed of a Workflow while it was open: its last state often says less."""

    started: bool = False
    cause: str = ""
    said: str = ""


def notice(workflow: Mapping[str, Any], seen: Seen) -> None:
    """Keeps what the nodes say: whether a responder runs, and why not."""
    for node in _acts(workflow):
        seen.started = seen.started or _runs(node)
        message = str(node.get("message") or "")
        if node.get("phase") == "Pending" and (cause := _cause(message)):
            seen.cause, seen.said = cause, message


def waits(workflow: Mapping[str, Any]) -> bool:
    """Whether it waits for a person."""
    return any(node.get("type") == "Suspend" and node.get("phase") == "Running" for node in _nodes(workflow))


def facts(workflow: Mapping[str, Any]) -> dict[str, str]:
    """What it is about, in the words of a record."""
    metadata, spec, status = (_map(workflow.get(key)) for key in ("metadata", "spec", "status"))
    listed = _map(spec.get("arguments")).get("parameters") or []
    given = {str(_map(one).get("name")): _map(one).get("value") for one in (listed if isinstance(listed, list) else [])}
    found = {name: value if isinstance(value := given.get(name), str) else "" for name in NAMES}
    notes, response = _map(metadata.get("annotations")), _map(metadata.get("labels")).get("kre/response")
    by = str(notes.get("kre/approved-by") or notes.get("kre/requested-by") or "")
    found |= {"by": by if USER.fullmatch(by) else "", "workflow": str(metadata.get("name") or "")}
    found |= {"response": str(response or _map(spec.get("workflowTemplateRef")).get("name") or "")}
    found |= {"created": str(metadata.get("creationTimestamp") or ""), "ended": str(status.get("finishedAt") or "")}
    return found | {"phase": str(status.get("phase") or "")}


def end(workflow: Mapping[str, Any], seen: Seen, *, forced: bool = False) -> dict[str, Any]:
    """The facts of its line: `outcome`, `reason`, `cause`, `steps` and what the responder's record has besides. For one
    that has ended, or that is being taken away, `forced` where nobody has asked the recorder."""
    notice(workflow, seen)
    made, told = facts(workflow), list(_records(workflow))
    made |= {"cause": "", "event": ""}
    steps = [str(record["outcome"]) for _, record in told]
    over = made["phase"] in ENDED
    record = _telling(told, made["phase"]) if over else None
    if record and not (record["outcome"] == "failed" and record.get("step") == "record" and _never(workflow, seen)):
        kept = {key: str(record.get(key) or "") for key in ("outcome", "reason", "event", "by")}
        return made | {key: value for key, value in kept.items() if value or key == "event"} | {"steps": steps}
    status = _map(workflow.get("status"))
    message = str(status.get("message") or "")
    messages = [message, *(str(node.get("message") or "") for node in _nodes(workflow))]
    cause = seen.cause or _cause("\n".join(messages))
    if not over:
        gone = "forced" if forced else "deleted"
        cause = cause or ("controller" if not made["phase"] else gone)
        message = f"{'taken away past the recorder' if forced else 'deleted'} before it ended; {seen.said or message}"
    never = _never(workflow, seen)
    reason = (seen.said if never and over else "") or message or next(filter(None, messages), "") or "no word of why"
    outcome = "never-started" if never else "unrecorded"
    return made | {"outcome": outcome, "reason": reason.strip("; "), "cause": cause or "other", "steps": steps}


def _telling(told: list[tuple[str, Node]], phase: str) -> Node | None:
    """The record that says how it came out: of what failed, else of the step that closes; in order, of the last act."""
    acts = [record for step, record in told if step != "record"]
    if phase == "Succeeded":
        return acts[-1] if acts else None
    failed = [record for record in acts if record["outcome"] == "failed"]
    closing = [record for step, record in told if step == "record"]
    return next(iter([*failed[-1:], *closing[-1:]]), None)


def _never(workflow: Mapping[str, Any], seen: Seen) -> bool:
    """Whether it is sure that no responder ever ran: a pod that is there may run before anyone can say so."""
    if seen.started:
        return False
    known = seen.cause in ("quota", "image", "unschedulable")
    return not any(_ran(node, known=known) for node in _acts(workflow))


def _runs(node: Node) -> bool:
    """Whether it is sure that it ran. 137 is no proof: the kubelet says so of a container that never came up, too."""
    return node.get("phase") in ("Running", "Succeeded") or _code(node) not in ("", "137") or bool(list(_told(node)))


def _ran(node: Node, *, known: bool) -> bool:
    """Whether it may have run, of one that was not seen to: `known` where its pod was seen not to come up, and why."""
    message = str(node.get("message") or "")
    if _runs(node):
        return True
    if UNMADE.search(message) or (_cause(message) in ("image", "unschedulable") and not _code(node)):
        return False
    return not known


def _code(node: Node) -> str:
    return str(_map(node.get("outputs")).get("exitCode") or "")


def _acts(workflow: Mapping[str, Any]) -> Iterator[Node]:
    """The nodes of responders that act: not of the step that only records."""
    for node in _nodes(workflow):
        if node.get("type") == "Pod" and node.get("templateName") != "record":
            yield node


def _records(workflow: Mapping[str, Any]) -> Iterator[tuple[str, Node]]:
    """(step, record) of each responder that has left one, in the order of their ends."""
    pods = [node for node in _nodes(workflow) if node.get("type") == "Pod"]
    for node in sorted(pods, key=lambda node: str(node.get("finishedAt") or "~")):
        for found in _told(node):
            yield str(found.get("step") or ""), found


def _told(node: Node) -> Iterator[Node]:
    listed = _map(node.get("outputs")).get("parameters") or []
    for one in listed if isinstance(listed, list) else []:
        found = _parsed(_map(one).get("value")) if _map(one).get("name") == "record" else {}
        if WORD.fullmatch(str(found.get("outcome"))):
            yield found


def _nodes(workflow: Mapping[str, Any]) -> list[Node]:
    status = _map(workflow.get("status"))
    nodes = status.get("nodes")
    if not nodes and status.get("compressedNodes"):  # as Argo keeps those of a large one
        try:
            nodes = _parsed(gzip.decompress(base64.b64decode(str(status["compressedNodes"]))))
        except (OSError, EOFError, zlib.error, binascii.Error, ValueError):
            nodes = {}
    return [node for node in _map(nodes).values() if isinstance(node, Mapping)]


def _cause(message: str) -> str:
    return next((cause for cause, words in CAUSES.items() if words.search(message)), "")


def _parsed(text: object) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, (str, bytes)) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
