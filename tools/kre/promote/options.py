"""What the target has of its own, and what of a component that needs: options that its leaves choose, and facts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import yaml

from kre.load.graph import NAMES
from kre.load.scalars import Loader
from kre.model.policy import Step
from kre.model.promotion import Block, Entry, Reason
from kre.model.resource import walk
from kre.promote.view import View


def chosen(view: View, step: Step) -> Mapping[str, tuple[str, ...]]:
    """Whatever the kustomizations of an environment, but for those of its release, name below the release: path
    relative to the release -> the files that name it."""
    root, found = f"overlays/{step.name}", dict[str, list[str]]()
    for entry in view.objects.tree(view.base, root):
        path = f"{root}/{entry.path}"
        if path.rpartition("/")[2] in NAMES and not path.startswith(f"{step.release}/"):
            for target in _names(view.objects.blob(entry.blob)):
                full = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
                if full.startswith(f"{step.release}/"):
                    found.setdefault(full.removeprefix(f"{step.release}/"), []).append(path)
    return {target: tuple(sorted(set(files))) for target, files in found.items()}


@lru_cache(maxsize=1024)
def _names(content: bytes) -> tuple[str, ...]:
    """Every text of a kustomization that may be a relative path."""
    try:
        documents = [*yaml.load_all(content, Loader)]
    except (yaml.YAMLError, UnicodeDecodeError):  # validation says so, with its line
        return ()
    texts = {value for document in documents for _, value in walk(document) if isinstance(value, str)}
    return tuple(sorted(text for text in texts if "/" in text and "://" not in text and not text.startswith("/")))


def gone(component: str, after: Iterable[Entry], choices: Mapping[str, tuple[str, ...]]) -> Iterator[Block]:
    """What the environment names below a component that would not be there any more."""
    there = set[str]()
    for entry in after:
        parts = f"{component}/{entry.path}".split("/")
        there.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    for target in sorted(choices):
        if target.split("/")[0] == component and target not in there:
            by = ", ".join(choices[target])
            hint = "take it out there first, in a change of its own"
            yield Block(Reason.OPTION_GONE, f"{by} names {target}, which would be gone", hint, choices[target])


def unchosen(
    component: str, before: Iterable[Entry], after: Iterable[Entry], choices: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """Notes on options that come with this and that no kustomization of the environment names."""
    for option in sorted(_options(after) - _options(before)):
        if f"{component}/{option}" not in choices:
            yield f"new option {option}: no leaf chooses it"


def _options(entries: Iterable[Entry]) -> set[str]:
    """The folders below options/ that have a kustomization."""
    folders = (entry.path.rpartition("/") for entry in entries)
    return {folder for folder, _, name in folders if name in NAMES and folder.startswith("options/")}


def missing_facts(view: View, source: Step, target: Step, component: str) -> Iterator[str]:
    """What the target must have before a component can come to it: its facts, and values where the source has some."""
    facts = f"overlays/{target.name}/environment/environment.yaml"
    if view.objects.file(view.base, facts) is None:
        yield facts
    theirs, ours = f"overlays/{source.name}/values/{component}.yaml", f"overlays/{target.name}/values/{component}.yaml"
    if view.objects.file(view.base, theirs) is not None and view.objects.file(view.base, ours) is None:
        yield ours


def unlisted(target: Step, component: str, choices: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Notes on a new component that nothing in the environment names yet."""
    if not any(name.split("/")[0] == component for name in choices):
        yield f"nothing in overlays/{target.name} names release/{component} yet: list it in its kustomization.yaml"
