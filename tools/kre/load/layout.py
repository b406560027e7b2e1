"""Where things are: the environments of a repository and the folders that are rendered for each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from kre.errors import UsageError
from kre.load.graph import kustomization_of
from kre.load.sources import Sources, mapping
from kre.model.bundle import Environment
from kre.model.resource import Role, dig

FOLDERS = ("apps", "base", "overlays")
POLICY = "overlays/environments.yaml"
CONFIG = "kre.yaml"
SIGNERS = "overlays/allowed-signers"  # who may sign commits and approvals (ssh-keygen(1), ALLOWED SIGNERS)


def is_layout(root: Path) -> bool:
    """Whether `root` is a repository with environments, rather than a folder of manifests."""
    return os.path.isfile(root / POLICY)


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upwards that has environments; `start` itself where none has."""
    return next((folder for folder in (start, *start.parents) if is_layout(folder)), start)


def environments(sources: Sources) -> tuple[Environment, ...]:
    """The environments in the order of overlays/environments.yaml, each with its facts.

    Raises UsageError where the file does not say them: nothing else can be read without.
    """
    policy = sources.value(POLICY)
    if problem := sources.problems.get(POLICY):
        raise UsageError(f"{problem.place}: {problem.message}", problem.hint)
    entries = mapping(policy).get("environments")
    entries = entries if isinstance(entries, list) else []
    names = [dig(entry, "name") for entry in entries]
    if not names or not all(isinstance(name, str) and name and "/" not in name for name in names):
        raise UsageError(f"{POLICY}: `environments` must be a list of entries that have a name")
    if len(set(names)) != len(names):
        raise UsageError(f"{POLICY}: two environments have the same name")
    return tuple(_environment(sources, name, dig(entry, "from")) for name, entry in zip(names, entries, strict=True))


def _environment(sources: Sources, name: str, source: object) -> Environment:
    folder = f"overlays/{name}"
    facts = sources.value(f"{folder}/environment/environment.yaml")
    return Environment(name, source if isinstance(source, str) else None, folder, mapping(facts))


def build_units(root: Path, names: Iterable[str]) -> list[tuple[str, Role, str]]:
    """(folder, role, environment) of everything that is rendered for the named environments."""
    units: list[tuple[str, Role, str]] = []
    for name in names:
        units.append((f"apps/{name}", "bootstrap", name))
        units.append((f"overlays/{name}", "applications", name))
        leaves = root / "overlays" / name / "leaves"
        folders = sorted(os.listdir(leaves)) if os.access(leaves, os.R_OK | os.X_OK) else []
        paths = [f"overlays/{name}/leaves/{leaf}" for leaf in folders]
        units.extend((path, "leaf", name) for path in paths if kustomization_of(root, path))
    return units
