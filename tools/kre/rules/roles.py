"""The roles and bindings that several rules look at."""

from __future__ import annotations

from kre.model.bundle import Bundle
from kre.model.once import once
from kre.rbac.environment import parsed
from kre.rbac.model import Binding, Role


@once
def roles_and_bindings(bundle: Bundle) -> list[Role | Binding]:
    """Those of the whole Bundle that the API server would take."""
    return parsed(bundle.resources)[0]
