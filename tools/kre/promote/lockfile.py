"""Lock -> overlays/<env>/release.lock.yaml: the same lock, the same bytes.

Each component is a block of its own, sorted by name, that begins with its name and ends with its hold: two
promotions of different components change lines that do not touch, so Git merges them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache

import yaml

from kre.load.lockfile import VERSION, read
from kre.load.scalars import Loader
from kre.model.promotion import Lock, Locked, Source

__all__ = ["read", "render", "stamp"]

_PLAIN = re.compile(r"[A-Za-z0-9/_.$][^\x00-\x1f\"'`{}\[\],&*?|<>=!%@\\]*")


def render(lock: Lock) -> bytes:
    """The bytes of the file."""
    made = {
        "version": VERSION,
        "environment": lock.environment,
        "components": {name: _entry(lock.components[name]) for name in sorted(lock.components)},
    }
    head = f"# overlays/{lock.environment}/release.lock.yaml - written by `kre promote`; do not edit"
    return "\n".join([f"{head} (kre validate recomputes it)", *_lines(made), ""]).encode()


def stamp(time: datetime) -> str:
    """A time as locks hold it: UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entry(locked: Locked) -> dict[str, object]:
    previous, hold = locked.previous, locked.hold
    return {
        "from": locked.environment,
        **({"hotfix": locked.hotfix} if locked.hotfix else {}),
        "source": _source(locked.source),
        "origin": {"commit": locked.origin},
        "digest": locked.digest,
        "accepted": [
            {"path": each.path, "blob": each.blob, **({"mode": each.mode} if each.mode else {}), "reason": each.reason}
            for each in locked.accepted
        ],
        "accepted_risks": [
            {"kind": each.kind, "digest": each.digest, "reason": each.reason} for each in locked.accepted_risks
        ],
        "gates": dict(locked.gates),
        "previous": {
            "digest": previous.digest,
            "source": _source(previous.source),
            "origin": {"commit": previous.origin},
        }
        if previous
        else None,
        "promoted": stamp(locked.promoted),
        "versions": dict(locked.versions),
        "hold": {"by": hold.by, "reason": hold.reason, "until": stamp(hold.until) if hold.until else None}
        if hold
        else None,
    }


def _source(source: Source) -> dict[str, object]:
    return {"path": source.path, "commit": source.commit, "digest": source.digest}


def _lines(value: Mapping[str, object], indent: str = "") -> Iterator[str]:
    for key, inner in value.items():
        name = f"{indent}{_scalar(key)}:"
        if isinstance(inner, Mapping) and inner:
            yield name
            yield from _lines(inner, f"{indent}  ")
        elif isinstance(inner, (list, tuple)) and inner:
            yield name
            for each in inner:
                lines = [*_lines(each, f"{indent}  ")] if isinstance(each, Mapping) else [f"{indent}  {_scalar(each)}"]
                yield f"{indent}- {lines[0][len(indent) + 2 :]}"
                yield from lines[1:]
        else:
            yield f"{name} {'{}' if isinstance(inner, Mapping) else '[]' if inner in ([], ()) else _scalar(inner)}"


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, (bool, int)):
        return str(value).lower()
    text = str(value)
    plain = _PLAIN.fullmatch(text) and ": " not in text and " #" not in text and text == text.strip()
    if plain and not text.endswith(":") and text.isprintable() and _is_text(text):
        return text
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


@lru_cache(maxsize=4096)
def _is_text(text: str) -> bool:
    """Whether it is read as this text where it stands without quotes."""
    return bool(yaml.load(text, Loader) == text)


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    number = ord(letter)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"  # noqa: PLR2004
