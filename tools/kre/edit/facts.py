"""The facts that a fork changes everywhere at once."""

from __future__ import annotations

import re
from pathlib import Path

from kre.errors import UsageError
from kre.load import layout
from kre.load.sources import Sources
from kre.model.resource import Pointer

_URL = re.compile(r"(https?|ssh|git|file)://[^\s]+|[\w.-]+@[\w.-]+:[^\s]+")


def new_facts(url: str, revision: str | None) -> dict[Pointer, str]:
    """The facts to set, by pointer into environment.yaml. Raises UsageError for what is no URL or revision."""
    if not _URL.fullmatch(url):
        raise UsageError(f"{url!r} is no URL of a Git repository", "such as https://git.example.org/team/kre.git")
    facts: dict[Pointer, str] = {("spec", "repository", "url"): url}
    if revision is not None:
        if not re.fullmatch(r"[\w./-]+", revision):
            raise UsageError(f"{revision!r} is no branch, tag or commit")
        facts["spec", "repository", "revision"] = revision
    return facts


def facts_files(root: Path) -> list[Path]:
    """environment.yaml of every environment. Raises UsageError where there are no environments, or one lacks it."""
    if not layout.is_layout(root):
        raise UsageError(
            f"{root} has no {layout.POLICY}", "run it in a clone of the repository, or name it with --root"
        )
    paths = [root / item.folder / "environment" / "environment.yaml" for item in layout.environments(Sources(root))]
    for path in paths:
        if not path.is_file():
            raise UsageError(f"{path.relative_to(root)}: there is no such file", "every environment has one")
    return paths
