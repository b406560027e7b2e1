"""R7: one change, one environment."""

from __future__ import annotations

from collections.abc import Iterator

from kre.compare.radius import radius
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.comparison import Delta
from kre.rules.registry import Hit, rule


@rule("R7", "a change alters what one environment renders, not several", "layout")
def blast_radius(bundle: Bundle) -> Iterator[Hit]:
    """Needs an older revision to compare with: `kre validate --changed-since REV`."""
    before = bundle.before
    if before is None:
        return
    changed = radius(before, bundle)
    if len(changed) > 1:
        for name, deltas in changed.items():
            others = ", ".join(other for other in changed if other != name)
            message = f"this change alters what {name} renders ({_few(deltas)}), and {others} as well"
            hint = "split it: a pull request for each environment; or, if its owners agree, --acknowledge-radius"
            resource = next(item for item in (deltas[0].after, deltas[0].before) if item is not None)
            yield Hit(place(bundle if deltas[0].after else before, resource), message, hint, (name,))


def _few(deltas: tuple[Delta, ...]) -> str:
    shown = ", ".join(str(delta.key) for delta in deltas[:3])
    return f"{shown} and {len(deltas) - 3} more" if len(deltas) > 3 else shown  # noqa: PLR2004
