"""Changes single values in a YAML file and leaves every other byte as it is: comments, quotes, order, line ends."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import yaml

from kre.edit.document import opened
from kre.errors import UsageError
from kre.model.resource import Pointer
from kre.model.source import entry

# A plain scalar that no YAML reader takes for anything but text, in block or flow context; the last two are patterns.
_PLAIN = re.compile(r"(?:\.\.?/)*[A-Za-z/](?:[A-Za-z0-9_./:@+~-]*[A-Za-z0-9_/])?|\^\([A-Za-z0-9|-]+\)\$|\$\.\^")
_WORDS = frozenset("y n yes no on off true false null".split())


def splice(name: str, raw: bytes, values: Mapping[Pointer, str]) -> bytes:
    """The bytes of a one-document YAML file with the scalars at these pointers replaced by texts.

    Raises UsageError (with file and line) where the file can't be read, a pointer leads nowhere, or to what is no
    plain value.
    """
    file = opened(name, raw)
    edits = []
    for pointer, value in values.items():
        node = _scalar(file.node, pointer)
        if node is None:
            raise UsageError(
                f"{name}: there is no value at {'.'.join(map(str, pointer))}", "compare with another environment's"
            )
        if node.value != value:
            edits.append((node.start_mark.index, node.end_mark.index, written(value, node.style)))
    return file.edited(edits)


def _scalar(node: yaml.Node | None, pointer: Pointer) -> yaml.ScalarNode | None:
    for step in pointer:
        found = entry(node, step)
        if found is None:
            return None
        node = found[1]
    return node if isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">") else None


def written(value: str, style: str | None = None) -> str:
    """A text as YAML, in the quotes that stood there (`style`), or in some where it needs them."""
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if not style and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=sys.maxsize).rstrip("\n")
