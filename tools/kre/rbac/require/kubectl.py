"""kubectl in the text of commands: a guess at what it asks, for a script can do anything else as well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kre.rbac.require.kinds import typed
from kre.rbac.require.model import Need
from kre.rbac.require.table import Object, rows
from kre.rbac.words import scope

_CALL = re.compile(r"(?:^|[\s;&|(`\"'/])kubectl\s+(?P<rest>[^\n;&|)`]*)")
_NAMESPACE = re.compile(r"(?:^|\s)(?:-n|--namespace)(?:[=\s])\s*(?P<name>[\w.{}$\"'-]+)")
_VALUED = re.compile(
    r"(?:^|\s)(?:-n|--namespace|-o|--output|-l|--selector|-f|--filename|-c|--container|-p|--patch|--type|--timeout|"
    r"--context|--for|--field-selector|-k|--kustomize|--grace-period)(?:=|\s+)(?:'[^']*'|\"[^\"]*\"|\S+)"
)
_PODS = ("exec", "logs", "attach")
Found = tuple[str, tuple[Need, ...], str]  # what, its needs, why they are not all


def commands(text: str, own: str) -> Iterator[Found]:
    """Each call of kubectl in a text: in the namespace that it names, else in `own`."""
    for call in _CALL.finditer(text):
        rest = call["rest"]
        words = [word.strip("\"'") for word in _VALUED.sub(" ", rest).split()]
        words = [word for word in words if not word.startswith("-")]
        named = _NAMESPACE.search(rest)
        namespace = named["name"].strip("\"'") if named else own
        everywhere = bool(re.search(r"(?:^|\s)(?:-A|--all-namespaces)\b", rest))
        yield _asked(words, "" if everywhere else namespace)


def _asked(words: list[str], namespace: str) -> Found:
    verb, kind, name = (*words, "", "", "")[:3]
    shown = f"kubectl {verb} {kind}".rstrip()
    if re.search(r"[{$]", namespace):
        return shown, (), f"in which namespace `{shown}` acts is not known"
    if verb in _PODS:
        about: Object | None = Object("", "pods", namespace)
    else:
        kind = name if verb == "rollout" else kind
        whole = typed(kind.partition("/")[0]) if kind else None
        about = Object(*whole, "" if scope(*whole) == "cluster" else namespace) if whole else None
    listed = verb == "get" and not name and "/" not in kind
    row = rows().get(f"kubectl.{'list' if listed else verb}")
    if row is None or about is None:
        return shown, (), f"what `{shown}` asks for is not known"
    return shown, tuple(row.of(namespace, about)), ""
