"""R7: one change, one environment."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.resource import Resource
from kre.rules.registry import Hit, rule


@rule("R7", "a change alters what one environment renders, not several", "layout")
def blast_radius(bundle: Bundle) -> Iterator[Hit]:
    """Needs an older revision to compare with: `kre validate --changed-since REV`."""
    before = bundle.before
    if before is None:
        return
    known = {environment.name for environment in before.environments}
    names = [environment.name for environment in bundle.environments if environment.name in known]
    changed = {name: difference for name in names if (difference := _changed(bundle, before, name))}
    if len(changed) > 1:
        for name, resources in changed.items():
            others = ", ".join(other for other in changed if other != name)
            message = f"this change alters what {name} renders ({_few(resources)}), and {others} as well"
            hint = "split it: a pull request for each environment; or, if its owners agree, --acknowledge-radius"
            yield Hit(place(bundle, resources[0]), message, hint, (name,))


def _changed(bundle: Bundle, before: Bundle, name: str) -> list[Resource]:
    """Objects of an environment that are new, different or gone."""
    now, then = _by_key(bundle, name), _by_key(before, name)
    different = [key for key in now if key not in then or _text(now[key]) != _text(then[key])]
    return [*(now[key] for key in different), *(then[key] for key in then if key not in now)]


def _by_key(bundle: Bundle, name: str) -> dict[tuple[str, ...], Resource]:
    return {(item.root, item.group, item.kind, item.namespace, item.name): item for item in bundle.of(name)}


def _text(resource: Resource) -> str:
    return json.dumps(resource.body, sort_keys=True)


def _few(resources: list[Resource]) -> str:
    shown = ", ".join(str(resource) for resource in resources[:3])
    return f"{shown} and {len(resources) - 3} more" if len(resources) > 3 else shown  # noqa: PLR2004
