"""What the environment allows: the ConfigMap `settings`, mounted as a folder with one file for each key."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from names import MODES, Refused

Values: TypeAlias = Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Settings:
    """Values by key; `<response>.<key>` wins over `<key>`. One that can't be read refuses: nothing is guessed."""

    values: Mapping[str, str]

    def text(self, response: str, key: str) -> str:
        """The value for a response. Raises Refused where there is none."""
        found = self.values.get(f"{response}.{key}", self.values.get(key))
        if found is None:
            raise Refused(f"setting {key} is missing")
        return found.strip()

    def number(self, response: str, key: str) -> int:
        """A whole number from 0 on. Raises Refused."""
        found = self.text(response, key)
        if not (found.isascii() and found.isdecimal() and len(found) < 10):
            raise Refused(f"setting {key} is not a whole number")
        return int(found)

    def choice(self, response: str, key: str, among: tuple[str, ...] = MODES) -> str:
        """One of a few words. Raises Refused."""
        if (found := self.text(response, key)) not in among:
            raise Refused(f"setting {key} is none of {', '.join(among)}")
        return found


def read_folder(folder: str) -> dict[str, str]:
    """File name -> content of a mounted ConfigMap or Secret, all of one version: the kubelet swaps `..data` at once."""
    real = os.path.realpath(os.path.join(folder, "..data"))
    found = Path(real if os.path.isdir(real) else folder).iterdir()
    return {path.name: path.read_text().strip() for path in found if path.is_file() and path.name[0] != "."}


def watched(folder: str) -> Values:
    """Gives what `read_folder` gives, read again every second. While it can't be read, the last values hold."""
    known, until = dict[str, str](), float("-inf")

    def values() -> Mapping[str, str]:
        nonlocal known, until
        if time.monotonic() > until:
            with suppress(OSError, UnicodeDecodeError):
                known = read_folder(folder)
            until = time.monotonic() + 1
        return known

    return values
