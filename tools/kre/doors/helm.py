"""Helm: fetches the archives of charts, and renders them. The one place that starts it.

Archives are kept in the cache, `charts/<repository>/<chart>-<version>.tgz` with the repository's URL percent-encoded:
one that was put there by hand is as good as one that was fetched.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kre.doors import cache, command, files, tools
from kre.errors import ToolError

_KEPT = "helm"  # in the cache: what was rendered
_SEEN = "charts"  # in the cache: the archives, and which digest each had at first


def archive(repository: str, chart: str, version: str) -> tuple[Path, str, str]:
    """The archive of a chart, fetched where it is not yet there: its path, its SHA-256, and the SHA-256 that this
    machine saw first. Raises ToolError where it can't be had."""
    path = place(repository, chart, version)
    if not path.is_file():
        _pull(repository, chart, version, path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ToolError(f"{path} can't be read: {error.strerror or error}") from None
    name = cache.key(repository, chart, version)
    first = cache.get(_SEEN, name)
    if not isinstance(first, str):
        cache.put(_SEEN, name, digest)
        first = digest
    return path, digest, first


def place(repository: str, chart: str, version: str) -> Path:
    """Where the archive of a chart is kept."""
    folder, name, exact = (quote(part, safe="") for part in (repository, chart, version))
    return cache.folder() / _SEEN / folder / f"{name}-{exact}.tgz"


def render(path: Path, digest: str, release: str, namespace: str, values: Sequence[Any], options: Sequence[str]) -> str:
    """What `helm template` makes of an archive: YAML. `values` are values files as they were parsed, later ones win;
    `options` more arguments. Kept for the next equal call. Raises ToolError, with what Helm said."""
    _, helm = tools.require(tools.HELM)
    texts = [json.dumps(value) for value in values]
    name = cache.key(digest, release, namespace, helm, str(os.stat(helm).st_mtime_ns), *options, "values", *texts)
    known = cache.get(_KEPT, name)
    if isinstance(known, str):
        return known
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        argv = [helm, "template", f"--namespace={namespace}", "--skip-tests", *options]
        for index, text in enumerate(texts):
            file = Path(scratch) / f"{index}.json"
            file.write_text(text, encoding="utf-8")
            argv.append(f"--values={file}")
        done = command.run([*argv, "--", release, str(path)], env=_alone(scratch))
    if done.code != 0:
        raise ToolError(f"helm can't render {path.name}: {_said(done.stderr)}")
    cache.put(_KEPT, name, done.stdout)
    return done.stdout


def state() -> str:
    """Changes whenever another program or another archive would be used."""
    found = [str(tools.locate(tools.HELM))]
    folder = cache.folder() / _SEEN
    for path in files.walk(folder) if folder.is_dir() else ():
        known = path.stat()
        found.append(f"{path} {known.st_size} {known.st_mtime_ns}")
    return cache.key(*found)


def _pull(repository: str, chart: str, version: str, path: Path) -> None:
    """Raises ToolError where Helm can't fetch it. A repository without a scheme is a registry, as Argo CD has it."""
    _, helm = tools.require(tools.HELM)
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        if repository.startswith(("http://", "https://")):
            what, where = chart, [f"--repo={repository}"]
        else:
            what, where = f"oci://{repository.removeprefix('oci://').rstrip('/')}/{chart}", []
        done = command.run([helm, "pull", *where, f"--version={version}", f"--destination={scratch}", "--", what])
        found = sorted(Path(scratch).glob("*.tgz"))
        if done.code != 0 or len(found) != 1:
            raise ToolError(f"helm can't fetch it from {repository}: {_said(done.stderr)}")
        files.write(path, found[0].read_bytes())


def _alone(scratch: str) -> Mapping[str, str | None]:
    """No plugin, no setting and no cluster of the user's has a say in what is rendered."""
    folders = {f"HELM_{name}_HOME": f"{scratch}/{name.lower()}" for name in ("CACHE", "CONFIG", "DATA")}
    return {**folders, "KUBECONFIG": os.devnull, "HELM_PLUGINS": f"{scratch}/plugins", "HELM_NAMESPACE": None}


def _said(stderr: str) -> str:
    """Its first error; hints and warnings stand around it."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    return (*errors, *lines, "it said nothing")[0][:300]
