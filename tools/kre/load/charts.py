"""What the charts of Applications make: rendered with Helm, as Argo CD's repo server does (util/helm of argo-cd)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from kre.doors import helm
from kre.errors import Exit, KreError, ToolError
from kre.load.objects import cluster_scoped, resource
from kre.load.provenance import place
from kre.load.scalars import Loader
from kre.load.values import PREFIX
from kre.model.bundle import Bundle
from kre.model.chart import Chart
from kre.model.finding import Place
from kre.model.resource import Resource, dig, each, sources

_EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")
_DOCUMENT = re.compile(r"^---.*$", re.MULTILINE)
_DEFINITION = re.compile(r"^kind: *CustomResourceDefinition", re.MULTILINE)  # megabytes, and no right in them
_Key: TypeAlias = tuple[str, str, str]  # repository, chart, version


class WrongArchive(KreError):
    """An archive is not the one that was agreed on: nothing that comes out of it counts."""

    exit = Exit.FINDINGS


class _Archive(NamedTuple):
    """Where it is, its digest, and whether kre.yaml has that; or why there is none."""

    path: Path = Path()
    sha256: str = ""
    pinned: bool = False
    missing: str = ""


@dataclass(frozen=True)
class _Order:
    """What to ask of Helm."""

    release: str
    namespace: str
    values: list[Any]
    options: list[str]


class _Unable(Exception):
    """Why a chart can't be rendered here."""


def with_charts(bundle: Bundle, kubernetes: str) -> Bundle:
    """The Bundle, and its `before`, with `charts`: every chart that an Application installs, rendered for that version
    of Kubernetes where Helm and the archive are at hand. Raises WrongArchive."""
    before = with_charts(bundle.before, kubernetes) if bundle.before else None
    found = list(_charts(bundle))
    archives = {_key(chart): _archive(bundle, chart) for chart in {_key(chart): chart for chart in found}.values()}
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda chart: _rendered(bundle, chart, archives[_key(chart)], kubernetes), found))
    return replace(bundle, charts=tuple(made), before=before)


def _charts(bundle: Bundle) -> Iterator[Chart]:
    for application in bundle.resources:
        for pointer, source in sources(application):
            if chart := dig(source, "chart"):
                version, repository = (str(dig(source, key) or "") for key in ("targetRevision", "repoURL"))
                yield Chart(application, pointer, str(chart), version, repository)


def _key(chart: Chart) -> _Key:
    return chart.repository, chart.name, chart.version


def _archive(bundle: Bundle, chart: Chart) -> _Archive:
    if not _EXACT.fullmatch(chart.version):
        return _Archive(missing=f'"{chart.version}" is no version, so that nobody knows which archive it will be')
    try:
        path, digest, first = helm.archive(*_key(chart))
    except ToolError as error:
        return _Archive(missing=str(error))
    index, pin = next(_pins(bundle, chart), (0, ""))
    if digest != (pin or first):
        why = f"kre.yaml pins sha256:{pin}" if pin else f"this machine first saw sha256:{first}"
        at = bundle.sources["kre.yaml"].at(("charts", index)) if pin else _at(bundle, chart)
        hint = f"find out why; then mend the pin, or delete {path}"
        raise WrongArchive(f"{at}: the archive of chart {chart} has sha256:{digest}, and {why}", hint)
    return _Archive(path, digest, bool(pin))


def _pins(bundle: Bundle, chart: Chart) -> Iterator[tuple[int, str]]:
    for index, entry in enumerate(each(bundle.config, "charts")):
        if tuple(dig(entry, key) for key in ("repository", "chart", "version")) == _key(chart):
            yield index, str(dig(entry, "sha256"))


def _rendered(bundle: Bundle, chart: Chart, archive: _Archive, kubernetes: str) -> Chart:
    known = replace(chart, sha256=archive.sha256, pinned=archive.pinned, missing=archive.missing)
    if archive.missing:
        return known
    try:
        order = _order(bundle, chart, kubernetes)
        text = helm.render(archive.path, archive.sha256, order.release, order.namespace, order.values, order.options)
        parts = [part for part in _DOCUMENT.split(text) if not _DEFINITION.search(part)]
        bodies = [body for part in parts for body in yaml.load_all(part, Loader) if isinstance(body, dict)]
    except (_Unable, ToolError, yaml.YAMLError) as error:
        return replace(known, missing=" ".join(str(error).split()))
    at = _at(bundle, chart)
    return replace(known, resources=tuple(item for body in bodies for item in _placed(chart, order, body, at)))


def _placed(chart: Chart, order: _Order, body: Mapping[str, Any], at: Place) -> Iterator[Resource]:
    """The objects of a document: Argo CD gives those without a namespace that of the Application."""
    for item in resource(body, at.path, chart.application.root, chart.application.environment):
        space = "" if cluster_scoped(item) else item.namespace or order.namespace
        yield replace(item, namespace=space, brought=at)


def _at(bundle: Bundle, chart: Chart) -> Place:
    """The line that brings it."""
    return place(bundle, chart.application, (*chart.pointer, "targetRevision"))


def _order(bundle: Bundle, chart: Chart, kubernetes: str) -> _Order:
    """As Argo CD calls Helm: values files in their order, then values in the Application, then its parameters."""
    settings = dig(chart.application.body, *chart.pointer, "helm") or {}
    if settings.get("fileParameters"):
        raise _Unable(f"helm.fileParameters of {chart.application} are not followed here")
    name = str(settings.get("releaseName") or chart.application.name)
    space = settings.get("namespace") or dig(chart.application.body, "spec", "destination", "namespace")
    inline = settings.get("valuesObject")
    if not inline and isinstance(settings.get("values"), str):
        inline = yaml.load(settings["values"], Loader)
    options = [f"--kube-version={settings.get('kubeVersion') or kubernetes}"]
    options += [f"--api-versions={version}" for version in each(settings, "apiVersions")]
    for entry in each(settings, "parameters"):
        flag = "--set-string" if dig(entry, "forceString") is True else "--set"
        value = re.sub(r"(?<!\\),", r"\,", str(dig(entry, "value")))  # a comma would begin another one
        options.append(f"{flag}={dig(entry, 'name')}={value}")
    values = [*_files(bundle, chart, settings), *([inline] if inline else [])]
    return _Order(name, str(space or "default"), values, options)


def _files(bundle: Bundle, chart: Chart, settings: Mapping[str, Any]) -> Iterator[Any]:
    for entry in each(settings, "valueFiles"):
        name = str(entry)
        known = bundle.sources.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        if known:
            yield known.documents[0].value if known.documents else {}
        elif not (name.startswith(PREFIX) and settings.get("ignoreMissingValueFiles") is True):
            raise _Unable(f"values file {name} of {chart.application} is not in this repository")
