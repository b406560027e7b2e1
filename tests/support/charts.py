"""Small charts, and a repository on this machine that serves them as Helm wants it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import yaml

from support.serving import listening, serving

NAME, VERSION = "falcosidekick", "0.14.0"  # what the small repository installs
_ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .Release.Name }}
rules:
- apiGroups: [""]
  resources: {{ .Values.watched | toJson }}
  verbs: [get, list]
"""
_BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .Release.Name }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .Release.Name }}
subjects:
- kind: ServiceAccount
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
"""
_ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}
"""
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicaCount }}
  template:
    spec:
      serviceAccountName: {{ .Release.Name }}
"""
_DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
"""
TEMPLATES = {
    "role": _ROLE, "binding": _BINDING, "account": _ACCOUNT, "deployment": _DEPLOYMENT, "crd": _DEFINITION,
}  # fmt: skip


def packed(templates: dict[str, str] | None = None, name: str = NAME, version: str = VERSION) -> bytes:
    """The archive of a chart, the same bytes for the same templates."""
    files = {
        "Chart.yaml": yaml.safe_dump({"apiVersion": "v2", "name": name, "version": version}),
        "values.yaml": yaml.safe_dump({"watched": ["pods"], "replicaCount": 1}),
        **{f"templates/{key}.yaml": text for key, text in (templates or TEMPLATES).items()},
    }
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(made.getvalue(), mtime=0)


@dataclass
class Repository:
    """What it serves, and what it was asked for."""

    url: str = ""
    archives: dict[str, bytes] = field(default_factory=dict)  # NAME-VERSION.tgz
    asked: list[str] = field(default_factory=list)

    def put(self, archive: bytes, name: str = NAME, version: str = VERSION) -> str:
        """Serves a chart from now on; returns the SHA-256 of its archive."""
        self.archives[f"{name}-{version}.tgz"] = archive
        return hashlib.sha256(archive).hexdigest()

    def index(self) -> bytes:
        entries: dict[str, list[dict[str, object]]] = {}
        for file in self.archives:
            name, _, version = file.removesuffix(".tgz").rpartition("-")
            one = {"apiVersion": "v2", "name": name, "version": version, "urls": [file]}
            entries.setdefault(name, []).append(one)
        return yaml.safe_dump({"apiVersion": "v1", "entries": entries}).encode()


@contextlib.contextmanager
def repository() -> Iterator[Repository]:
    """Serves one over HTTP."""
    made = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            made.asked.append(name)
            content = made.index() if name == "index.yaml" else made.archives.get(name)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    with serving(listening(Handler)) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made
