"""Which Falco rules a response answers to: the one pattern of its Sensor's filter on `body.rule`."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib.resources import files

import yaml

from kre.edit.document import opened, refuse_anchors
from kre.edit.draft import Draft
from kre.edit.pattern import names_of, pattern_of
from kre.edit.repository import require_sensor, sensor_of, with_sensor
from kre.edit.splice import splice
from kre.errors import UsageError
from kre.load.scalars import Loader
from kre.load.sources import mapping
from kre.model.resource import Pointer, dig, each

LONGEST = 200
FALCO = "base/falco/values.yaml"


def check_name(rule: str) -> None:
    """Raises UsageError for what can be no rule's name: empty, over-long, with control characters or odd spaces."""
    if not rule.strip():
        raise UsageError("the name of the rule is empty")
    if len(rule) > LONGEST:
        raise UsageError(f"the name of the rule has {len(rule)} characters, more than {LONGEST}")
    if not rule.isprintable() or rule != rule.strip():
        raise UsageError(
            f"{rule!r} can be no rule's name: control characters, line breaks, spaces at its ends",
            "copy the name from the rule itself",
        )


def rules_of(draft: Draft, response: str) -> list[str]:
    """The rules that a response answers to, in the order of its Sensor. Raises UsageError where they can't be told."""
    path = sensor_of(response)
    pointer, pattern = _filter(draft, path)
    names = names_of(pattern)
    if names is None:
        line = opened(path, draft.read(path)).source.at(pointer)
        raise UsageError(f"{line}: the pattern {pattern} is no list of names", "write it as ^(One rule|Another rule)$")
    return names


def add_rule(draft: Draft, response: str, rule: str) -> list[str]:
    """Adds a rule, last, to those that a response answers to. Returns warnings.

    Raises UsageError for a name that can't be, for an unknown response, and for a rule that another one answers to.
    """
    check_name(rule)
    require_sensor(draft.root, response)
    held = rules_of(draft, response)
    warnings = list(_elsewhere(draft, response, rule))
    _write(draft, response, held if rule in held else [*held, rule])
    return warnings + _unknown(draft, rule)


def remove_rule(draft: Draft, response: str, rule: str) -> list[str]:
    """Takes a rule away from those that a response answers to. Returns warnings. Raises UsageError as add_rule."""
    require_sensor(draft.root, response)
    held = rules_of(draft, response)
    if rule not in held:
        check_name(rule)
    _write(draft, response, [name for name in held if name != rule])
    if rule in held:
        return []
    return [f'{response} does not answer to "{rule}"{_meant(rule, held)}']


def _filter(draft: Draft, path: str) -> tuple[Pointer, str]:
    """The pointer to the pattern of the filter on body.rule, and the pattern."""
    body = draft.value(path)
    found: list[tuple[Pointer, object]] = []
    for index, dependency in enumerate(each(body, "spec", "dependencies")):
        for place, data in enumerate(each(dependency, "filters", "data")):
            if dig(data, "path") == "body.rule":
                found.append((("spec", "dependencies", index, "filters", "data", place, "value"), dig(data, "value")))
    if len(found) != 1:
        raise UsageError(f"{path}: {len(found)} data filters have the path body.rule", "a Sensor needs exactly one")
    pointer, patterns = found[0]
    if not isinstance(patterns, list) or len(patterns) != 1 or not isinstance(patterns[0], str):
        place_of = opened(path, draft.read(path)).source.at(pointer)
        raise UsageError(f"{place_of}: the filter on body.rule needs one pattern", 'such as ["^(One|Another)$"]')
    return (*pointer, 0), patterns[0]


def _write(draft: Draft, response: str, rules: list[str]) -> None:
    path = sensor_of(response)
    pointer, pattern = _filter(draft, path)
    raw = draft.read(path)
    if names_of(pattern) == rules:  # however it is written
        draft.write(path, raw)
        return
    refuse_anchors(opened(path, raw))
    draft.write(path, splice(path, raw, {pointer: pattern_of(rules)}))


def _elsewhere(draft: Draft, response: str, rule: str) -> Iterator[str]:
    """Raises UsageError where another response answers to the rule; a warning for each of which that can't be told."""
    for other in with_sensor(draft.root):
        if other == response:
            continue
        try:
            bound = rule in rules_of(draft, other)
        except UsageError as error:
            yield f"whether {other} answers to the rule can't be told: {error}"
            continue
        if bound:
            hint = f"a rule has one response: kre rule remove '{rule}' --response {other}"
            raise UsageError(f'"{rule}" is bound to {other} already', hint)


def _unknown(draft: Draft, rule: str) -> list[str]:
    known = [*stable_rules(), *custom_rules(draft)]
    if rule in known:
        return []
    where = f"neither one of Falco's stable rules nor in customRules of {FALCO}"
    return [f'"{rule}" is {where}: no alert may ever have this name{_meant(rule, known)}']


def _meant(rule: str, known: list[str]) -> str:
    lower = {name.lower(): name for name in known}
    found = get_close_matches(rule.lower(), list(lower), 1)
    return f'; did you mean "{lower[found[0]]}"?' if found else ""


def stable_rules() -> list[str]:
    """The names of Falco's stable rules; the header of data/falco-rules.txt says of which version."""
    text = (files("kre.edit") / "data" / "falco-rules.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def custom_rules(draft: Draft) -> list[str]:
    """The names of the rules in `customRules` of Falco's values: files of rules, as texts, by name."""
    if not draft.has(FALCO):
        return []
    names = []
    for text in mapping(dig(draft.value(FALCO), "customRules")).values():
        try:
            listed = yaml.load(text, Loader) if isinstance(text, str) else None
        except yaml.YAMLError:
            continue  # Falco will say so; here it only means fewer names
        names += [str(name) for item in each(listed) if (name := dig(item, "rule")) is not None]
    return names
