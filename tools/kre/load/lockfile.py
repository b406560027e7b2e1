"""overlays/<env>/release.lock.yaml -> Lock. kre.promote.lockfile writes it."""

from __future__ import annotations

from datetime import UTC, datetime

from kre.load import fields
from kre.load.fields import NAME, Fields
from kre.model.promotion import Accepted, AcceptedRisk, Hold, Lock, Locked, Previous, Source
from kre.model.source import Source as File

VERSION = 1
COMMIT, DIGEST, MODE = r"[0-9a-f]{40}", r"sha256:[0-9a-f]{64}", r"100644|100755"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


def read(path: str, content: bytes) -> Lock:
    """The Lock that the bytes of the file at `path` state. Raises UsageError with the line of what is wrong."""
    return _lock(fields.fields(path, content))


def of(source: File) -> Lock:
    """As read, of a file that was parsed."""
    return _lock(fields.of(source))


def _lock(top: Fields) -> Lock:
    if top.take("version", int) != VERSION:
        top.fail(f"version must be {VERSION}: another kre wrote this", "version")
    components = top.inner("components")
    made = Lock(top.text("environment", NAME), {name: _locked(components.inner(name)) for name in components.keys})
    components.end()
    top.end()
    return made


def _locked(entry: Fields) -> Locked:
    previous, hold, origin = entry.inner("previous"), entry.inner("hold"), entry.inner("origin")
    made = Locked(
        environment=entry.text("from", NAME),
        source=_source(entry.inner("source")),
        origin=origin.text("commit", COMMIT),
        digest=entry.text("digest", DIGEST),
        promoted=_time(entry, "promoted"),
        gates=_texts(entry.inner("gates")),
        accepted=tuple(_accepted(each) for each in entry.each("accepted")),
        accepted_risks=tuple(_risk(each) for each in entry.each("accepted_risks")),
        previous=_previous(previous) if "previous" in entry else None,
        versions=dict(entry.take("versions", dict, {})),
        hold=_hold(hold) if "hold" in entry else None,
        hotfix=entry.text("hotfix", default=""),
    )
    origin.end()
    entry.end()
    return made


def _source(entry: Fields) -> Source:
    made = Source(entry.text("path"), entry.text("commit", COMMIT), entry.text("digest", DIGEST))
    entry.end()
    return made


def _previous(entry: Fields) -> Previous:
    origin = entry.inner("origin")
    made = Previous(entry.text("digest", DIGEST), _source(entry.inner("source")), origin.text("commit", COMMIT))
    origin.end()
    entry.end()
    return made


def _accepted(entry: Fields) -> Accepted:
    blob = entry.take("blob", str)
    if blob:
        entry.text("blob", COMMIT)
    made = Accepted(entry.text("path"), blob, entry.text("reason"), entry.text("mode", MODE, ""))
    entry.end()
    return made


def _risk(entry: Fields) -> AcceptedRisk:
    made = AcceptedRisk(entry.text("kind"), entry.text("digest", DIGEST), entry.text("reason"))
    entry.end()
    return made


def _hold(entry: Fields) -> Hold:
    until = _time(entry, "until") if "until" in entry else None
    made = Hold(entry.text("by"), entry.text("reason"), until)
    entry.take("until", str, None)
    entry.end()
    return made


def _texts(entry: Fields) -> dict[str, str]:
    return {key: entry.text(key) for key in entry.keys}


def _time(entry: Fields, key: str) -> datetime:
    text = entry.text(key, _TIME)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        entry.fail(f"{key}: {text} is no time", key)
