"""A copy of this repository in which prod runs a response on a target, and changes of it, each compared with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from kre.compare.environment import compare
from kre.edit.draft import Draft
from kre.edit.repository import environment_of
from kre.edit.responses import enable
from kre.edit.targets import add_target
from kre.load.bundle import exported
from kre.load.sources import Sources
from kre.model.bundle import Bundle
from kre.model.comparison import Comparison
from kre.model.finding import Finding
from kre.rules.registry import all_rules
from support.repository import PROJECT

FOLDERS = ("apps", "base", "overlays", ".github")
PROD = "overlays/prod"
FACTS = f"{PROD}/environment/environment.yaml"
LEAF = f"{PROD}/leaves/responses/kustomization.yaml"
IGNORED = shutil.ignore_patterns("__pycache__", "release.lock.yaml")  # locks name commits that a copy does not have
Edit = Callable[[Path], None]


def copy(folder: Path) -> Path:
    """What this repository renders, and who owns it."""
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, folder / name, ignore=IGNORED)
    shutil.copy(PROJECT / "kre.yaml", folder)
    return folder


def stage(folder: Path) -> Path:
    """The copy with prod's delete-pod on target shop."""
    copy(folder)
    draft = Draft(folder)
    prod = environment_of(folder, "prod")
    add_target(draft, prod, "shop")
    enable(draft, prod, "delete-pod")
    draft.save()
    for name in ("base", "overlays/dev/leaves", "overlays/staging/release", "overlays/staging/leaves", "apps/argocd"):
        shutil.rmtree(folder / name)  # nothing of it is prod's
    return folder


@lru_cache(maxsize=8)
def sources(root: Path) -> Sources:
    """The parsed files of a root that no test changes."""
    known = Sources(root)
    known.read_all(FOLDERS)
    return known


def loaded(before: Bundle, root: Path, only: Iterable[str] | None) -> Bundle:
    """The Bundle of `root`; as with --changed-since, what is as it was before is neither parsed nor rendered again."""
    return exported(root, only, (sources(before.root), before.roots))


def compared(before: Bundle, root: Path, environment: str = "prod") -> Comparison:
    """The environment as `root` has it now, beside the one before."""
    after = loaded(before, root, [environment])
    failed = [str(problem) for problem in after.problems if problem.environments]
    assert failed == [], failed
    return compare(before, after, environment)


def kinds(comparison: Comparison) -> dict[str, list[str]]:
    """Kind of risk -> its changes, in words."""
    return {str(risk.kind): [str(change) for change in risk.changes] for risk in comparison.risks}


def refusals(before: Bundle, root: Path, only: Iterable[str] | None = ("prod",)) -> list[Finding]:
    """What rules P01 and up say of `root`, against the bundle before."""
    after = replace(loaded(before, root, only), before=before)
    return [found for rule in all_rules() if rule.id[0] == "P" for found in rule.apply(after)]


def swap(path: str, old: str, new: str, count: int = 1) -> Edit:
    """An edit that replaces a text that must be there."""

    def edit(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        (root / path).write_text(text.replace(old, new, count), encoding="utf-8")

    return edit


def put(path: str, text: str) -> Edit:
    """An edit that writes a file."""

    def edit(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")

    return edit


def add(path: str, text: str) -> Edit:
    """An edit that adds to the end of a file."""

    def edit(root: Path) -> None:
        (root / path).write_text(f"{(root / path).read_text(encoding='utf-8').rstrip()}\n{text}", encoding="utf-8")

    return edit


def patch(text: str, leaf: str = "responses") -> Edit:
    """An edit that adds a patch, written into the kustomization, to a leaf of prod."""
    indented = "".join(f"    {line}\n" for line in text.strip("\n").splitlines())
    return patches_entry(f"- patch: |-\n{indented}", leaf)


def patches_entry(entry: str, leaf: str) -> Edit:
    """An edit that puts an entry before all other patches of a leaf of prod."""
    path = f"{PROD}/leaves/{leaf}/kustomization.yaml"

    def edit(root: Path) -> None:
        old = (root / path).read_text(encoding="utf-8")
        made = old.replace("patches:\n", f"patches:\n{entry}", 1) if "patches:\n" in old else f"{old}patches:\n{entry}"
        (root / path).write_text(made, encoding="utf-8")

    return edit


def resource(leaf: str, name: str, text: str) -> Edit:
    """An edit that adds an object of its own to a leaf of prod."""
    folder = f"{PROD}/leaves/{leaf}"

    def edit(root: Path) -> None:
        put(f"{folder}/{name}", text)(root)
        swap(f"{folder}/kustomization.yaml", "resources:\n", f"resources:\n- {name}\n")(root)

    return edit


def all_of(*edits: Edit) -> Edit:
    """Several edits, one change."""

    def edit(root: Path) -> None:
        for each in edits:
            each(root)

    return edit
