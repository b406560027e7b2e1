"""R1, R2, R3, R5, R6, R8, R9: what keeps a promotion a plain copy, and a rendering the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from kre.load.graph import NAMES
from kre.load.patches import patches
from kre.load.values import PREFIX
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import dig, each, sources, synced_paths, walk
from kre.model.source import Kustomization, Source
from kre.rules.registry import Hit, hit, rule

_HOST = re.compile(r"^[a-z][a-z0-9+.-]*://(?:[^@/]*@)?([^/:?#]+)")
_GENERATED = ("helmCharts", "helmGlobals", "helmChartInflationGenerator", "generators", "transformers", "validators")
_LISTS = {
    "Application": ("sources",),
    "Sensor": ("triggers", "dependencies"),
    "Workflow": ("templates",),
    "WorkflowTemplate": ("templates",),
    "ClusterWorkflowTemplate": ("templates",),
    "CronWorkflow": ("templates",),
}


@rule("R1", "an environment reads its own folder only; base/ is for the first one", "layout")
def own_folder(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        roots = [root for root in bundle.roots if root.environment == environment.name]
        allowed = [f"{environment.folder}/", f"apps/{environment.name}/", *([] if environment.source else ["base/"])]
        for folder in sorted({folder for root in roots for folder in root.folders}):
            known = bundle.kustomizations.get(folder)
            for field, target, where in known.references if known else ():
                enters = _inside(folder, allowed) and not _inside(target, allowed)
                if field in ("resources", "components", "bases") and enters:
                    message = f"{environment.name} reads {target}: a change there would reach it without a promotion"
                    instead = f"{environment.folder}/release" if environment.source else environment.folder
                    yield Hit(where, message, f"name the copy below {instead}", (environment.name,))

    yield from _applications(bundle)


def _applications(bundle: Bundle) -> Iterator[Hit]:
    """The same for what Applications name: folders that they sync, and values files."""
    for environment in bundle.environments:
        allowed = [f"{environment.folder}/", *([] if environment.source else ["base/"])]
        for application in bundle.of(environment.name, "Application"):
            named = synced_paths(application)
            for pointer, source in sources(application):
                files = enumerate(each(source, "helm", "valueFiles"))
                named += [((*pointer, "helm", "valueFiles", index), str(name)) for index, name in files]
            for pointer, name in named:
                path = name.removeprefix(PREFIX)
                foreign = dig(application.body, *pointer[:-1], "repoURL") != dig(environment.spec, "repository", "url")
                if (foreign and path == name) or _inside(path, [*allowed, environment.folder]):
                    continue
                message = f"{application} reads {path}: a change there would reach it without a promotion"
                yield hit(bundle, application, pointer, message, f"name a file or folder below {environment.folder}")


def _inside(path: str, folders: list[str]) -> bool:
    return any(f"{path}/".startswith(folder) for folder in folders)


@rule("R2", "release/ holds what its lock says, byte for byte, and the lock what Git says", "layout")
def release_is_copied(bundle: Bundle) -> Iterator[Hit]:
    for found in bundle.foreign:
        source = bundle.sources.get(found.path)
        where = source.at(found.pointer) if source and found.pointer else Place(found.path)
        yield Hit(where, found.why, found.hint, (found.environment,))


@rule("R3", "base/ names no environment, cluster or host", "layout")
def base_is_neutral(bundle: Bundle) -> Iterator[Hit]:
    names = {environment.name for environment in bundle.environments}
    clusters = {str(dig(environment.spec, "cluster", "name")) for environment in bundle.environments}
    for source in _sources(bundle, "base/"):
        for index, document in enumerate(source.documents):
            for pointer, value in walk(document.value):
                if isinstance(value, str) and (word := _foreign_word(value, names | clusters)):
                    hint = "put what differs between environments in overlays/<env>/environment, values or leaves"
                    yield Hit(source.at(pointer, index), f'"{word}" is a fact of an environment', hint)


def _foreign_word(value: str, names: set[str]) -> str:
    host = _HOST.match(value)
    if (
        host
        and "." in host[1]
        and not host[1].endswith((".svc", ".svc.cluster.local", ".invalid", "kubernetes.default"))
    ):
        return host[1]
    words = re.split(r"[^A-Za-z0-9]+", value) if " " not in value and not value.startswith("/dev") else []
    return next((word for word in words if word in names), "")


@rule("R5", "values in files; patches in patches/, one concern each, named -patch.yaml", "layout")
def files_by_kind(bundle: Bundle) -> Iterator[Hit]:
    for _, resources in bundle.worlds:
        for application in resources:
            for pointer, value in walk(application.body if application.kind == "Application" else {}):
                if pointer[-2:-1] == ("helm",) and pointer[-1] in (
                    "values",
                    "valuesObject",
                    "parameters",
                    "fileParameters",
                ):
                    message = f"helm.{pointer[-1]} overrides the values files without a trace in them"
                    if value:
                        yield hit(bundle, application, pointer, message, "move it to a file of valueFiles")
    for known in bundle.kustomizations.values():
        yield from _patches(known)


def _patches(known: Kustomization) -> Iterator[Hit]:
    for field in ("patchesStrategicMerge", "patchesJson6902"):
        if field in known.value:
            yield Hit(known.source.at((field,)), f"{field} is deprecated by Kustomize", "use patches")
    for index, patch in enumerate(each(known.value, "patches")):
        if dig(patch, "patch") is not None:
            where = known.source.at(("patches", index, "patch"))
            yield Hit(where, "the patch stands inside the kustomization", "move it to patches/<what>-patch.yaml")
    for field, target, where in known.references:
        path = PurePosixPath(target)
        if field == "patches" and (not path.stem.endswith("-patch") or path.parent.name != "patches"):
            yield Hit(
                where, f"{path.name} is a patch, and should be seen to be one", "move it to patches/<what>-patch.yaml"
            )


@rule("R6", "one object per file, named <name>-<kind>.yaml", "layout")
def one_object_per_file(bundle: Bundle) -> Iterator[Hit]:
    for source in _sources(bundle, "apps/", "base/", "overlays/"):
        path = PurePosixPath(source.path)
        objects = [index for index, document in enumerate(source.documents) if dig(document.value, "kind")]
        if path.name in NAMES or path.parent.name == "patches" or not objects:
            continue
        for index in objects[1:]:
            yield Hit(source.at((), index), "a second object in this file", "give it a file of its own")
        value = source.documents[objects[0]].value
        kind, name = str(value["kind"]).lower(), str(dig(value, "metadata", "name"))
        short = name.removeprefix(f"{path.parent.name}-")
        if path.stem not in (kind, f"{name}-{kind}", f"{short}-{kind}"):
            yield Hit(
                source.at(("metadata", "name"), objects[0]),
                f"{path.name} holds {kind} {name}",
                f"name it {name}-{kind}.yaml",
            )


@rule("R8", "no strategic-merge patch touches a list that it would replace as a whole", "layout")
def no_list_patches(bundle: Bundle) -> Iterator[Hit]:
    for known in bundle.kustomizations.values():
        for patch in patches(bundle, known):
            kind = str(dig(patch.entry, "target", "kind") or dig(patch.value, "kind"))
            for name in _LISTS.get(kind, ()):
                within = ("spec", "workflowSpec", name) if kind == "CronWorkflow" else ("spec", name)
                if dig(patch.value, *within) is not None:
                    message = f"Kustomize replaces {'.'.join(within)} of a {kind} as a whole: other entries are lost"
                    yield Hit(patch.place(within), message, "use a JSON 6902 patch, or replacements")


@rule("R9", "every root builds with kubectl alone: nothing is generated by plug-ins or charts", "layout")
def no_generation(bundle: Bundle) -> Iterator[Hit]:
    for known in bundle.kustomizations.values():
        for field in _GENERATED:
            if known.value.get(field):
                message = f"{field} needs a plug-in, a flag or the network, so `kubectl kustomize` can't build this"
                yield Hit(known.source.at((field,)), message, "let an Application sync the chart; write the rest out")


def _sources(bundle: Bundle, *folders: str) -> Iterable[Source]:
    return (source for path, source in sorted(bundle.sources.items()) if path.startswith(folders))
