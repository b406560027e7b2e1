"""A list of names as one anchored pattern in RE2, Argo Events' own syntax, and back."""

from __future__ import annotations

from collections.abc import Sequence

NEVER = "$.^"  # the end, then a character, then the start; "" would match everything
_META = frozenset("\\.+*?()|[]{}^$")


def pattern_of(names: Sequence[str]) -> str:
    """The pattern that matches these names from end to end and nothing else; one that never matches for none."""
    return f"^({'|'.join(_escaped(name) for name in names)})$" if names else NEVER


def names_of(pattern: str) -> list[str] | None:
    """The names that a pattern lists, in its order; None where it is anything but a list of names."""
    if pattern == NEVER:
        return []
    if len(pattern) < len("^$") or pattern[0] != "^" or pattern[-1] != "$":
        return None
    inner = pattern[1:-1]
    grouped = inner.startswith("(") and inner.endswith(")")
    names = _split(inner[1:-1] if grouped else inner)
    if names is None or not all(names) or (not grouped and len(names) > 1):  # ^a|b$ is (^a)|(b$)
        return None
    return names


def _escaped(name: str) -> str:
    return "".join(f"\\{letter}" if letter in _META else letter for letter in name)


def _split(inner: str) -> list[str] | None:
    names, letters = [""], iter(inner)
    for letter in letters:
        if letter == "|":
            names.append("")
        elif letter == "\\":
            literal = next(letters, "")
            if not literal or literal.isalnum() or literal == "_" or not literal.isascii():
                return None  # a class such as \d, or an escape that RE2 refuses
            names[-1] += literal
        elif letter in _META:
            return None
        else:
            names[-1] += letter
    return names
