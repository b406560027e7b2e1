"""Why a fault that nothing notices does not matter: a pattern of its name, and the reason."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import yaml


class Explanations:
    """Those of a file: a list of {mutants: pattern or patterns, why: text}, where * stands for anything. Knows which
    of them explained something; one with `deep: true` is about random faults, which need not come up."""

    def __init__(self, file: Path) -> None:
        self._reasons: dict[str, str] = {}
        self._used: set[str] = set()
        for entry in yaml.safe_load(file.read_text(encoding="utf-8")) or []:
            named = entry["mutants"]
            for pattern in [named] if isinstance(named, str) else named:
                assert pattern not in self._reasons, f"{pattern} is explained twice"
                assert len(entry["why"].split()) >= 5, f"{pattern}: that is no reason"
                self._reasons[pattern] = entry["why"]
                if entry.get("deep"):
                    self._used.add(pattern)

    def of(self, name: str) -> str:
        """The reason for a mutant that was not noticed, "" where there is none."""
        found = [pattern for pattern in self._reasons if fnmatchcase(name, _plain(pattern))]
        self._used.update(found)
        return self._reasons[found[0]] if found else ""

    def idle(self) -> list[str]:
        """The patterns that have explained nothing so far."""
        return [pattern for pattern in self._reasons if pattern not in self._used]


def _plain(pattern: str) -> str:
    """Brackets and question marks stand for themselves, as in a path or in code."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
