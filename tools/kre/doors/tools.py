"""The programs that kre runs, each with the oldest version that will do and what to say where it is missing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kre.doors import cache, command
from kre.errors import ToolError

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: how to ask its version, where that stands in the answer, and the oldest that will do."""

    name: str
    ask: tuple[str, ...]
    pattern: str
    oldest: Version
    install: str

    def __str__(self) -> str:
        return self.name


KUSTOMIZE = Tool("kustomize", ("version",), r"v?(\d+\.\d+\.\d+)", (5, 0, 0), "`make tools`, or kustomize.io")
KUBECTL = Tool(
    "kubectl",
    ("version", "--client", "--output=json"),
    r'"kustomizeVersion":\s*"v?(\d+\.\d+\.\d+)"',
    (5, 0, 0),
    "kubernetes.io/docs/tasks/tools",
)
KUBECONFORM = Tool(
    "kubeconform", ("-v",), r"v?(\d+\.\d+\.\d+)", (0, 6, 0), "`make tools`, or github.com/yannh/kubeconform"
)
HELM = Tool("helm", ("version", "--short"), r"v?(\d+\.\d+\.\d+)", (3, 14, 0), "`make tools-helm`, or helm.sh")
GIT = Tool("git", ("--version",), r"(\d+\.\d+\.\d+)", (2, 30, 0), "your system's package git")


def folder() -> Path:
    """Where `make tools` installs: $XDG_CACHE_HOME/kre/bin, never a folder of the repository that is checked."""
    return cache.folder() / "bin"


def locate(tool: Tool) -> str | None:
    """The path of the program: as installed by `make tools`, else on PATH; None where it is missing."""
    return command.find(tool.name, [folder()])


def version(tool: Tool, path: str) -> str:
    """The version that the program states, "" where it states none. Raises ToolError where it can't be run."""
    answer = command.run([path, *tool.ask], timeout=20)
    found = re.search(tool.pattern, answer.stdout + answer.stderr)
    return found.group(1) if found else ""


def too_old(tool: Tool, stated: str) -> bool:
    """Whether a stated version is older than will do. A program built without one ("" here) is taken as new."""
    return bool(stated) and tuple(int(part) for part in stated.split(".")) < tool.oldest


def require(*tools: Tool) -> tuple[Tool, str]:
    """The first of `tools` that is there and new enough, with its path.

    Raises ToolError that says which were looked for, and how to install one.
    """
    old: list[str] = []
    for tool in tools:
        if path := locate(tool):
            stated = _version_once(tool, path)
            if not too_old(tool, stated):
                return tool, path
            old.append(f"{path} is version {stated}, older than {'.'.join(map(str, tool.oldest))}")
    names = " or ".join(tool.name for tool in tools)
    raise ToolError(
        "; ".join(old) or f"{names} was not found", f"install it: {tools[0].install}; then see `kre doctor`"
    )


def _version_once(tool: Tool, path: str) -> str:
    """The version, asked once for each state of the program's file: asking may take longer than the work itself."""
    state = os.stat(path)
    name = cache.key(tool.name, os.path.realpath(path), str(state.st_mtime_ns), str(state.st_size))
    known = cache.get("versions", name)
    if isinstance(known, str):
        return known
    stated = version(tool, path)
    cache.put("versions", name, stated)
    return stated
