"""What several ask of one Bundle, found once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from kre.model.bundle import Bundle

P = ParamSpec("P")
T = TypeVar("T")


def once(ask: Callable[Concatenate[Bundle, P], T]) -> Callable[Concatenate[Bundle, P], T]:
    """Keeps the answers with the Bundle that was asked about; whatever else an answer depends on has to be hashable."""

    @wraps(ask)
    def kept(bundle: Bundle, /, *more: P.args, **named: P.kwargs) -> T:
        key = (ask, more, *named.items())
        if key not in bundle.kept:
            bundle.kept[key] = ask(bundle, *more, **named)
        found: T = bundle.kept[key]
        return found

    return kept
