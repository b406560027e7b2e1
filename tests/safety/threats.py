"""The table of defences by threat, threats.yaml: each row is a fault, and the one who must notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kre.model.resource import Pointer
from safety.mutate import GONE


@dataclass(frozen=True)
class Code:
    """A piece of the engine's code that is replaced, and the test of tests/unit/engine/ that must fail."""

    threat: str
    what: str
    file: str
    piece: str
    test: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.threat}: {self.what}"


@dataclass(frozen=True)
class Rendered:
    """A place in an object of dev that gets another value, or none, and the promise that must complain."""

    threat: str
    what: str
    object: str  # as Resource says it: kind, namespace if there is one, name
    at: str
    promise: str
    instead: Any = GONE

    def __str__(self) -> str:
        return f"{self.threat}: {self.what}"

    @property
    def pointer(self) -> Pointer:
        steps = (step.replace("~1", "/") for step in self.at.removeprefix("/").split("/"))
        return tuple(int(step) if step.isdecimal() else step for step in steps)


_TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
CODE = [Code(**row) for row in _TABLE["code"]]
RENDERED = [Rendered(**row) for row in _TABLE["rendered"]]
