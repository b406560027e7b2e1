"""docs/benchmarks.md has sections by several programs: each writes its own and leaves the others as they are."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/benchmarks.md"


def write(title: str, text: str) -> None:
    """Puts `text` under the heading `title`, in the place of what was there, or at the end."""
    page = PAGE.read_text(encoding="utf-8")
    section = f"## {title}\n\n{text.strip()}\n"
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    if found is None:
        made = f"{page.rstrip()}\n\n{section}"
    else:
        after = page[found.end() :]
        made = page[: found.start()] + section + ("\n" if after else "") + after
    PAGE.write_text(made, encoding="utf-8")
