"""What may be in a component: plain files that the policy lets pass, with names that are the same file everywhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from kre.load.fields import NAME
from kre.model.policy import Policy
from kre.model.promotion import Block, Entry, Reason
from kre.promote.threeway import FILES

_BAD = re.compile(r"[\x00-\x1f\x7f\\:]|[\ud800-\udfff]")


def problems(component: str, entries: Iterable[Entry], policy: Policy) -> Iterator[Block]:
    """Why these files can't be promoted as they are. Nothing is passed over in silence."""
    known = tuple(entries)
    if not re.fullmatch(NAME, component):
        yield Block(Reason.FORBIDDEN_PATH, f"{component!r} is no name of a component", "lower-case letters, digits, -")
    odd = sorted(entry.path for entry in known if entry.mode not in FILES)
    if odd:
        yield Block(
            Reason.NOT_A_FILE, "links and submodules are no copies", "put the files themselves there", tuple(odd)
        )
    refused = sorted(entry.path for entry in known if not passes(component, entry.path, policy))
    if refused:
        hint = (
            "what differs between environments goes to overlays/<env>; or mend promote: in overlays/environments.yaml"
        )
        yield Block(Reason.FORBIDDEN_PATH, "the policy lets these not pass", hint, tuple(refused))
    same = sorted(collisions(entry.path for entry in known))
    if same:
        message = "these names are one file where upper and lower case are the same"
        yield Block(Reason.CASE_COLLISION, message, "rename all but one", tuple(same))


def passes(component: str, path: str, policy: Policy) -> bool:
    """Whether a file of a component may be promoted: included, not forbidden, and of a name that is safe everywhere."""
    parts = path.split("/")
    if _BAD.search(path) or any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts):
        return False
    full = f"{component}/{path}"
    included = any(pattern(each.replace("<component>", component)).fullmatch(full) for each in policy.include)
    folded = full.casefold()
    return included and not any(pattern(each.casefold()).fullmatch(folded) for each in policy.forbid)


def collisions(paths: Iterable[str]) -> set[str]:
    """Those of the paths that lead, in a file system that folds letters, where another one leads: files, or folders
    that are written in two ways."""
    seen: dict[str, tuple[str, str]] = {}
    found: set[str] = set()
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            other, first = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), (name, path))
            if other != name:
                found |= {path, first}
    return found


@lru_cache(maxsize=256)
def pattern(glob: str) -> re.Pattern[str]:
    """A pattern of the policy: * and ? within a name, ** over any number of folders, none among them."""
    made = ""
    for part in re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", glob):
        made += {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(made, re.DOTALL)
