"""A rendered object held against the live one, which has more fields: defaults, status, what controllers fill in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kre.model.resource import Body, Pointer, dig

# Fields that the API server fills in in a ValidatingAdmissionPolicy and its binding (k8s.io/kubernetes,
# pkg/apis/admissionregistration/v1/defaults.go).
_DEFAULTS: Mapping[str, object] = {
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "scope": "*",
    "failurePolicy": "Fail",
}
_OF_NO_MATTER = ("apiVersion", "kind", "status", "metadata", "stringData")


def differs(rendered: Body, live: Body) -> str:
    """The first field in which the live object is not as rendered, "" where there is none. What else it has is let be:
    another may have added it."""
    for key, value in rendered.items():
        if key not in _OF_NO_MATTER and (found := next(_unlike(value, live.get(key), (key,)), None)):
            return _shown(found)
    for part in ("labels", "annotations"):
        held = dig(live, "metadata", part) or {}
        for key, value in (dig(rendered, "metadata", part) or {}).items():
            if str(held.get(key)) != str(value):
                return _shown(("metadata", part, key))
    return ""


def more(rendered: object, live: object, at: Pointer = ("spec",)) -> str:
    """The first field of a policy's or binding's spec that is there and not rendered: each could let something by."""
    if isinstance(rendered, Mapping) and isinstance(live, Mapping):
        for key, value in live.items():
            if key not in rendered and not _empty(value) and _DEFAULTS.get(key) != value:
                return _shown((*at, key))
        steps: list[Any] = [key for key in rendered if key in live]
    else:
        steps = list(range(len(live))) if isinstance(live, list) and isinstance(rendered, list) else []
    return next((found for step in steps if (found := more(dig(rendered, step), dig(live, step), (*at, step)))), "")


def _unlike(rendered: object, live: object, at: Pointer) -> Iterator[Pointer]:
    if isinstance(rendered, Mapping) and isinstance(live, Mapping):
        for key, value in rendered.items():
            yield from _unlike(value, live.get(key), (*at, str(key)))
    elif isinstance(rendered, list) and isinstance(live, list):
        if len(rendered) != len(live):
            yield at
        else:
            for index, value in enumerate(rendered):
                yield from _unlike(value, live[index], (*at, index))
    elif rendered != live and not (_empty(rendered) and _empty(live)):
        yield at


def _empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _shown(at: Pointer) -> str:
    return ".".join(str(step) for step in at)
