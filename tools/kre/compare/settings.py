"""Where the engine may act, in which mode, and what it leaves alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kre.compare.differences import Difference
from kre.compare.masking import shown
from kre.compare.pair import Pair, change, mapping, turned, within
from kre.model.comparison import Change, Delta, Kind
from kre.model.resource import dig, each

FACTS = "environment/environment.yaml"
_NEVER = "$.^"
_MORE = ("cap", "max-age")  # more of it: more actions
_LESS = ("window", "cooldown", "min-healthy", "min-healthy-percent", "min-age")  # less of it: more actions
_WORDS = ("protected-namespaces", "protected-owners")


def facts(pair: Pair) -> Iterator[Change]:
    """Mode, targets and cluster as the environment states them, whether or not they reach an object."""
    old, new = (mapping(side.environment.spec if side.environment else None) for side in pair.sides)
    path = f"{pair.environment.folder}/{FACTS}"
    if old and new and old.get("mode") != new.get("mode"):
        what = f"mode goes from {shown(old.get('mode'))} to {shown(new.get('mode'))}"
        yield Change(Kind.MODE, "facts", what, old.get("mode"), new.get("mode"), path=path)
    then, now = ({str(name) for name in each(spec, "targets")} for spec in (old, new))
    for name in sorted(now - then):
        yield Change(Kind.TARGETS, "facts", f"namespace {name} becomes a target", None, name, path=path)
    if old and new and dig(old, "cluster") != dig(new, "cluster"):
        what = f"the cluster is another: {shown(dig(new, 'cluster'))}"
        yield Change(Kind.DELIVERY, "facts", what, dig(old, "cluster"), dig(new, "cluster"), path=path)


def settings(pair: Pair) -> Iterator[Change]:
    """What dispatcher and responders are told (ConfigMap settings of both namespaces)."""
    for delta in pair.of("ConfigMap"):
        if delta.key.name != "settings":
            continue
        if delta.after is None:
            yield change(Kind.PROTECTED, delta, "the engine's settings are gone")
        for at in within(delta, "data") if delta.after else ():
            yield from _setting(delta, at)


def _setting(delta: Delta, at: Difference) -> Iterator[Change]:
    key = str(at.pointer[-1]) if len(at.pointer) > 1 else ""
    if not key:  # all of it is new
        for name, value in mapping(at.after).items():
            yield from _setting(delta, Difference(f"data.{name}", ("data", str(name)), None, value))
        return
    short = key.rpartition(".")[2]
    if short == "mode":
        if at.before is not None or key != "mode" or delta.before is not None:
            yield change(Kind.MODE, delta, turned(at), at)
    elif short == "targets":
        if new := names(at.after) - names(at.before):
            yield change(Kind.TARGETS, delta, f"{key} now match {', '.join(sorted(new))}", at)
    elif short == "lane":
        if at.before is not None:
            lost = at.after is None
            yield change(Kind.DETECTION if lost else Kind.MODE, delta, turned(at), at)
    elif _looser(short, at.before, at.after) and delta.before is not None:
        yield change(Kind.PROTECTED, delta, turned(at), at)
    elif short == "max-age" and delta.before is not None:
        yield change(Kind.DETECTION, delta, f"{turned(at)}: older alerts are dropped", at)


def _looser(key: str, before: object, after: object) -> bool:
    """Whether a setting protects less than before. One that nobody here knows counts as such."""
    if key in _WORDS:
        return bool(set(str(before or "").split()) - set(str(after or "").split()))
    then, now = _number(before), _number(after)
    if then is None or now is None or key not in (*_MORE, *_LESS):
        return True
    return now > then if key in _MORE else now < then


def _number(value: object) -> int | None:
    return int(str(value)) if re.fullmatch(r"[0-9]{1,9}", str(value)) else None


def names(pattern: object) -> set[str]:
    """The namespaces that a pattern of targets names; of one of another form, the pattern itself."""
    text = str(pattern or _NEVER)
    if text == _NEVER:
        return set()
    inner = re.fullmatch(r"\^\(([^()]*)\)\$", text)
    return set(inner[1].split("|")) if inner else {f"whatever {text} does"}


def quotas(pair: Pair) -> Iterator[Change]:
    """The bounds of what Workflows may take: raised or gone they hold no storm, lowered they stop the engine."""
    for delta in pair.of("ResourceQuota", "LimitRange"):
        if delta.after is None:
            yield change(Kind.PROTECTED, delta, "this bound is gone")
        elif delta.before is not None:
            for at in within(delta, "spec"):
                then, now = _number(at.before), _number(at.after)
                lower = then is not None and now is not None and now < then
                yield change(Kind.DETECTION if lower else Kind.PROTECTED, delta, turned(at), at)


def projects(pair: Pair) -> Iterator[Change]:
    """The walls around the Applications (AppProject): where they may write, from where, which kinds."""
    for delta in pair.of("AppProject"):
        if delta.before is None:
            yield change(Kind.PROJECT, delta, "a project is added")
        for field in sorted(
            {*mapping(dig(delta.old, "spec")), *mapping(dig(delta.new, "spec"))} if delta.after else ()
        ):
            yield from _wall(delta, field, dig(delta.old, "spec", field), dig(delta.new, "spec", field))


def _wall(delta: Delta, field: str, before: Any, after: Any) -> Iterator[Change]:  # noqa: ANN401 - YAML
    if before == after or field == "description" or delta.before is None:
        return
    then, now = (value if isinstance(value, list) else [] for value in (before, after))
    white = (
        "destinations",
        "sourceRepos",
        "clusterResourceWhitelist",
        "namespaceResourceWhitelist",
        "sourceNamespaces",
    )
    kind = Kind.TARGETS if field == "destinations" else Kind.PROJECT
    if field == "namespaceResourceWhitelist" and before is not None and after is None:
        yield change(kind, delta, "every kind is allowed in a namespace", Difference(field, ("spec",), before, after))
    elif field in white:
        for index, entry in enumerate(now):
            if entry not in then:
                at = Difference(f"{field}[{index}]", ("spec", field, index), None, entry)
                yield change(kind, delta, f"{field} now has {shown(entry)}", at)
        for entry in then:
            if entry not in now and "!" in str(entry):
                at = Difference(field, ("spec", field), entry, None)
                yield change(kind, delta, f"{field} no longer excludes {shown(entry)}", at)
    else:
        at = Difference(f"spec.{field}", ("spec", field), before, after)
        yield change(Kind.PROJECT, delta, turned(at), at)
