"""Any result as JSON: two spaces, in the order in which it was made, with a newline at the end."""

from __future__ import annotations

import json as library


def json(value: object) -> str:
    """The text of a JSON value."""
    return library.dumps(value, indent=2, ensure_ascii=False) + "\n"
