"""Freeze windows: edges, changes of the clock, the turn of the year, deny before allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kre.errors import UsageError
from kre.load import policy
from kre.model.policy import Window
from kre.promote.freeze import closed, open_until

SECOND = timedelta(seconds=1)


def window(text: str, name: str = "prod") -> Window:
    """A window as it stands in environments.yaml."""
    made = policy.read(f"environments:\n- name: {name}\n  freeze:\n  - {{reason: rest, {text}}}\n".encode())
    return made.steps[0].freeze[0]


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def edges(made: Window, begin: datetime, end: datetime) -> None:
    """The window covers [begin, end) and not a second more."""
    assert not open_until(made, begin - SECOND)
    assert open_until(made, begin) == end
    assert open_until(made, end - SECOND) == end
    assert not open_until(made, end)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ('cron: "0 16 * * 5", duration: 64h', "2026-01-09 16:00", "2026-01-12 08:00"),
        ('rrule: "FREQ=WEEKLY;BYDAY=FR;BYHOUR=16", duration: 64h', "2026-01-09 16:00", "2026-01-12 08:00"),
        # over the turn of the year
        ('cron: "0 0 20 12 *", duration: 14d', "2026-12-20 00:00", "2027-01-03 00:00"),
        ('rrule: "RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=20;BYHOUR=0", duration: 14d', "2025-12-20", "2026-01-03"),
        ('cron: "30 23 31 12 *", duration: 1h', "2026-12-31 23:30", "2027-01-01 00:30"),
        # the last day of February
        ('rrule: "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=0", duration: 1d', "2028-02-29 00:00", "2028-03-01 00:00"),
        ('cron: "0 0 L * *", duration: 1d', "2026-02-28 00:00", "2026-03-01 00:00"),
        # every second week from a start
        (
            'rrule: "FREQ=WEEKLY;INTERVAL=2", start: "2026-01-05T08:00", duration: 2h',
            "2026-01-19 08:00",
            "2026-01-19 10:00",
        ),
    ],
)
def test_edges(text: str, begin: str, end: str) -> None:
    edges(window(text), at(begin), at(end))


def test_every_second_week_is_not_every_week() -> None:
    made = window('rrule: "FREQ=WEEKLY;INTERVAL=2", start: "2026-01-05T08:00", duration: 2h')
    assert not open_until(made, at("2026-01-12 09:00"))
    assert not open_until(made, at("2025-12-22 09:00"))  # before the start


@pytest.mark.parametrize("rule", ['cron: "0 18 * * 6"', 'rrule: "FREQ=WEEKLY;BYDAY=SA;BYHOUR=18"'])
def test_hours_are_hours_and_days_are_days_when_the_clock_changes(rule: str) -> None:
    """Berlin, nights of 29 March (one hour less) and 25 October 2026 (one more)."""
    zone = "timeZone: Europe/Berlin"
    spring, autumn = at("2026-03-28 18:00", "Europe/Berlin"), at("2026-10-24 18:00", "Europe/Berlin")
    assert spring.utcoffset() == timedelta(hours=1)
    for begin, hours in ((spring, 23), (autumn, 25)):
        instant = begin.astimezone(UTC)
        edges(window(f"{rule}, {zone}, duration: 24h"), instant, instant + timedelta(hours=24))
        edges(window(f"{rule}, {zone}, duration: 1d"), instant, instant + timedelta(hours=hours))


@pytest.mark.parametrize("rule", ['cron: "30 2 * * *"', 'rrule: "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"'])
def test_a_begin_that_does_not_come_or_comes_twice(rule: str) -> None:
    made = window(f"{rule}, timeZone: Europe/Berlin, duration: 20m")
    leap = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 2:30 as if it were still winter: 3:30 on the clock
    edges(made, leap, leap + timedelta(minutes=20))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    edges(made, first, first + timedelta(minutes=20))
    assert not open_until(made, datetime(2026, 10, 25, 1, 30, tzinfo=UTC))  # 2:30 for the second time


def test_an_end_in_utc() -> None:
    made = window('rrule: "FREQ=DAILY;BYHOUR=1;UNTIL=20260110T000000Z", timeZone: Europe/Berlin, duration: 1h')
    edges(made, at("2026-01-10 01:00", "Europe/Berlin"), at("2026-01-10 02:00", "Europe/Berlin"))
    assert not open_until(made, at("2026-01-11 01:30", "Europe/Berlin"))


def test_deny_beats_allow() -> None:
    allow = window('kind: allow, cron: "0 8 * * 1-5", duration: 9h')
    deny = window('cron: "0 0 20 12 *", duration: 14d')
    inside, outside = at("2026-12-18 09:00"), at("2026-12-18 18:00")
    assert closed((), outside) is None
    assert closed((allow,), inside) is None
    assert closed((allow,), outside) == ("only while: rest", None)
    assert closed((allow, deny), inside) is None
    assert closed((allow, deny), at("2026-12-21 09:00")) == ("rest", at("2027-01-03 00:00"))
    assert closed((deny, allow), at("2026-12-21 09:00")) == ("rest", at("2027-01-03 00:00"))


def test_several_windows_end_with_the_last() -> None:
    short, long = window('cron: "0 8 * * *", duration: 1h'), window('cron: "30 8 * * *", duration: 2h')
    assert closed((short, long), at("2026-01-05 08:45")) == ("rest; rest", at("2026-01-05 10:30"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('cron: "0 25 * * *", duration: 1h', "can't be read"),
        ('cron: "soon", duration: 1h', "can't be read"),
        ('rrule: "FREQ=SOMETIMES", duration: 1h', "can't be read"),
        ('rrule: "FREQ=MINUTELY", duration: 1h', "must be YEARLY"),
        ('rrule: "BYDAY=XX", duration: 1h', "can't be read"),
        ('rrule: "FREQ=DAILY;UNTIL=20269910T000000Z", duration: 1h', "can't be read"),
        ("duration: 1h", "either cron or rrule"),
        ('cron: "0 0 * * *", rrule: "FREQ=DAILY", duration: 1h', "either cron or rrule"),
        ('cron: "0 0 * * *", duration: 1w', "does not match"),
        ('cron: "0 0 * * *", duration: 1h, timeZone: Europe/Atlantis', "is not known here"),
        ('cron: "0 0 * * *", duration: 1h, timezone: UTC', "unknown field"),
        ('rrule: "FREQ=WEEKLY;INTERVAL=2", duration: 1h', "needs a start"),
        ('rrule: "FREQ=WEEKLY", start: soon, duration: 1h', "must be a local time"),
        ('rrule: "FREQ=WEEKLY", start: "2026-01-05T08:00Z", duration: 1h', "is a local time"),
    ],
)
def test_what_can_not_be_read_is_no_open_door(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        open_until(window(text), at("2026-01-05 08:00"))


@given(
    st.integers(0, 2 * 365 * 86400).map(lambda seconds: at("2026-01-01 00:00") + seconds * SECOND),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.integers(0, 59),
    st.integers(0, 23),
    st.integers(1, 50),
)
def test_cron_and_rrule_agree(now: datetime, zone: str, minute: int, hour: int, hours: int) -> None:
    shared = f"timeZone: {zone}, duration: {hours}h"
    one = window(f'cron: "{minute} {hour} * * 2,6", {shared}')
    two = window(f'rrule: "FREQ=WEEKLY;BYDAY=TU,SA;BYHOUR={hour};BYMINUTE={minute}", {shared}')
    assert open_until(one, now) == open_until(two, now)
