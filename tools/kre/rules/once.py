"""What several rules ask of one Bundle, found once."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from kre.model.bundle import Bundle
from kre.rbac.environment import parsed
from kre.rbac.model import Binding, Role

T = TypeVar("T")


def once(ask: Callable[[Bundle], T]) -> Callable[[Bundle], T]:
    """Keeps the answer for the Bundle that was asked about last, as long as that is there."""
    known: list[tuple[weakref.ref[Bundle], T]] = []

    @wraps(ask)
    def kept(bundle: Bundle) -> T:
        if not known or known[0][0]() is not bundle:
            known[:] = [(weakref.ref(bundle), ask(bundle))]
        return known[0][1]

    return kept


@once
def roles_and_bindings(bundle: Bundle) -> list[Role | Binding]:
    """Those of the whole Bundle that the API server would take."""
    return parsed(bundle.resources)[0]
