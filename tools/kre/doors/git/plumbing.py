"""Git's plumbing, run so that neither the user's settings nor a hook that kre runs in can bend what is written.

GitPython is not used for writing: its commits run hooks and its index is the user's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kre.doors import command
from kre.doors.command import Completed
from kre.errors import ToolError

# What the environment of a hook, or of an outer Git, would make of another repository or index. The user's own `git -c`
# settings stay, and so does the quarantine of a receiving repository.
_FOREIGN = (
    "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_PREFIX GIT_IMPLICIT_WORK_TREE GIT_NAMESPACE "
    "GIT_GRAFT_FILE GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS"
)
_ENVIRONMENT: Mapping[str, str | None] = {
    **dict.fromkeys(_FOREIGN.split()),
    "LC_ALL": "C",
    "GIT_NO_REPLACE_OBJECTS": "1",  # what is pushed is the objects themselves
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",  # there is no terminal to answer at
}
_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.splitIndex=false",  # a shared index would be put into the user's .git
    "core.sparseCheckout=false",
    "index.sparse=false",
    "core.fsmonitor=false",
    "core.fsync=committed,reference",  # no ref may outlive a power cut that its objects did not
    "i18n.commitEncoding=UTF-8",
)


@dataclass(frozen=True)
class Plumbing:
    """Git in the repository that `folder` is in."""

    folder: Path

    def try_run(
        self,
        *arguments: str,
        stdin: str = "",
        env: Mapping[str, str | None] | None = None,
        settings: Sequence[str] = (),
        timeout: float | None = None,
    ) -> Completed:
        """Runs one Git command and returns what it left, whatever its exit code. Raises ToolError as command.run."""
        given = [part for setting in (*_SETTINGS, *settings) for part in ("-c", setting)]
        environment = {**_ENVIRONMENT, **(env or {})}
        return command.run(["git", *given, *arguments], cwd=self.folder, stdin=stdin, env=environment, timeout=timeout)

    def run(
        self,
        *arguments: str,
        stdin: str = "",
        env: Mapping[str, str | None] | None = None,
    ) -> str:
        """What a Git command printed, without the line end. Raises ToolError with Git's own words where it fails."""
        done = self.try_run(*arguments, stdin=stdin, env=env)
        if done.code:
            raise ToolError(f"git {arguments[0]} failed: {said(done)}")
        return done.stdout.removesuffix("\n")

    @cached_property
    def places(self) -> tuple[Path, Path, str]:
        """The directory of this work tree's own refs and HEAD, the one that all work trees share, and the path of
        `folder` below the top ("" for the top, else with a slash at its end)."""
        asked = ("--absolute-git-dir", "--git-common-dir", "--show-prefix")
        own, shared, *prefix = self.run("rev-parse", *asked).split("\n")
        return Path(own), (self.folder / shared).resolve(), "".join(prefix)

    def setting(self, name: str) -> str:
        """A setting of the user's, "" where there is none."""
        return self.try_run("config", "--get", name).stdout.strip()

    def flag(self, name: str) -> bool:
        """A setting of the user's that is true or false; false where there is none."""
        return self.try_run("config", "--type=bool", "--get", name).stdout.strip() == "true"


def said(done: Completed) -> str:
    """What a failed Git command said, in one line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or lines
    return "; ".join(told) or f"exit code {done.code}"
