"""Stand-ins for the charts that base/ names: same names and versions, packed here, no Helm needed.

Those of the Argo projects run the real controllers, from the images of the test cluster. That of Falco has no sensor,
that of Falcosidekick a pod that sends nothing by itself. All take the values that base/ gives to the real ones.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import yaml

from e2e.kubectl import PROJECT

STAND_INS = Path(__file__).parent / "charts"


def pack_all(crds: list[dict[str, Any]]) -> dict[str, bytes]:
    """File name -> content of a chart repository with all of them; `crds` come with argo-events, as in the real one."""
    more = {"argo-events": {f"templates/{crd['metadata']['name']}.yaml": _template(crd) for crd in crds}}
    files: dict[str, bytes] = {}
    entries: dict[str, Any] = {}
    for folder in sorted(STAND_INS.iterdir()):
        name, version = folder.name, _version(folder.name)
        archive = f"{name}-{version}.tgz"
        files[archive] = pack(name, version, _files(folder) | more.get(name, {}))
        digest = hashlib.sha256(files[archive]).hexdigest()
        entries[name] = [{"name": name, "version": version, "urls": [archive], "digest": digest}]
    files["index.yaml"] = yaml.safe_dump({"apiVersion": "v1", "entries": entries}).encode()
    return files


def pack(name: str, version: str, files: dict[str, bytes]) -> bytes:
    """A chart, as `helm package` makes it of these files."""
    about = yaml.safe_dump({"apiVersion": "v2", "name": name, "version": version}).encode()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for path, content in {"Chart.yaml": about, **files}.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def _version(chart: str) -> str:
    application = yaml.safe_load((PROJECT / "base" / chart / "application.yaml").read_text())
    return str(application["spec"]["sources"][0]["targetRevision"])


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.yaml"))}


def _template(crd: dict[str, Any]) -> bytes:
    """With the annotation that keeps it when its chart goes, and its braces hidden from Helm."""
    metadata = crd["metadata"] | {"annotations": {"helm.sh/resource-policy": "keep"}}
    return b"{{ `" + json.dumps(crd | {"metadata": metadata}).replace("`", "'").encode() + b"` }}"
