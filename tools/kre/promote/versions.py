"""What a component brings, for people: the charts of its Applications, and the images that its files name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import yaml

from kre.load.scalars import Loader
from kre.model.promotion import Entry
from kre.model.resource import dig, each

_IMAGE = re.compile(r"""(?m)^[ \t]*(?:-[ \t]+)?image:[ \t]+["']?([^\s"'{}#]+)["']?[ \t]*(?:#.*)?$""")


def versions(entries: Iterable[Entry], read: Callable[[str], bytes]) -> dict[str, object]:
    """{"chart": "falco 9.1.0", "images": [...]}, each only where there is one; several charts after commas, sorted."""
    charts: set[str] = set()
    images: set[str] = set()
    for entry in entries:
        if entry.path.endswith((".yaml", ".yml")):
            text = read(entry.blob).decode("utf-8", "replace")
            images.update(_IMAGE.findall(text))
            if "chart:" in text and "kind: Application" in text:
                charts.update(_charts(text))
    return {
        **({"chart": ", ".join(sorted(charts))} if charts else {}),
        **({"images": sorted(images)} if images else {}),
    }


def objects(entries: Iterable[Entry], read: Callable[[str], bytes]) -> list[str]:
    """The Kubernetes objects that the files hold, "Kind name", sorted."""
    found = set()
    for entry in entries:
        if entry.path.endswith((".yaml", ".yml")):
            for document in _documents(read(entry.blob).decode("utf-8", "replace")):
                kind, name = dig(document, "kind"), dig(document, "metadata", "name")
                if isinstance(kind, str) and isinstance(name, str):
                    found.add(f"{kind} {name}")
    return sorted(found)


def _charts(text: str) -> Iterable[str]:
    for document in _documents(text):
        for source in (*each(document, "spec", "sources"), dig(document, "spec", "source")):
            chart, version = dig(source, "chart"), dig(source, "targetRevision")
            if isinstance(chart, str):
                yield f"{chart} {version}"


def _documents(text: str) -> list[object]:
    try:
        return [*yaml.load_all(text, Loader)]
    except yaml.YAMLError:  # validation says so, with its line
        return []
