"""The rendering of one environment, split by the Application that applies it."""

from __future__ import annotations

import json as library
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from kre.load.values import PREFIX
from kre.model.bundle import Bundle
from kre.model.resource import Resource, dig


class Dumper(yaml.CSafeDumper):
    """Writes lists as Kubernetes' tools do, and text of several lines as a block."""


def _text_of(dumper: Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _text_of)


@dataclass(frozen=True, slots=True)
class Part:
    """What one Application applies. `source` says from where; `objects` is None for a chart, which only Argo CD
    renders."""

    name: str
    source: str
    objects: tuple[Resource, ...] | None


@dataclass(frozen=True, slots=True)
class Rendering:
    """An environment's parts: bootstrap first (what an admin applies), then the Applications, by name."""

    environment: str
    parts: tuple[Part, ...]


def rendering(bundle: Bundle, environment: str) -> Rendering:
    """Splits what was rendered for an environment."""
    roots = {root.path: root for root in bundle.roots if root.environment == environment}
    bootstrap = next(root for root in roots.values() if root.role == "bootstrap")
    parts = [Part(f"apps/{environment}", "applied by an admin", bootstrap.resources)]
    for application in sorted(bundle.of(environment, "Application"), key=lambda item: item.name):
        path = str(dig(application.body, "spec", "source", "path") or "").strip("/")
        if path in roots:
            parts.append(Part(application.name, path, roots[path].resources))
        else:
            parts.append(Part(application.name, _elsewhere(application), None))
    return Rendering(environment, tuple(parts))


def _elsewhere(application: Resource) -> str:
    source = dig(application.body, "spec", "sources", 0) or dig(application.body, "spec", "source")
    what = f"chart {dig(source, 'chart')}" if dig(source, "chart") else str(dig(source, "path"))
    files = [str(name).removeprefix(PREFIX) for name in dig(source, "helm", "valueFiles") or ()]
    values = f" with {', '.join(files)}" if files else ""
    return f"{what} {dig(source, 'targetRevision')} of {dig(source, 'repoURL')}{values}"


def as_text(made: Rendering) -> str:
    """A stream of YAML documents, each part under a comment with its Application."""
    return "".join(f"# {part.name}: {part.source}\n{_stream(part.objects or ())}" for part in made.parts)


def as_json(made: Rendering) -> dict[str, Any]:
    """`{"version": 1, "environment", "applications": [{"name", "source", "objects": [...] | null}]}`."""
    parts = [
        {
            "name": part.name,
            "source": part.source,
            "objects": None if part.objects is None else [item.body for item in part.objects],
        }
        for part in made.parts
    ]
    return {"version": 1, "environment": made.environment, "applications": parts}


def by_file(made: Rendering, *, json: bool = False) -> dict[str, bytes]:
    """File name -> content, one for each part that has objects."""
    ending = "json" if json else "yaml"
    return {
        f"{part.name.replace('/', '-')}.{ending}": (
            library.dumps([item.body for item in part.objects], indent=2) + "\n" if json else _stream(part.objects)
        ).encode()
        for part in made.parts
        if part.objects is not None
    }


def _stream(objects: Iterable[Resource]) -> str:
    return "".join(f"---\n{yaml.dump(item.body, Dumper=Dumper, sort_keys=True, width=10_000)}" for item in objects)
