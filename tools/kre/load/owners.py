"""Which files have code owners, as the forges decide it.

Source: docs.github.com, "About code owners": patterns as in .gitignore, without `!` and `[ ]`; the last line that
matches decides.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from kre.doors import files

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
Lines = tuple[tuple[str, bool], ...]  # pattern, whether it names an owner


def owners(root: Path) -> Lines:
    """The lines of the repository's CODEOWNERS; none where there is no such file."""
    path = next((root / place for place in PLACES if os.path.isfile(root / place)), None)
    try:
        text = files.read(path).decode(errors="replace") if path else ""
    except files.FileProblem:
        return ()
    found = []
    for line in text.splitlines():
        pattern, *named = line.partition("#")[0].split()[:2] or [""]
        if pattern and not pattern.startswith(("[", "^[")):  # a section of GitLab's
            found.append((pattern, bool(named)))
    return tuple(found)


def owned(lines: Iterable[tuple[str, bool]], path: str) -> bool:
    """Whether a change of this file needs the approval of an owner."""
    decided = False
    for pattern, named in lines:
        if _expression(pattern).fullmatch(path):
            decided = named
    return decided


def _expression(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    parts = [_WILD.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*/|/\*\*|\*\*|\*|\?)", body)]
    below = "/.*" if pattern.endswith("/") else "" if body.endswith("*") and anchored else "(/.*)?"
    return re.compile(f"{'' if anchored else '(.*/)?'}{''.join(parts)}{below}")


_WILD = {"**/": "(.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
