"""The environments and the responses that a repository has, for edits that name one."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from kre.errors import UsageError
from kre.load import layout
from kre.load.sources import Sources
from kre.model.bundle import Environment

OPTIONS = "responses/options"


def require_repository(root: Path) -> None:
    """Raises UsageError where `root` is no repository with environments."""
    if not layout.is_layout(root):
        hint = "run it in a clone of the repository, or name it with --root"
        raise UsageError(f"{root} has no {layout.POLICY}", hint)


def environment_of(root: Path, name: str) -> Environment:
    """The environment of this name. Raises UsageError that says which there are."""
    require_repository(root)
    known = {item.name: item for item in layout.environments(Sources(root))}
    if name not in known:
        raise UsageError(f"there is no environment {name}", near(name, list(known)))
    return known[name]


def release_of(environment: Environment) -> str:
    """The folder of the components that an environment runs: base/ itself, or its release/."""
    return "base" if environment.source is None else f"{environment.folder}/release"


def responses_in(root: Path, release: str) -> list[str]:
    """The names of the responses in a folder of components, sorted."""
    folder = root / release / OPTIONS
    return sorted(name for name in _listed(folder) if os.path.isfile(folder / name / "kustomization.yaml"))


def sensor_of(response: str, release: str = "base") -> str:
    """Where a response's Sensor is, if it has one."""
    return f"{release}/{OPTIONS}/{response}/{response}-sensor.yaml"


def with_sensor(root: Path) -> list[str]:
    """The names of the responses in base/ that alerts start, sorted."""
    return [name for name in responses_in(root, "base") if os.path.isfile(root / sensor_of(name))]


def require_sensor(root: Path, response: str) -> None:
    """Raises UsageError where base/ has no such response, or one that no alert starts."""
    known = responses_in(root, "base")
    if response not in known:
        raise UsageError(f"there is no response {response} in base/{OPTIONS}", near(response, known))
    if not os.path.isfile(root / sensor_of(response)):
        raise UsageError(f"{response} has no Sensor: no alert starts it, a person does", near("", with_sensor(root)))


def near(name: str, known: list[str]) -> str:
    """A hint: "did you mean x?" where something alike is known, else what is known."""
    found = get_close_matches(name, known, 1)
    if found:
        return f"did you mean {found[0]}?"
    return f"there are: {', '.join(known)}" if known else "there are none yet"


def _listed(folder: Path) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []
