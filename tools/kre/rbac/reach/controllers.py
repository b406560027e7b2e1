"""Workflow controllers: what they hold Workflows to, where, and in which version they run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from kre.load.provenance import place
from kre.load.values import Values, of_application
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import Resource, dig, each, sources
from kre.rbac.reach.floors import Floor, below

STRICT = ("Strict", "Secure")
CHART, CONFIG, IMAGE = "argo-workflows", "workflow-controller-configmap", "workflow-controller"
OVERRIDES = "WORKFLOW_USER_OVERRIDE_ALLOWLIST"
# Fields of a Workflow that choose its pods, or whom they run as.
_OPENING = frozenset(
    "executor hooks hostNetwork onExit podSpecPatch securityContext serviceAccountName templateDefaults "
    "templates volumes".split()
)
NOWHERE = Place("")
_MANAGED = re.compile(r"--managed-namespace(?:=(\S+))?$")


@dataclass(frozen=True, slots=True)
class Controller:
    """One of them. `managed` is the only namespace that it looks at, "" for all; `mode` what templateReferencing says.

    `version` is "" where nobody can tell; `overrides` are fields that a Workflow may set beyond the usual ones.
    `mode_place` and `version_place` are where those are written, or would be.
    """

    namespace: str
    managed: str = ""
    mode: str = ""
    version: str = ""
    overrides: tuple[str, ...] = ()
    cluster_templates: bool = True
    mode_place: Place = NOWHERE
    version_place: Place = NOWHERE

    @property
    def faults(self) -> tuple[Floor, ...]:
        """What its version is too old for."""
        return below(self.version)

    def holds(self, *modes: str) -> bool:
        """Whether it takes from Workflows nothing but a template and its arguments, in one of these modes."""
        opened = any(floor.opens for floor in self.faults) or bool(_OPENING & set(self.overrides))
        return self.mode in (modes or STRICT) and not opened

    def manages(self, namespace: str) -> bool:
        """Whether Workflows of this namespace are its."""
        return self.managed in ("", namespace)


def controllers(bundle: Bundle, resources: Iterable[Resource]) -> tuple[Controller, ...]:
    """Every workflow controller among these objects: of the chart, by its values; or as a Deployment, by its
    ConfigMap."""
    known = list(resources)
    found = [_of_chart(bundle, item, values) for item, values in _charts(bundle, known)]
    version, where = _of_manifests(bundle, known)
    found = [one if one.version or not version else replace(one, version=version, version_place=where) for one in found]
    return (*found, *(made for item in known if (made := _of_deployment(bundle, item, known))))


def _charts(bundle: Bundle, resources: Iterable[Resource]) -> Iterator[tuple[Resource, Values]]:
    for item in resources:
        if item.kind == "Application":
            yield from ((item, values) for values in of_application(bundle, item) if values.chart == CHART)


def _of_chart(bundle: Bundle, item: Resource, values: Values) -> Controller:
    own = str(dig(item.body, "spec", "destination", "namespace") or "")
    mode_keys = ("controller", "workflowRestrictions", "templateReferencing")
    tag_keys = next((keys for keys in (("controller", "image", "tag"), ("images", "tag")) if values.get(*keys)), ())
    managed = own if values.get("singleNamespace") is True else _managed(values.get("controller", "extraArgs"), own)
    at = place(bundle, item, values.at)
    return Controller(
        own,
        managed,
        str(values.get(*mode_keys) or ""),
        str(values.get(*tag_keys)) if tag_keys else "",
        _overrides(values.get("controller", "extraEnv")),
        values.get("controller", "clusterWorkflowTemplates", "enabled") is not False,
        values.place(*mode_keys) if values.files else at,
        values.place(*tag_keys) if tag_keys else at,
    )


def _of_manifests(bundle: Bundle, resources: Iterable[Resource]) -> tuple[str, Place]:
    """The version of the project's own manifests (the CRDs), which a chart's goes with."""
    for item in resources:
        for pointer, source in sources(item):
            path, revision = str(dig(source, "path") or ""), dig(source, "targetRevision")
            if path.startswith("manifests/base/crds") and CHART in str(dig(source, "repoURL")):
                return str(revision), place(bundle, item, (*pointer, "targetRevision"))
    return "", NOWHERE


def _of_deployment(bundle: Bundle, item: Resource, resources: Iterable[Resource]) -> Controller | None:
    """Where a Deployment runs the image."""
    for index, entry in enumerate(each(item.body, "spec", "template", "spec", "containers")):
        name, _, tag = str(dig(entry, "image") or "").partition("@")[0].rpartition("/")[2].partition(":")
        if item.kind == "Deployment" and name == IMAGE:
            space = item.namespace
            wanted = ("ConfigMap", CONFIG, space)
            config = next((one for one in resources if (one.kind, one.name, one.namespace) == wanted), None)
            mode, key = _mode(config)
            at = ("spec", "template", "spec", "containers", index, "image")
            return Controller(
                space,
                _managed([*each(entry, "args"), *each(entry, "command")], space),
                mode,
                tag,
                _overrides(each(entry, "env")),
                mode_place=place(bundle, config or item, ("data", key) if config else ()),
                version_place=place(bundle, item, at),
            )
    return None


def _mode(config: Resource | None) -> tuple[str, str]:
    """templateReferencing in the controller's ConfigMap, and the key of its data that says it."""
    for key, steps in (("workflowRestrictions", ()), ("config", ("workflowRestrictions",))):
        text = dig(config.body, "data", key) if config else None
        try:
            found = dig(yaml.safe_load(text), *steps, "templateReferencing") if isinstance(text, str) else None
        except yaml.YAMLError:
            found = None
        if found:
            return str(found), key
    return "", "workflowRestrictions"


def _managed(arguments: Any, own: str) -> str:  # noqa: ANN401 - YAML
    """The namespace that its arguments limit it to."""
    words = [str(word) for word in arguments] if isinstance(arguments, list) else []
    for index, word in enumerate(words):
        if found := _MANAGED.match(word):
            return found[1] or (words[index + 1] if index + 1 < len(words) else "")
    return own if "--namespaced" in words else ""


def _overrides(env: Any) -> tuple[str, ...]:  # noqa: ANN401 - YAML
    for entry in env if isinstance(env, list) else ():
        if isinstance(entry, Mapping) and entry.get("name") == OVERRIDES:
            return tuple(re.split(r"[\s,]+", str(entry.get("value") or "").strip()))
    return ()
