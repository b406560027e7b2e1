"""What Kustomize complains of, in its words but shorter, and at the place that is to blame."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kre.load.graph import Reach
from kre.load.sources import Sources
from kre.model.finding import Place
from kre.model.resource import Pointer, dig, walk
from kre.model.source import Source

# What goes before the point: the way by which Kustomize came to it.
_WAY = re.compile(
    r"^.*(?:recursed accumulation of path '[^']*'|couldn't make target for path '[^']*'|"
    r"must resolve to a file'|accumulating (?:resources|components))\s*:\s*"
)
_OBJECT = re.compile(r"\b([A-Z]\w+)\.[\w.-]+/([\w-]+)")
_QUOTED = re.compile(r"""(?:path|key|field|for path|missing path)s?:? ['"]?([^'":;,\s]+)""")
_KIND = re.compile(r"Unexpected kind: (\S+)|unknown field \"([^\"]+)\"")
# encoding/json: up to Go 1.26 the way to a field without indexes and without a map's keys, since then with them.
_UNFIT = re.compile(r"cannot unmarshal (\w+) into Go struct field \w+\.(\S+) of type")
_JSON = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}


def shorten(error: str) -> str:
    """The last thing that it says, said once."""
    text = _WAY.sub("", " ".join(error.split()))
    parts = [part.strip() for part in text.split(": ") if part.strip()]
    return ": ".join(dict.fromkeys(parts))[:400]


def culprit(sources: Sources, reach: Reach, error: str) -> Place | None:
    """The file that it names; else the value that it quotes, in a patch or kustomization; else the object."""
    files = sorted(reach.files, key=lambda file: (-len(file), file))
    if named := [file for file in files if re.search(rf"(?<![\w/.-]){re.escape(file)}", error)]:
        return Place(named[0])
    parsed = [source for file in files if (source := sources.parsed.get(file))]
    return _quoted(parsed, reach, error) or _object(parsed, error)


def _quoted(parsed: Iterable[Source], reach: Reach, error: str) -> Place | None:
    unfit = _UNFIT.search(error)
    words = {word for found in (*_QUOTED.finditer(error), *_KIND.finditer(error)) for word in found.groups() if word}
    names = {known.source.path for known in reach.kustomizations.values()}
    names |= {
        path
        for known in reach.kustomizations.values()
        for field, path, _ in known.references
        if field.startswith("patches")
    }
    for source in parsed:
        for index, document in enumerate(source.documents if source.path in names else ()):
            for pointer, value in walk(document.value):
                if unfit and _is_unfit(pointer, value, *unfit.groups()):
                    return source.at(pointer, index)
                if (isinstance(value, str) and value in words) or (pointer and str(pointer[-1]) in words):
                    return source.at(pointer, index)
                if isinstance(value, str) and "\n" in value and (line := _line(value, words)):
                    return _inside(source, index, pointer, line)
    return None


def _is_unfit(pointer: Pointer, value: object, kind: str, way: str) -> bool:
    """Whether a value is the one of the wrong kind that the decoder came to."""
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in pointer]  # as in a JSON pointer (RFC 6901)
    names = [step for step, raw in zip(steps, pointer, strict=True) if isinstance(raw, str)]
    below = ".".join(names) == way or ".".join(names).startswith(f"{way}.")
    return _JSON.get(type(value)) == kind and (".".join(steps) == way or below)


def _line(text: str, words: set[str]) -> int:
    """The line, from 1, of a patch written into a kustomization that holds one of the words; 0 for none."""
    for number, line in enumerate(text.splitlines(), 1):
        if any(re.search(rf"(?<![\w/-]){re.escape(word)}(?![\w/-])", line) for word in words):
            return number
    return 0


def _inside(source: Source, index: int, pointer: tuple[str | int, ...], line: int) -> Place:
    start = source.at(pointer, index)
    return Place(start.path, start.line + line, 1)


def _object(parsed: Iterable[Source], error: str) -> Place | None:
    for found in _OBJECT.finditer(error):
        for source in parsed:
            for index, document in enumerate(source.documents):
                head = dig(document.value, "kind"), dig(document.value, "metadata", "name")
                if head == found.groups():
                    return source.at((), index)
    return None
