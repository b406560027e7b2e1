"""What `kre doctor` found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# What a command can't do without, and what does it. Either of the first two renders.
NEEDS = (("kustomize", "kubectl"), ("git",))
PURPOSE = {
    "kustomize": "renders; quicker than kubectl",
    "kubectl": "its Kustomize, of this version, renders where there is none",
    "kubeconform": "kre validate --engine kubeconform|both",
    "helm": "charts, by hand: no command of kre needs it yet",
    "git": "rule R2, --changed-since, kre init without a URL",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One tool: where it is ("" where it is not) and what it says of itself ("" where it says nothing)."""

    name: str
    path: str
    version: str
    too_old: bool
    install: str

    @property
    def usable(self) -> bool:
        return bool(self.path) and not self.too_old


def lacking(found: Sequence[Found]) -> list[str]:
    """What is needed and not there, in words."""
    usable = {tool.name for tool in found if tool.usable}
    return [" or ".join(names) for names in NEEDS if not usable & set(names)]


def as_text(own: Mapping[str, str], found: Sequence[Found]) -> str:
    """A line for each, then what to do."""
    lines = [f"{name:<12} {version}" for name, version in own.items()]
    for tool in found:
        state = (
            f"{tool.version or 'no version stated'}{' (too old)' if tool.too_old else ''}" if tool.path else "missing"
        )
        lines.append(f"{tool.name:<12} {state:<20} {tool.path}".rstrip())
        lines.append(f"{'':<12} {PURPOSE[tool.name]}" + ("" if tool.usable else f"; install: {tool.install}"))
    need = lacking(found)
    lines.append(f"needed, and not there: {', '.join(need)}" if need else "all that is needed is there")
    return "\n".join(lines) + "\n"


def as_json(own: Mapping[str, str], found: Sequence[Found]) -> dict[str, Any]:
    """`{"version": 1, "kre", "python", "tools": [...], "lacking": [...]}`."""
    return {"version": 1, **own, "tools": [asdict(tool) for tool in found], "lacking": lacking(found)}
