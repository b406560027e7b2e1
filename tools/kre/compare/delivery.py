"""What Argo CD applies: from which repository, which revision and folder, to which cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kre.compare.masking import scrub
from kre.compare.pair import Pair, change, mapping, turned, within
from kre.model.comparison import Change, Delta, Kind
from kre.model.resource import dig, sources

_HARMLESS = re.compile(r"^spec\.(info|revisionHistoryLimit|syncPolicy\.retry)([.\[]|$)")
_PLAIN = ("sync-wave", "manifest-generate-paths")
_MARK = "argocd.argoproj.io/"


def applications(pair: Pair) -> Iterator[Change]:
    """Every field but a chart's version, retries, and what is for people."""
    for delta in pair.of("Application", "ApplicationSet"):
        if delta.before is None:
            yield from _new(pair, delta)
        elif delta.after is not None:
            for at in within(delta, "spec"):
                if not _HARMLESS.match(at.path) and not _version(delta, at.path):
                    yield change(Kind.DELIVERY, delta, turned(at), at)


def _new(pair: Pair, delta: Delta) -> Iterator[Change]:
    """A new Application of this repository is known by what it renders; of another, nobody here knows anything."""
    url = dig(pair.environment.spec, "repository", "url")
    if delta.key.kind != "Application" or delta.after is None:
        yield change(Kind.DELIVERY, delta, f"an {delta.key.kind} is added")
        return
    for pointer, source in sources(delta.after):
        if dig(source, "repoURL") != url or dig(source, "chart"):
            what = dig(source, "chart") or dig(source, "path") or ""
            told = f"it applies {what} of {scrub(str(dig(source, 'repoURL')))}, which nobody sees here"
            yield change(Kind.DELIVERY, delta, told, None, pointer)


def _version(delta: Delta, path: str) -> bool:
    """Whether a path is the version of a chart that stays the same."""
    found = re.fullmatch(r"spec\.sources?(?:\[(\d+)\])?\.targetRevision", path)
    if not found:
        return False
    steps = ("spec", "sources", int(found[1])) if found[1] else ("spec", "source")
    charts = [dig(body, *steps, "chart") for body in (delta.old, delta.new)]
    return bool(charts[0]) and charts[0] == charts[1]


def marks(pair: Pair) -> Iterator[Change]:
    """Argo CD's annotations on any object: they can keep it from being synced, pruned or compared."""
    for delta in pair.deltas:
        for at in within(delta, "metadata", "annotations") if delta.after is not None else ():
            names = [str(step) for step in at.pointer[2:]] or sorted(mapping(at.after))
            told = [name for name in names if name.startswith(_MARK) and name.removeprefix(_MARK) not in _PLAIN]
            if told and (delta.before is not None or not pair.released(delta)):
                yield change(Kind.DELIVERY, delta, f"Argo CD is told otherwise by {', '.join(told)}", at)
