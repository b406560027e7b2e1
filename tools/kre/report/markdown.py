"""Text of strangers in Markdown that a forge shows: it is quoted, it can't become markup, mention anybody, or end the
block that it stands in; and a body that ends in time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from kre.report.printable import printable

LIMIT = 65_536  # characters of a comment or a pull request at GitHub


def code(text: str) -> str:
    """One line as inline code, in as many backticks as it needs. Nothing in there is markup, a link, or a mention; only
    code is safe from the last, which forges look for after everything else."""
    line = printable(text) or " "
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def cell(text: str) -> str:
    """The same in a table, whose cells end at a bar even in code."""
    return code(text).replace("|", "\\|")


def fence(lines: Iterable[str], language: str = "") -> list[str]:
    """Lines as a block of code that none of them can end."""
    safe = [printable(line) for line in lines]
    longest = max((len(run) for line in safe for run in re.findall(r"`{3,}", line)), default=2)
    ticks = "`" * (longest + 1)
    return [f"{ticks}{language}", *safe, ticks]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(row)} |" for row in lines]


def details(summary: str, lines: Iterable[str]) -> list[str]:
    """Lines, Markdown already, that are folded until somebody opens them under `summary`, which is any text."""
    shown = escape(printable(summary), quote=False)  # Markdown is not read in there
    return ["<details>", f"<summary><code>{shown}</code></summary>", "", *lines, "", "</details>", ""]


def capped(lines: Iterable[str], pointer: str, limit: int = LIMIT) -> str:
    """The lines as one text of at most `limit` characters. Where they are more, it ends after the last line that fits,
    whatever is open is closed, and `pointer` says where the rest is."""
    whole = [line for each in lines for line in each.split("\n")]
    text = "\n".join(whole) + "\n"
    if len(text) <= limit:
        return text
    kept, size, best = [], 0, 0
    closing: list[str] = []
    open_ = _Open()
    for line in whole:
        kept.append(line)
        size += len(line) + 1
        if size > limit:
            break
        open_.read(line)
        end = open_.closing(pointer)
        if size + sum(len(each) + 1 for each in end) <= limit:
            best, closing = len(kept), end
    return "\n".join([*kept[:best], *(closing or [pointer[: limit - 1]])]) + "\n"


class _Open:
    """What is open after the lines read so far: blocks of details, and a fence."""

    def __init__(self) -> None:
        self._details, self._fence = 0, ""

    def read(self, line: str) -> None:
        run = re.match(r"`{3,}", line)
        if self._fence:
            if run and len(run[0]) >= len(self._fence) and not line.strip("`"):
                self._fence = ""
        elif run:
            self._fence = run[0]
        elif line == "<details>":
            self._details += 1
        elif line == "</details>":
            self._details -= 1

    def closing(self, pointer: str) -> list[str]:
        """The lines that close it, and tell where the rest is."""
        return [*([self._fence] if self._fence else []), *["", "</details>"] * self._details, "", pointer]
