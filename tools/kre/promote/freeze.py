"""Whether a window of the policy is open at a time: cron or RFC 5545 rrule, on the clock of its time zone.

A window begins at the local time that its rule names and covers [begin, end). Where the clock leaps over that local
time, it begins as if the clock had not leapt yet; where it comes twice, at the first (RFC 5545, 3.3.5; and as cron
does it). Days are counted on the calendar, so "2d" over a change of the clock has 47 or 49 hours; hours are hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kre.errors import UsageError
from kre.model.policy import Window

_SINCE = datetime(2000, 1, 1)  # noqa: DTZ001 - local: where an rrule without a start counts from
_LEAP = timedelta(days=1)  # no clock was ever moved by more


def closed(windows: Iterable[Window], now: datetime) -> tuple[str, datetime | None] | None:
    """Why nothing may be promoted at `now`, and until when (None where that is not known); None where it may.

    A deny window that is open wins. Raises UsageError for a rule that can't be read.
    """
    known = tuple(windows)
    denied = [(window, end) for window in known if window.kind == "deny" and (end := open_until(window, now))]
    if denied:
        return "; ".join(window.reason for window, _ in denied), max(end for _, end in denied)
    allowing = [window for window in known if window.kind == "allow"]
    if allowing and not any(open_until(window, now) for window in allowing):
        return f"only while: {'; '.join(window.reason for window in allowing)}", None
    return None


def open_until(window: Window, now: datetime) -> datetime | None:
    """The end of the window that is open at `now`, the latest where several are; None where none is."""
    zone = ZoneInfo(window.zone)
    length = timedelta(days=window.days) + window.duration
    local = now.astimezone(zone).replace(tzinfo=None)
    ends = [
        end
        for begin in _begins(window, local - length - _LEAP, local + _LEAP)
        if _instant(begin, zone) <= now < (end := _instant(begin, zone, window.days) + window.duration)
    ]
    return max(ends, default=None)


def _instant(local: datetime, zone: ZoneInfo, days: int = 0) -> datetime:
    """The moment of a local time, `days` later on the calendar. Of a time that comes twice the first; fold=0 is that,
    and for one that does not come, the offset from before the leap."""
    return (local + timedelta(days=days)).replace(tzinfo=zone, fold=0).astimezone(UTC)


def _begins(window: Window, after: datetime, before: datetime) -> Iterator[datetime]:
    """The local times in (after, before) that the rule names."""
    return _by_cron(window, after, before) if window.cron else _by_rule(window, after, before)


def _by_cron(window: Window, after: datetime, before: datetime) -> Iterator[datetime]:
    from cronsim import CronSim, CronSimError

    try:
        times = CronSim(window.cron, after)
    except CronSimError as error:
        raise UsageError(f"cron {window.cron!r} can't be read: {error}", "minute hour day month weekday") from None
    for found in times:
        if found >= before:
            return
        yield found


def _by_rule(window: Window, after: datetime, before: datetime) -> Iterator[datetime]:
    from dateutil.rrule import rrulestr

    text = re.sub(r"(?i)^RRULE:", "", window.rrule.strip())
    if not re.search(r"(?i)FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY)\b", text):  # one of minutes since 2000 has no end
        raise UsageError(f"rrule {window.rrule!r} can't be read: FREQ must be YEARLY, MONTHLY, WEEKLY or DAILY")
    zone = ZoneInfo(window.zone)

    def local(found: re.Match[str]) -> str:
        """UNTIL in UTC, as RFC 5545 wants it, as the local time that everything else here is."""
        moment = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return f"UNTIL={moment.astimezone(zone):%Y%m%dT%H%M%S}"

    try:
        text = re.sub(r"(?i)UNTIL=([0-9]{8}T[0-9]{6}Z)", local, text)
        rule = rrulestr(text, dtstart=window.start or _SINCE)
        yield from rule.between(after, before)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"rrule {window.rrule!r} can't be read: {error}", "such as FREQ=YEARLY;BYMONTH=12") from None
