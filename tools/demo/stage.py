"""An environment's engine without a cluster: code, settings and tokens in folders, an API server, the dispatcher."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.apiserver.objects import Object
from demo.apiserver.server import ApiServer, Faults
from demo.identity import rights
from demo.processes import Dispatcher, unpack
from kre.model.resource import Resource, dig, each

PIPELINE, RESPONSES = "kre-pipeline", "kre-responses"
STANDING = ("Namespace", "Lease", "NetworkPolicy")  # what of the rendering the double is given
_TOKEN = "-dispatch-token"  # noqa: S105 - the end of a Secret's name


class Stage:
    """Everything up while the context lasts.

    `resources` is what the environment renders; `objects` are at the API server besides (pods, ...). `server` sees
    everything that the engine asked and changed, `secrets` are values by (name, key), `settings` the two folders by
    namespace, of which a file may be changed. `fault` says what is to go wrong with a request, as for an ApiServer.
    """

    def __init__(
        self, resources: Iterable[Resource], objects: Iterable[Object] = (), *, fault: Faults | None = None
    ) -> None:
        self.resources = tuple(resources)
        standing = [copy.deepcopy(dict(one.body)) for one in self.resources if one.kind in STANDING]
        self.server = ApiServer([*standing, *objects], fault=fault)
        self.secrets = {
            (f"{one.name}{_TOKEN}", "authorization"): f"Bearer token-of-{one.name}"
            for one in self.resources
            if one.kind == "Sensor"
        }
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kre-")))
            stack.enter_context(self.server)
            self.settings = {place: self._unpacked("settings", place) for place in (PIPELINE, RESPONSES)}
            self.dispatcher = stack.enter_context(self._dispatcher(stack))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def code(self, template: str) -> Path:
        """The folder of a WorkflowTemplate's code: every ConfigMap of its volume, side by side. Raises LookupError."""
        spec = self.one("WorkflowTemplate", template, RESPONSES).body["spec"]
        volumes = [item for item in each(spec, "volumes") if item["name"] == "code"]
        sources = [source for item in volumes for source in each(item, "projected", "sources") or [item]]
        names = [str(dig(source, "configMap", "name")) for source in sources] or ["responder-code"]
        for name in names:
            data = self.one("ConfigMap", name, RESPONSES).body.get("data") or {}
            unpack(data, self.folder / RESPONSES / f"code-of-{template}")
        return self.folder / RESPONSES / f"code-of-{template}"

    def one(self, kind: str, name: str, namespace: str) -> Resource:
        """A rendered object; a name that Kustomize gave a hash is found without it. Raises LookupError."""
        hashed = (name, f"{name}-")
        for found in self.resources:
            if (found.kind, found.namespace) == (kind, namespace) and found.name.startswith(hashed):
                rest = found.name.removeprefix(name)
                if rest == "" or (found.generated and "-" not in rest[1:]):
                    return found
        raise LookupError(f"{kind} {namespace}/{name} is not rendered")

    def door(self, account: str, namespace: str) -> ApiServer:
        """The API server, as a ServiceAccount meets it: with the rights that the rendering gives it."""
        allowed = rights(self.resources, namespace, account)
        return ApiServer(state=self.server.state, rights=allowed, fault=self.server.fault)

    def _dispatcher(self, stack: ExitStack) -> Dispatcher:
        pod = dig(self.one("Deployment", "dispatcher", PIPELINE).body, "spec", "template", "spec")
        door = stack.enter_context(self.door(pod["serviceAccountName"], PIPELINE))
        tokens = {name.removesuffix(_TOKEN): value for (name, _), value in self.secrets.items()}
        environ = {
            "KRE_API": door.url,
            "KRE_SETTINGS": str(self.settings[PIPELINE]),
            "KRE_TOKENS": str(unpack(tokens, self.folder / "tokens")),
        }
        code = self._unpacked("dispatcher-code", PIPELINE)
        return Dispatcher(dig(pod, "containers", 0, "command"), code, environ)

    def _unpacked(self, name: str, namespace: str) -> Path:
        return unpack(self.one("ConfigMap", name, namespace).body.get("data") or {}, self.folder / namespace / name)
