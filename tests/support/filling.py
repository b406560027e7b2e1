"""Promotions by hand: a lock and a release as `kre promote` writes them, without its plan, for tests of what comes
after."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from kre.load.digest import digest
from kre.model.promotion import Entry, Lock, Locked, Previous, Source
from kre.promote import lockfile
from support.promotion import POLICY, Stage, small


def promote(stage: Stage, environment: str, *components: str, source: str = "base") -> str:
    """Copies components from base/ (or another release) into an environment's and merges that; returns the commit.

    `source` is "base", or the environment that they come from.
    """
    stage.git("checkout", "--quiet", "main")
    path = f"overlays/{environment}/release.lock.yaml"
    there = stage.folder / path
    lock = lockfile.read(path, there.read_bytes()) if there.exists() else Lock(environment)
    entries = dict(lock.components)
    for component in components:
        folder = f"{'base' if source == 'base' else f'overlays/{source}/release'}/{component}"
        release = f"overlays/{environment}/release/{component}"
        stage.git("rm", "-r", "--quiet", "--ignore-unmatch", release)
        stage.git("read-tree", f"--prefix={release}", f"main:{folder}")
        stage.git("checkout-index", "--all", "--force")
        entries[component] = locked(stage, folder, "dev" if source == "base" else source, entries.get(component))
    there.write_bytes(lockfile.render(Lock(environment, entries)))
    stage.git("add", path)
    stage.git("commit", "--quiet", "--message", f"feat({environment}): promote {', '.join(components)}")
    stage.git("push", "--quiet", "origin", "main")
    return stage.head()


def held(folder: Path, policy: str = POLICY) -> Stage:
    """A small repository whose staging holds three components."""
    made = small(folder, policy)
    promote(made, "staging", "falco", "falcosidekick", "pipeline")
    return made


def locked(stage: Stage, folder: str, environment: str, before: Locked | None) -> Locked:
    """The entry for what a folder of main holds now."""
    commit = stage.head("main")
    made = of(stage, "main", folder)
    previous = Previous(before.digest, before.source, before.origin) if before else None
    gates = {"validate": "passed", "soak": "passed"}
    return Locked(environment, Source(folder, commit, made), commit, made, stage.now, gates, previous=previous)


def of(stage: Stage, rev: str, folder: str) -> str:
    """The digest of a folder at a revision."""
    entries = [
        Entry(path.removeprefix(f"{folder}/"), *entry.split()) for path, entry in stage.files(rev, folder).items()
    ]
    return digest(entries, lambda entry: sha256(stage.raw(entry.blob)).digest())


def changed(stage: Stage, environment: str, component: str, **fields: object) -> str:
    """Changes an entry of a lock by hand and merges that; returns the commit."""
    path = f"overlays/{environment}/release.lock.yaml"
    lock = lockfile.read(path, (stage.folder / path).read_bytes())
    entries = {**lock.components, component: replace(lock.components[component], **fields)}
    return stage.land({path: lockfile.render(Lock(environment, entries))})
