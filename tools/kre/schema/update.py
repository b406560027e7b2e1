"""Makes the stored schemas from upstream's files, and checks that they are what the lock says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kre.doors import files
from kre.errors import UsageError
from kre.load.scalars import Loader
from kre.schema import charts, compact, convert, patch, store

GENERATOR = 2  # raise it when the same sources give other schemas


@dataclass(frozen=True, slots=True)
class Change:
    """What an update did to one stored file: "added", "changed", "same" or "removed"."""

    path: str
    what: str


def sources() -> list[dict[str, Any]]:
    """The entries of sources.yaml."""
    found: list[dict[str, Any]] = _yaml(store.FOLDER.parent / "sources.yaml")["sources"]
    return found


def update(folders: Sequence[Path]) -> list[Change]:
    """Regenerates everything from the files below `folders`, writes it, and returns what changed.

    Raises UsageError that names each source file that is missing or there twice; nothing is written then.
    """
    lacking = [_name(source) for source in sources() if _find(source, folders) is None]
    if lacking:
        raise UsageError(
            f"not found below {', '.join(map(str, folders))}: {', '.join(lacking)}",
            "sources.yaml beside the schemas says where each is published",
        )
    contents, lock = _generate(folders)
    before = {path.relative_to(store.FOLDER).as_posix() for path in store.FOLDER.rglob("*.json")}
    changes = [Change(path, _difference(path, content, before)) for path, content in sorted(contents.items())]
    files.write_all({store.FOLDER / path: content for path, content in contents.items()})
    for path in sorted(before - contents.keys() - {store.LOCK.name}):
        (store.FOLDER / path).unlink()
        changes.append(Change(path, "removed"))
    files.write(store.LOCK, (json.dumps(lock, indent=1) + "\n").encode())
    return changes


def verify() -> list[str]:
    """Re-hashes every stored schema; returns what is not as the lock says, in words. Empty: all is well."""
    locked = {entry["file"]: entry["sha256"] for entry in store.lock()["schemas"]}
    there = {path.relative_to(store.FOLDER).as_posix() for path in store.FOLDER.rglob("*.json")} - {store.LOCK.name}
    wrong = [f"{path}: in the lock, but not there" for path in sorted(locked.keys() - there)]
    wrong += [f"{path}: there, but not in the lock" for path in sorted(there - locked.keys())]
    for path in sorted(there & locked.keys()):
        digest = _digest((store.FOLDER / path).read_bytes())
        if digest != locked[path]:
            wrong.append(f"{path}: SHA-256 is {digest}, the lock has {locked[path]}")
    return wrong


def _generate(folders: Sequence[Path]) -> tuple[dict[str, bytes], dict[str, Any]]:
    contents: dict[str, bytes] = {}
    lock: dict[str, Any] = {"version": 1, "generator": GENERATOR, "sources": [], "schemas": []}
    metadata: dict[str, Any] = {}
    for index, source in enumerate(sources()):
        path = _find(source, folders)
        if path is None:  # update() has looked
            continue
        raw = path.read_bytes()
        stated = {key: source[key] for key in ("project", "version", "path")}
        lock["sources"].append({**stated, "sha256": _digest(raw)})
        for name, described, schema in _convert(source, raw, metadata):
            contents[name] = compact.text(schema).encode()
            entry = {**described, "file": name, "source": index, "sha256": _digest(contents[name])}
            lock["schemas"].append(entry)
    return contents, lock


def _convert(
    source: Mapping[str, Any], raw: bytes, metadata: dict[str, Any]
) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    """(file, what it describes, schema) for each schema of one source. Kubernetes comes first and fills `metadata`."""
    parsed = json.loads(raw) if source["path"].endswith(".json") else yaml.load(raw, Loader)
    if source["as"] == "chart":
        name, version = source["chart"].split()
        schema = charts.keys(parsed, source.get("extra", ()), source.get("open", ()))
        yield f"charts/{name}_{version}.json", {"chart": name, "chartVersion": version}, schema
        return
    if source["as"] == "crd":
        kinds = convert.from_crd(parsed, metadata)
    else:
        definitions = parsed["definitions"]
        if source.get("patches"):
            definitions = patch.apply(definitions, _yaml(store.FOLDER.parent / source["patches"]))
        metadata.update(metadata or convert.metadata_of(definitions))
        kinds = convert.from_definitions(definitions, frozenset(source.get("groups", ())))
    for kind in kinds:
        version = f"{kind.group}/{kind.version}" if kind.group else kind.version
        yield kind.file, {"apiVersion": version, "kind": kind.kind}, kind.schema


def _find(source: Mapping[str, Any], folders: Sequence[Path]) -> Path | None:
    """The local copy of a source: by its own file name, told from others of that name by the end of its path."""
    name = _name(source)
    candidates = [path for folder in folders for path in sorted(folder.rglob(Path(name).name)) if path.is_file()]
    if len(candidates) > 1:
        tail = Path(source["path"]).parts[-2:]
        candidates = [path for path in candidates if path.parts[-len(tail) :] == tail] or candidates
    if len({path.read_bytes() for path in candidates}) > 1:
        raise UsageError(f"{name} is there more than once, with different content: {', '.join(map(str, candidates))}")
    return candidates[0] if candidates else None


def _name(source: Mapping[str, Any]) -> str:
    return str(source.get("file", source["path"]))


def _difference(path: str, content: bytes, before: set[str]) -> str:
    if path not in before:
        return "added"
    return "same" if (store.FOLDER / path).read_bytes() == content else "changed"


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _yaml(path: Path) -> Any:  # noqa: ANN401 - YAML
    return yaml.load(path.read_bytes(), Loader)
