"""A small repository to plant faults in: fixtures/repository, with prod's release/ copied from base/."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).resolve().parents[1]
PROJECT = TESTS.parent
FIXTURES = TESTS / "fixtures"


@dataclass(frozen=True)
class Expected:
    """A finding that must be there: rule, file and line, and a part of its message and hint."""

    rule: str
    file: str
    line: int
    says: str
    hint: str = ""

    def matches(self, finding: Any) -> bool:
        place = finding.place
        same = (finding.rule, place.path, place.line) == (self.rule, self.file, self.line)
        return same and self.says in finding.message and self.hint in finding.hint


@dataclass(frozen=True)
class Plan:
    """What a fixture file says: changes to make, and the findings that they lead to.

    `only` limits what is compared to findings of these rules, for faults that bring others with them.
    """

    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Plan:
        return cls(yaml.safe_load(path.read_text(encoding="utf-8")) or {})

    @property
    def only(self) -> list[str]:
        return list(self.values.get("only", ()))

    def build(self, folder: Path) -> Path:
        """The repository with the changes made, in a new folder."""
        shutil.copytree(FIXTURES / "repository", folder)
        late = self.values.get("after_release") or self.values.get("after_commit")
        if not late:
            self._change(folder)
        release(folder)
        if self.values.get("after_commit"):
            commit(folder)
        if late:
            self._change(folder)
        return folder

    def _change(self, folder: Path) -> None:
        for edit in self.values.get("edits", ()):
            path = folder / edit["file"]
            before = path.read_text(encoding="utf-8")
            assert edit["replace"] in before, f"{edit['replace']!r} is not in {edit['file']}"
            path.write_text(before.replace(edit["replace"], edit["with"]), encoding="utf-8")
        for name, content in self.values.get("add", {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        for name, digits in self.values.get("binary", {}).items():
            (folder / name).write_bytes(bytes.fromhex(digits))
        for name, target in self.values.get("links", {}).items():
            (folder / name).symlink_to(target)
        for name in self.values.get("remove", ()):
            (folder / name).unlink()

    def expected(self, folder: Path) -> list[Expected]:
        """The findings, with the line of each `text` looked up in the changed file."""
        found = []
        for entry in self.values.get("expect", ()):
            line = entry.get("line") or _line(folder / entry["file"], entry.get("text", ""))
            found.append(Expected(entry["rule"], entry["file"], line, entry["says"], entry.get("hint", "")))
        return found


def release(folder: Path) -> None:
    """Fills prod's release/ from base/, as a promotion does."""
    shutil.copytree(folder / "base", folder / "overlays/prod/release")


def commit(folder: Path, message: str = "test: state") -> str:
    """Commits everything; returns the commit's id."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """Runs Git there under a name of its own, without the user's configuration."""
    done = subprocess.run(
        ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": _path(), "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.strip()


def _path() -> str:
    import os

    return os.environ["PATH"]


def _line(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), 0) if text else 0
