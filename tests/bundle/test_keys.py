"""Every label and annotation of the engine's own is in docs/keys.md, and nothing is there that is nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from kre.load.bundle import load
from support.repository import PROJECT

CODE = PROJECT / "base/responses/manifests/code"
FILES = [*sorted(CODE.glob("*.py")), *sorted((PROJECT / "base/responses/options").glob("*/code/*.py"))]
KEY = re.compile(r"(?<![\w./-])kre/[a-z][a-z0-9-]*(?![\w./-])")  # not the paths /opt/kre/..., /etc/kre/...
EVENT = ("alert", "rule", "mode", "workflow")


@cache
def documented() -> set[str]:
    rows = re.findall(r"^\| `(kre/[a-z-]+)` \|", (PROJECT / "docs/keys.md").read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows)), "a key is there twice"
    return set(rows)


@cache
def rendered() -> set[str]:
    """In keys and values of every object of every environment, and in the expressions of policies."""
    return {
        key
        for resource in load(PROJECT).resources
        for text in _texts(dict(resource.body), code=resource.name.endswith("-code"))
        for key in KEY.findall(text)
    }


def _texts(value: object, *, code: bool = False) -> Iterator[str]:
    """Every string, keys too; of a ConfigMap with code in it all but that code."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if not (code and key == "data"):
                yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


@cache
def written() -> tuple[set[str], set[str]]:
    """(keys, f-strings that begin like one) in the code's literals."""
    nodes = [node for path in FILES for node in ast.walk(ast.parse(path.read_text()))]
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    plain = {
        key
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        for key in KEY.findall(node.value)
    }
    formed = {ast.unparse(node) for node in nodes if isinstance(node, ast.JoinedStr)}
    return plain, {text for text in formed if text[2:].startswith("kre/")}


def test_no_key_is_undocumented() -> None:
    plain, formed = written()
    # of an Event: its annotations (which the tests of the record know), and the reportingComponent, a value
    assert formed == {"f'kre/{key}'", "f\"kre/{facts['response']}\""}
    found = rendered() | plain | {f"kre/{key}" for key in EVENT}
    assert found - documented() == set()
    assert documented() - found == set(), "nobody reads or writes these"


def test_it_sees_them() -> None:
    assert {"kre/quarantine", "kre/source", "kre/response", "kre/approved-by"} <= rendered()
    assert {"kre/quarantine", "kre/actions"} <= written()[0]
    assert KEY.findall("x == 'kre/new' && /opt/kre/dispatcher.py") == ["kre/new"]


def test_events_carry_these_and_no_others() -> None:
    text = (CODE / "record.py").read_text()
    (keys,) = re.findall(r'f"kre/\{key\}": facts\[key\] for key in \(([^)]*)\)', text)
    assert tuple(re.findall(r'"([a-z]+)"', keys)) == EVENT
