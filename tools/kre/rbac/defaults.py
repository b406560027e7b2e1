"""Kubernetes' own roles and bindings, which every cluster has: pinned, with the SHA-256 of what was pinned.

They are what `plugin/pkg/auth/authorizer/rbac/bootstrappolicy` of k8s.io/kubernetes makes at that version, with the
feature gates as they are by default. tests/authorizer/ writes them: `go run . -defaults`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kre.rbac.model import Binding, Role
from kre.rbac.objects import parse

FOLDER = Path(str(files("kre.rbac") / "data"))
LOCK = FOLDER / "lock.json"


@cache
def lock() -> dict[str, Any]:
    """lock.json: project, version, the file, and its SHA-256."""
    found: dict[str, Any] = json.loads(LOCK.read_bytes())
    return found


def verify() -> list[str]:
    """What is not as it was pinned; nothing where all is well."""
    path = FOLDER / lock()["file"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
    wanted = lock()["sha256"]
    return [] if digest == wanted else [f"{path.name}: {digest}, and locked is {wanted}"]


@cache
def defaults() -> tuple[Role | Binding, ...]:
    """Every default role and binding."""
    bodies = json.loads((FOLDER / lock()["file"]).read_bytes())
    return tuple(parse(body) for body in bodies)


def join(given: Iterable[Role | Binding]) -> list[Role | Binding]:
    """These and the defaults, as they are together after the API server's start, which adds to objects of its names
    what they lack, and takes nothing away (pkg/registry/rbac/reconciliation). Policy joins roles of one name."""
    own = {(item.kind, item.namespace, item.name): item for item in defaults() if isinstance(item, Binding)}

    def other_role(item: Role | Binding) -> bool:  # no roleRef can be changed: such a binding is made anew
        default = own.get((item.kind, item.namespace, item.name))
        return isinstance(item, Binding) and default is not None and _role(item) != _role(default)

    return [*(item for item in given if not other_role(item)), *defaults()]


def _role(binding: Binding) -> tuple[str, str]:
    return binding.role_kind, binding.role
