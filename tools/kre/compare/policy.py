"""The rules of the game: what environments.yaml asks of a promotion, and the exceptions of kre.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kre.compare.differences import Difference, differences
from kre.compare.pair import Pair, mapping, turned
from kre.compare.workloads import images
from kre.load.layout import CONFIG, POLICY
from kre.model.bundle import Bundle
from kre.model.comparison import Change, Kind
from kre.model.resource import Pointer, dig, each

_UNITS = {"m": 60, "h": 3600, "d": 86400}
_GATES = ("validate", "policy", "signed")


def policy(pair: Pair) -> Iterator[Change]:
    """Everything in environments.yaml that differs and is not plainly stricter: of this environment, and of all."""
    old, new = (_policy(side.bundle) for side in pair.sides)
    name = pair.environment.name
    (_, then), (index, now) = (_entry(value, name) for value in (old, new))
    if then is not None and now is not None:
        for at in differences(then, now):
            if not _stricter(at):
                yield _loosened(at, ("environments", index, *at.pointer), name)
    order = [[str(dig(entry, "name")) for entry in each(value, "environments")] for value in (old, new)]
    both = [[known for known in one if known in order[0] and known in order[1]] for one in order]
    if both[0] != both[1]:
        yield _loosened(Difference("order", (), both[0], both[1]), ("environments",), "environments")
    for key in sorted({*old, *new} - {"environments"}):
        for at in differences(old.get(key), new.get(key), key, (key,)):
            if (at.path, at.after) != ("acceptedRisks", "base"):
                yield _loosened(at, at.pointer, "promotions")


def _loosened(at: Difference, pointer: Pointer, subject: str) -> Change:
    return Change(
        Kind.POLICY, f"policy of {subject}", turned(at), at.before, at.after, None, pointer, gone=False, path=POLICY
    )


def _policy(bundle: Bundle) -> Mapping[str, Any]:
    source = bundle.sources.get(POLICY)
    return mapping(source.documents[0].value if source and source.documents else None)


def _entry(value: object, name: str) -> tuple[int, Any]:
    found = [(index, entry) for index, entry in enumerate(each(value, "environments")) if dig(entry, "name") == name]
    return found[0] if found else (0, None)


def _stricter(at: Difference) -> bool:
    """Whether a gate asks for more than before."""
    last = at.path.rpartition(".")[2]
    if at.path == "gates":
        old, new = mapping(at.before), mapping(at.after)
        parts = (Difference(f"gates.{key}", (), old.get(key), new.get(key)) for key in {*old, *new})
        return all(part.before == part.after or _stricter(part) for part in parts)
    if not at.path.startswith("gates."):
        return at.path.startswith("freeze") and at.before is None and _only_denies(at.after)
    if last in _GATES:
        return at.after is True
    if last == "soak":
        return _seconds(at.after) > _seconds(at.before)
    if last == "approvals":
        return at.before is None or (isinstance(at.before, int) and isinstance(at.after, int) and at.after > at.before)
    return False


def _only_denies(freeze: object) -> bool:
    entries = each(freeze) or [freeze]
    return all(isinstance(entry, Mapping) and entry.get("kind") in (None, "deny") for entry in entries)


def _seconds(value: object) -> int:
    found = re.fullmatch(r"([0-9]{1,9})([mhd])", str(value))
    return int(found[1]) * _UNITS[found[2]] if found else 0


def exceptions(pair: Pair) -> Iterator[Change]:
    """What kre.yaml allows now and did not allow before, where this environment makes use of it."""
    old, new = pair.before.bundle.config, pair.after.bundle.config
    rendered = [(f"{item.api_version}/{item.kind}", item.body) for item in pair.after.of()]
    used = {"kind": {kind for kind, _ in rendered}, "image": set().union(*(images(body) for _, body in rendered))}
    for field, key in (("kinds", "kind"), ("images", "image")):
        known = {str(dig(entry, key)) for entry in each(old, field)}
        for index, entry in enumerate(each(new, field)):
            name = str(dig(entry, key))
            if name not in known and name in used[key]:
                what = f"kre.yaml excepts {key} {name}"
                yield Change(Kind.POLICY, "exceptions", what, None, name, None, (field, index), gone=False, path=CONFIG)
