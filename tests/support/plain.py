"""What code may be that runs from a ConfigMap: plain, to be read, of the standard library."""

from __future__ import annotations

import ast
import re
from pathlib import Path

MINORS = (11, 12, 13)  # of Python 3, whose grammar it keeps to
_CALLS = re.compile(r"\b(eval|exec|compile|__import__|pickle|subprocess|os\.system)\b\s*\(")
_TRUST = re.compile(r"verify_mode|check_hostname|_create_unverified_context|CERT_NONE")


def imports(path: Path) -> set[str]:
    """The first parts of the names of all modules that a file imports; none of them is relative."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    origins = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not any(node.level for node in origins)
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.split(".")[0] for name in (*plain, *(str(node.module) for node in origins))}


def check(path: Path) -> None:
    """It says what it is, is ASCII and every Python's grammar, and has nothing that runs a text or trusts everybody."""
    text = path.read_text()
    for minor in MINORS:
        ast.parse(text, feature_version=(3, minor))
    assert ast.get_docstring(ast.parse(text))
    assert text.isascii()
    assert not _CALLS.search(text.replace("re.compile(", ""))
    assert not _TRUST.search(text)
