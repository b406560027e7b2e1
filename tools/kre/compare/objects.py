"""The objects of an environment before and after, paired, in a form in which only what matters differs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from kre.model.bundle import Bundle, Environment
from kre.model.comparison import Delta, Key
from kre.model.resource import Resource, dig

# The end of a name that a generator made: sigs.k8s.io/kustomize/api/hasher, hex digits with the vowels taken out.
_HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")


@dataclass(frozen=True)
class Side:
    """One environment of one Bundle; None where there is no such environment."""

    bundle: Bundle
    environment: Environment | None

    @property
    def name(self) -> str:
        return self.environment.name if self.environment else ""

    def of(self, *kinds: str) -> Iterable[Resource]:
        """Its objects, of these kinds or of any."""
        return self.bundle.of(self.name, *kinds) if self.environment else ()


def side(bundle: Bundle, name: str) -> Side:
    """The environment of this name, if there is one."""
    return Side(bundle, next((known for known in bundle.environments if known.name == name), None))


def deltas(before: Side, after: Side) -> tuple[Delta, ...]:
    """Every object that is added, changed or removed. Of two environments with different names, what follows from
    their names is no difference."""
    old, new = _known(before, after), _known(after, before)
    found = []
    for key in sorted({*old, *new}):
        then, now = old.get(key), new.get(key)
        if then is None or now is None or then[1] != now[1]:
            was, is_ = (entry or (None, "null") for entry in (then, now))
            found.append(Delta(key, was[0], is_[0], json.loads(was[1]), json.loads(is_[1])))
    return tuple(found)


def _known(mine: Side, other: Side) -> dict[Key, tuple[Resource, str]]:
    """Key -> object and the text of its normal form. Two objects of one key count as one difference at most."""
    hashed = {item.name: plain for item in mine.of("ConfigMap", "Secret") if (plain := _plain(item)) != item.name}
    neutral = _neutral(mine) if mine.environment and other.environment and mine.name != other.name else str
    found: dict[Key, tuple[Resource, str]] = {}
    for item in mine.of():
        name = neutral(_plain(item))
        key = Key(folder(item), item.group, item.kind, item.namespace, name)
        while key in found:
            key = Key(key.folder, key.group, key.kind, key.namespace, f"{key.name} (again)")
        text = json.dumps(_normal(item.body, lambda value: neutral(hashed.get(value, value))), sort_keys=True)
        found[key] = (item, text)
    return found


def folder(item: Resource) -> str:
    """The folder that renders an object, without the environment's own name: "apps", "." or "leaves/pipeline"."""
    parts = PurePosixPath(item.root).parts
    if parts[:1] == ("apps",):
        return "apps"
    return "/".join(parts[2:]) or "."


def _plain(item: Resource) -> str:
    return _HASH.sub("", item.name) if item.generated and item.kind in ("ConfigMap", "Secret") else item.name


def _normal(value: Any, text: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        noise = ("status", "creationTimestamp")
        return {
            str(key): _normal(inner, text) for key, inner in value.items() if str(key) not in noise or inner is not None
        }
    if isinstance(value, list):
        return [_normal(inner, text) for inner in value]
    return text(value) if isinstance(value, str) else value


def _neutral(mine: Side) -> Callable[[str], str]:
    """Takes the environment's name out of a value: its folders, project, and the names that begin with it."""
    spec: Any = mine.environment.spec if mine.environment else {}
    name = re.escape(mine.name)
    words = [
        (str(dig(spec, "paths", "release") or f"overlays/{mine.name}/release"), "(release)"),
        (f"overlays/{mine.name}", "(root)"),
        (f"apps/{mine.name}", "(apps)"),
    ]
    named = re.compile(rf"^{name}(?=-|$)|(?<![\w-])kre-{name}(?![a-z0-9])")

    def text(value: str) -> str:
        for word, instead in words:
            at_start = rf"(^/?|\$values/|;/){re.escape(word)}(?=/|;|$)"
            value = re.sub(at_start, rf"\1{instead}", value) if word in value else value
        return named.sub(lambda found: found[0].replace(mine.name, "(env)"), value)

    return text
