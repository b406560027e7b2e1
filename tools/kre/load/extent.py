"""Which part of a revision a bundle can be made of: mostly three folders, of a repository that may have a lot more."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from kre.doors.git.objects import LINK, Objects
from kre.errors import KreError
from kre.load.graph import NAMES
from kre.load.layout import CONFIG, FOLDERS
from kre.load.owners import PLACES

_CLIMBS = re.compile(r"(?:\.\./)+[^\s/\"',\]}]+")


def extent(objects: Objects, commit: str) -> tuple[str, ...] | None:
    """The files and folders to take out of a commit, those that it has; None for all of them, where a kustomization or
    a link leads further."""
    tree = objects.tree(commit)
    for entry in tree:
        top, _, _ = entry.path.partition("/")
        link = entry.mode == LINK
        if top not in FOLDERS or not (link or entry.path.rpartition("/")[2] in NAMES):
            continue
        text = objects.blob(entry.blob).decode("utf-8", "replace")
        for target in [text] if link else _CLIMBS.findall(text):
            led = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), target))
            if led.split("/")[0] not in FOLDERS:
                return None
    there = {entry.path for entry in tree}
    folders = {path.partition("/")[0] for path in there if "/" in path}
    return tuple(path for path in (*FOLDERS, CONFIG, *PLACES) if path in there or path in folders)


def extent_of(root: Path, revision: str) -> tuple[str, ...] | None:
    """The same of the repository that a folder is in; None for all, too, where Git can't say."""
    try:
        with Objects(root) as objects:
            return extent(objects, objects.resolve(revision)) or None
    except KreError:  # whoever takes them out says what is wrong
        return None
