"""overlays/environments.yaml -> Policy."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kre.errors import UsageError
from kre.load import fields
from kre.load.fields import NAME, Fields
from kre.load.layout import POLICY
from kre.model.policy import FORGE, Gates, Hotfix, Policy, Step, Waivable, Window
from kre.model.source import Source

_SPAN = r"[0-9]{1,5}[mhd]"


def read(content: bytes) -> Policy:
    """The Policy that the bytes of the file state. Raises UsageError with the line of what is wrong."""
    return _policy(fields.fields(POLICY, content))


def of(source: Source) -> Policy:
    """As read, of a file that was parsed."""
    return _policy(fields.of(source))


def _policy(top: Fields) -> Policy:
    steps = tuple(_step(entry) for entry in top.each("environments"))
    names = [step.name for step in steps]
    if not steps:
        top.fail("environments must be a list of entries that have a name")
    for index, step in enumerate(steps):
        if step.name in names[:index]:
            top.fail(f"two environments are called {step.name}", "environments", index)
        if step.source is not None and step.source not in names[:index]:
            top.fail(f"from: {step.source} is not an environment above {step.name}", "environments", index, "from")
    promote = top.inner("promote")
    units = promote.inner("units")
    known = {name: units.texts(name, NAME) for name in units.keys}
    for name, members in known.items():
        others = {other for unit, listed in known.items() if unit != name for other in listed}
        if twice := [member for member in members if member in others or members.count(member) > 1]:
            promote.fail(f"{twice[0]} is in two units", "units", name)
    made = Policy(
        steps,
        promote.texts("include", default=("<component>/**",)),
        promote.texts("forbid", default=()),
        known,
        "base" if top.text("acceptedRisks", "codeowners|base", "codeowners") == "base" else "codeowners",
    )
    promote.end()
    top.end()
    return made


def _step(entry: Fields) -> Step:
    name, source = entry.text("name", NAME), entry.text("from", NAME, "") or None
    gates = entry.inner("gates")
    approvals = gates.take("approvals", (int, str), None)
    if approvals not in (None, FORGE) and not (isinstance(approvals, int) and approvals > 0):
        gates.fail("approvals must be `forge` or a number from 1", "approvals")
    made = Step(
        name,
        source,
        Gates(
            gates.take("validate", bool, default=True),
            gates.take("policy", bool, default=True),
            span(gates.text("soak", _SPAN, "0h")),
            approvals,
            gates.take("signed", bool, default=False),
        ),
        tuple(_window(window) for window in entry.each("freeze")),
        _hotfix(entry.inner("hotfix")) if "hotfix" in entry else None,
    )
    gates.end()
    entry.end()
    return made


def _hotfix(entry: Fields) -> Hotfix:
    waives = entry.texts("waives", "|".join(get_args(Waivable)), ())
    made = Hotfix(entry.texts("from", NAME, ()), cast("tuple[Waivable, ...]", waives))
    entry.end()
    return made


def _window(entry: Fields) -> Window:
    duration, zone = entry.text("duration", _SPAN), entry.text("timeZone", default="UTC")
    start = entry.text("start", default="")
    days = int(duration[:-1]) if duration.endswith("d") else 0
    made = Window(
        "allow" if entry.text("kind", "deny|allow", "deny") == "allow" else "deny",
        entry.text("reason"),
        zone,
        timedelta() if days else span(duration),
        days,
        entry.text("cron", default=""),
        entry.text("rrule", default=""),
        _local(entry, start) if start else None,
    )
    if bool(made.cron) == bool(made.rrule):
        entry.fail("a window needs either cron or rrule")
    if made.start and made.cron:
        entry.fail("start is for rrule; cron needs none", "start")
    if re.search(r"(?i)INTERVAL|COUNT|DTSTART", made.rrule) and not made.start:
        entry.fail("an rrule with INTERVAL or COUNT needs a start to count from", "rrule")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        entry.fail(f"timeZone: {zone} is not known here", "timeZone")
    entry.end()
    return made


def _local(entry: Fields, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        entry.fail("start must be a local time such as 2026-12-20T00:00", "start")
    if found.tzinfo:
        entry.fail("start is a local time: timeZone says where", "start")
    return found


def span(text: str) -> timedelta:
    """The time that a text such as 30m, 24h or 7d means. Raises UsageError."""
    if not re.fullmatch(_SPAN, text):
        raise UsageError(f"{text!r} is no time span", "such as 30m, 24h or 7d")
    return timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[text[-1]]: int(text[:-1])})
