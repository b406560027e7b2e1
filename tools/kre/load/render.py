"""Renders Kustomize roots as Argo CD would, in parallel, and learns where each object came from.

A wrapper kustomization outside of the tree asks Kustomize for origin annotations
(kubectl.docs.kubernetes.io/references/kustomize/kustomization/buildmetadata); they are taken off again here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from kre.doors import command, tools
from kre.load.scalars import Loader
from kre.load.sources import relative
from kre.model.resource import dig

ORIGIN = "config.kubernetes.io/origin"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects of one root, each with its source file relative to the root and whether it was generated from it;
    or, where Kustomize refused, what it said in `error`."""

    objects: tuple[tuple[dict[str, Any], str, bool], ...] = ()
    error: str = ""


class Renderer:
    """Builds folders in the background, each started as soon as it is known. Use it as a context manager."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._argv: tuple[str, ...] = ()
        self._jobs: dict[str, Future[Rendered]] = {}

    def __enter__(self) -> Self:
        self._scratch = tempfile.TemporaryDirectory(prefix="kre-")
        self._pool = ThreadPoolExecutor(os.cpu_count())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not issubclass(kind, Exception):  # interrupted: wait for nothing
            command.stop_all()
        self._pool.shutdown(cancel_futures=True)
        self._scratch.cleanup()

    def start(self, folder: str) -> None:
        """Begins to build a folder (relative to the root). Raises ToolError where there is no Kustomize."""
        wrapper = Path(os.path.realpath(self._scratch.name)) / str(len(self._jobs))
        self._argv = self._argv or _command()
        self._jobs[folder] = self._pool.submit(_build, self._argv, self._root, wrapper, folder)

    def result(self, folder: str) -> Rendered | None:
        """What became of a folder, None for one that was not started. Raises ToolError where Kustomize hung."""
        return self._jobs[folder].result() if folder in self._jobs else None


def _command() -> tuple[str, ...]:
    tool, path = tools.require(tools.KUSTOMIZE, tools.KUBECTL)
    return (path, "build") if tool is tools.KUSTOMIZE else (path, "kustomize")


def _build(argv: Sequence[str], root: Path, wrapper: Path, folder: str) -> Rendered:
    wrapper.mkdir()
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(os.path.realpath(root / folder), wrapper)],  # an absolute path is refused
        "buildMetadata": ["originAnnotations"],
    }
    (wrapper / "kustomization.yaml").write_text(yaml.safe_dump(content))
    done = command.run([*argv, str(wrapper)])
    if done.code != 0:
        return Rendered(error=_message(done.stderr, root, wrapper))
    documents = yaml.load_all(done.stdout, Loader)
    objects = (_object(document, root, wrapper) for document in documents if isinstance(document, dict))
    return Rendered(tuple(objects))


def _object(document: dict[str, Any], root: Path, wrapper: Path) -> tuple[dict[str, Any], str, bool]:
    annotations = document.get("metadata", {}).get("annotations") or {}
    origin: Mapping[str, Any] = yaml.load(annotations.pop(ORIGIN, ""), Loader) or {}
    if not annotations:
        document["metadata"].pop("annotations", None)
    # A patch that sets all annotations takes the mark away, and Kustomize then names the patch: no origin is known.
    generated = str(dig(origin, "configuredBy", "kind")).endswith("Generator")
    named = origin.get("path") or (origin.get("configuredIn") if generated else "")
    return document, relative(root, os.path.realpath(wrapper / named)) if named else "", generated


def _message(stderr: str, root: Path, wrapper: Path) -> str:
    """Kustomize's complaint without our wrapper and the paths of this machine."""
    text = stderr.removeprefix("Error: ").removeprefix("error: ")
    top = os.path.realpath(root)
    for known, shown in ((f"{top}/", ""), (top, "."), (f"{os.path.relpath(top, wrapper)}/", ""), (str(wrapper), ".")):
        text = text.replace(known, shown)
    return text.strip()
