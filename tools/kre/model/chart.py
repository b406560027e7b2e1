"""A chart that an Application installs, and what came of rendering it."""

from __future__ import annotations

from dataclasses import dataclass, field

from kre.model.resource import Pointer, Resource


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart source of an Application, by its pointer there.

    `resources` are the objects that it makes, each where Argo CD puts it; `missing` says why there are none. `sha256`
    is that of the archive that was seen ("" for none), `pinned` whether kre.yaml has it.
    """

    application: Resource = field(repr=False)
    pointer: Pointer
    name: str
    version: str
    repository: str
    sha256: str = ""
    pinned: bool = False
    missing: str = ""
    resources: tuple[Resource, ...] = field(repr=False, default=())

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
