"""What the arguments of a comparison mean: environments, revisions, or both."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kre.errors import UsageError
from kre.load.layout import environments
from kre.load.revision import at
from kre.load.sources import Sources
from kre.model.bundle import Bundle


class Sides(NamedTuple):
    """One environment before and after: in which Bundle, and its name there."""

    before: Bundle
    after: Bundle
    old: str
    new: str


@contextlib.contextmanager
def sides(root: Path, before: str, after: str, env: list[str] | None) -> Iterator[list[Sides]]:
    """Each environment before and after, for as long as their files are there. Raises UsageError."""
    known = [environment.name for environment in environments(Sources(root))]
    (old, old_name), (new, new_name) = (_named(text, known) for text in (before, after))
    old_name, new_name = old_name or new_name, new_name or old_name
    if old == new and old_name == new_name:
        raise UsageError(
            f"{before} is compared with itself", "name another environment, or a revision: kre diff --help"
        )
    with contextlib.ExitStack() as stack:
        if old == new:
            first = second = stack.enter_context(at(root, old, _only([old_name, new_name], env)))
        else:
            first = stack.enter_context(at(root, old, _only([old_name], env)))
            second = stack.enter_context(at(root, new, _only([new_name], env)))
        pairs = [(old_name, new_name)] if old_name else [(name, name) for name in _names(first, second)]
        yield [Sides(first, second, one, other) for one, other in pairs]


def _only(names: list[str], env: list[str] | None) -> list[str] | None:
    wanted = [name for name in names if name]
    return wanted or env


def _names(*bundles: Bundle) -> list[str]:
    """The environments that were rendered on either side, in the order of the newer."""
    found: dict[str, None] = {}
    for bundle in reversed(bundles):
        rendered = {root.environment for root in bundle.roots}
        found.update((item.name, None) for item in bundle.environments if item.name in rendered)
    return list(found)


def _named(text: str, known: list[str]) -> tuple[str, str]:
    """(revision, environment) of an argument; "" for the work tree, and for all of them."""
    if text in known or not text:
        return "", text
    revision, colon, name = text.rpartition(":")
    return (revision, name) if colon and revision else (text, "")
