"""What commands do before they print: load, validate, keep the result for the next equal run."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

from kre.doors import cache
from kre.errors import Exit, KreError, UsageError
from kre.load import layout
from kre.load.fingerprint import fingerprint, outside
from kre.load.sources import Sources, relative
from kre.report.result import Result

if TYPE_CHECKING:
    from kre.model.bundle import Bundle
    from kre.rbac.atlas import Atlas


def validated(
    root: Path,
    *,
    files: Sequence[Path] | None,
    environments: Sequence[str] | None,
    engine: str,
    since: str | None,
    acknowledged: frozenset[str] = frozenset(),
    charts: bool = False,
    use_cache: bool,
) -> Result | None:
    """The result of a validation; None where `files` were given and none of them is part of an environment.

    Raises UsageError and ToolError as loading and checking do.
    """
    root = Path(os.path.realpath(root))
    only = _selected(root, files, environments, since)
    if only is not None and not only:
        return None
    uncached = since or not use_cache or not root.is_dir()
    name = "" if uncached else fingerprint(root, engine, *(only or ["*"]), *_state(charts))
    known = cache.get("results", name) if name else None
    if known is not None:
        return cast("Result", known)
    made, keep = _fresh(root, only, engine, since, acknowledged, charts)
    if name and keep:
        cache.put("results", name, made)
    return made


def _fresh(
    root: Path, only: Sequence[str] | None, engine: str, since: str | None, acknowledged: frozenset[str], charts: bool
) -> tuple[Result, bool]:
    """The result, and whether a fingerprint covers all that it came from."""
    from kre.load.bundle import load
    from kre.report.result import result
    from kre.rules.run import merge, validate
    from kre.schema.check import Engine

    with progress("rendering and checking"):
        bundle = _charted(load(root, only, since), charts)
        findings = validate(bundle, cast("Engine", engine), acknowledged)
        if since and bundle.before:
            from kre.promote.gates import Gates
            from kre.promote.merging import gates_again

            found = gates_again(root, bundle, since, Gates())
            findings = merge([*findings, *found], [environment.name for environment in bundle.environments])
    reads = frozenset(path for item in bundle.roots for path in item.files)
    return result(bundle, findings, engine), not outside(root, reads) and not _left(bundle)


def atlases(root: Path, environments: Sequence[str] | None, *, charts: bool = False) -> list[Atlas]:
    """What is known of who may do what, in these environments or in all, with what charts make or without; kept for the
    next equal run.

    Raises UsageError, and Unrendered where an environment can't be rendered.
    """
    from kre.rbac.atlas import atlas, compiled

    root = Path(os.path.realpath(root))
    only = _selected(root, None, environments, None)
    name = fingerprint(root, "rbac", *(only or ["*"]), *_state(charts)) if root.is_dir() else ""
    made = cache.get("rbac", name) if name else None
    if made is None:
        with progress("rendering"):
            bundle = _charted(_loaded(root, only), charts)
        there = {item.environment for item in bundle.roots}
        names = [known.name for known in bundle.environments if known.name in there]
        made = [compiled(bundle, known) for known in names or (None,)]
        reads = frozenset(path for item in bundle.roots for path in item.files)
        if name and not outside(root, reads) and not _left(bundle):
            cache.put("rbac", name, made)
    return [atlas(entry) for entry in made]


def rendered(root: Path, environments: Sequence[str] | None, *, charts: bool = False) -> Bundle:
    """The Bundle of these environments, or of all, with its charts or without. Raises UsageError, and Unrendered where
    an environment can't be rendered."""
    return _charted(_loaded(root, _selected(root, None, environments, None)), charts)


def _charted(bundle: Bundle, charts: bool) -> Bundle:
    if not charts:
        return bundle
    from kre.load.charts import with_charts
    from kre.rbac.defaults import lock

    return with_charts(bundle, lock()["version"])


def _state(charts: bool) -> list[str]:
    """What a result with charts depends on, beside the repository."""
    if not charts:
        return []
    from kre.doors import helm

    return ["charts", helm.state()]


def _left(bundle: Bundle) -> bool:
    """Whether a chart could not be rendered: the next run tries again."""
    return any(chart.missing for chart in bundle.charts)


def _loaded(root: Path, only: Sequence[str] | None) -> Bundle:
    from kre.load.bundle import load

    bundle = load(root, only)
    if failed := [problem for problem in bundle.problems if problem.environments or not bundle.environments]:
        raise Unrendered(f"{failed[0].place}: {failed[0].rule}: {failed[0].message}", "see: kre validate")
    return bundle


class Unrendered(KreError):
    """An environment can't be rendered, so that nobody knows what is in it."""

    exit = Exit.FINDINGS


def _selected(
    root: Path, files: Sequence[Path] | None, environments: Sequence[str] | None, since: str | None
) -> list[str] | None:
    """The environments to look at, None for all (or where there are none)."""
    if not layout.is_layout(root):
        if environments or since:
            raise UsageError(
                f"{root} has no {layout.POLICY}, hence no environments", "leave out --env and --changed-since"
            )
        return None
    if files is None and environments is None:
        return None
    known = layout.environments(Sources(root))
    names = [environment.name for environment in known]
    if unknown := sorted(set(environments or ()) - set(names)):
        raise UsageError(f"there is no environment {', '.join(unknown)}", f"there are: {', '.join(names)}")
    wanted = set(environments or names)
    if files:
        reached: set[str] = set()
        for path in files:
            reached |= _part_of(relative(root, os.path.realpath(path)), [(item.name, item.source) for item in known])
        wanted &= reached
    return [name for name in names if name in wanted]


def _part_of(path: str, environments: Sequence[tuple[str, str | None]]) -> set[str]:
    """The environments whose rendering a file can change."""
    parts = PurePosixPath(path).parts
    names = {name for name, _ in environments}
    if path in (layout.POLICY, layout.CONFIG):
        return names
    if parts[:1] == ("base",):
        return {name for name, source in environments if source is None}
    if parts[:1] in (("overlays",), ("apps",)) and len(parts) > 1:
        return {parts[1]} & names
    return set()


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """A spinner on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
