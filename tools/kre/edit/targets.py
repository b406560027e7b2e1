"""The namespaces in which an environment's responses may act: facts, files, and the AppProject, all together."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from kre.edit.draft import Draft
from kre.edit.pattern import pattern_of
from kre.edit.repository import near, release_of
from kre.edit.responses import enabled_in
from kre.edit.sequence import insert, items, remove
from kre.edit.splice import splice
from kre.edit.target_files import add_files, folder_of, ours, wanted_files
from kre.errors import UsageError
from kre.model.bundle import Environment
from kre.model.resource import dig

# As the engine itself has them: there it would refuse to act.
PROTECTED = re.compile(r"kube-.*|argo.*|falco.*|kre-pipeline|kre-responses|kre-evidence")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_TARGETS = ("spec", "targets")
_PATTERN = ("spec", "targetPattern")
_RESOURCES = ("resources",)
_DESTINATIONS = ("spec", "destinations")


@dataclass(frozen=True, slots=True)
class TargetState:
    """A target of an environment, and the names of the files that its folder should have and has not."""

    namespace: str
    missing: tuple[str, ...]


def targets_of(draft: Draft, environment: Environment) -> list[str]:
    """The targets among an environment's facts, in their order."""
    path = _facts(environment)
    return [str(item) for item in items(path, draft.read(path), _TARGETS)]


def states(draft: Draft, environment: Environment) -> list[TargetState]:
    """The targets of an environment, each with what is missing of it."""
    enabled, found = enabled_in(draft, environment), []
    for namespace in targets_of(draft, environment):
        names = ["kustomization.yaml", *wanted_files(namespace, enabled)]
        lacking = [name for name in names if not draft.has(f"{folder_of(environment, namespace)}/{name}")]
        found.append(TargetState(namespace, tuple(lacking)))
    return found


def add_target(draft: Draft, environment: Environment, namespace: str) -> list[str]:
    """Adds a target, or what is missing of one. Returns warnings.

    Raises UsageError for what can be no namespace or is a protected one, and where a file can't be edited.
    """
    _check_name(namespace)
    _check_protected(draft, environment, namespace)
    _facts_with(draft, environment, [*targets_of(draft, environment), namespace])
    add_files(draft, environment, namespace, enabled_in(draft, environment))
    path = _leaf(environment)
    draft.write(path, insert(path, draft.read(path), _RESOURCES, namespace))
    path = _project(environment)
    held = [dig(item, "namespace") for item in items(path, draft.read(path), _DESTINATIONS)]
    raw = draft.read(path)
    if namespace not in held:
        raw = insert(path, raw, _DESTINATIONS, _destination(namespace), after_comment="# targets")
    draft.write(path, raw)
    return _doubts(draft, environment, namespace)


def remove_target(draft: Draft, environment: Environment, namespace: str) -> list[str]:
    """Takes a target away, everywhere. Returns warnings.

    Raises UsageError for what can be no namespace, where a file can't be edited, and where the target's folder holds
    a file that kre did not make.
    """
    _check_name(namespace)
    held = targets_of(draft, environment)
    _facts_with(draft, environment, [name for name in held if name != namespace])
    path = _leaf(environment)
    draft.write(path, remove(path, draft.read(path), _RESOURCES, namespace))
    folder = folder_of(environment, namespace)
    there = sorted(os.listdir(draft.root / folder)) if os.path.isdir(draft.root / folder) else []
    for name in there:
        if not ours(name):
            raise UsageError(f"{folder}/{name} is none of the files of a target", "move it away, or remove it, first")
        draft.write(f"{folder}/{name}", None)
    if namespace in held or there:
        return _close(draft, environment, namespace)
    meant = f": {near(namespace, held)}" if held else ": it has no targets"
    return [f"{namespace} is no target of {environment.name}{meant}"]


def _close(draft: Draft, environment: Environment, namespace: str) -> list[str]:
    """Takes the destination of a former target out of the project, unless something else is there. Returns warnings."""
    path = _project(environment)
    user = _user_of(draft, environment, namespace)
    for item in items(path, draft.read(path), _DESTINATIONS):
        if isinstance(item, dict) and item.get("namespace") == namespace and not user:
            draft.write(path, remove(path, draft.read(path), _DESTINATIONS, item))
    return [f"the destination {namespace} stays in {path}: {user} goes there"] if user else []


def _user_of(draft: Draft, environment: Environment, namespace: str) -> str:
    """What else of an environment goes to a namespace: the engine, or an Application of its own; "" for nothing."""
    if PROTECTED.fullmatch(namespace):
        return "the engine"
    for name in sorted(os.listdir(draft.root / environment.folder)):
        path = f"{environment.folder}/{name}"
        if (
            name.endswith("-application.yaml")
            and dig(draft.value(path), "spec", "destination", "namespace") == namespace
        ):
            return path
    return ""


def _facts_with(draft: Draft, environment: Environment, wanted: list[str]) -> None:
    path = _facts(environment)
    raw = draft.read(path)
    for name in targets_of(draft, environment):
        if name not in wanted:
            raw = remove(path, raw, _TARGETS, name)
    for name in wanted:
        raw = insert(path, raw, _TARGETS, name)
    now = [str(name) for name in items(path, raw, _TARGETS)]
    draft.write(path, splice(path, raw, {_PATTERN: pattern_of(now)}))


def _check_name(namespace: str) -> None:
    if not _LABEL.fullmatch(namespace):
        hint = "lower case letters, digits and dashes, up to 63, with no dash at either end"
        raise UsageError(f"{namespace!r} can be no namespace's name", hint)


def _check_protected(draft: Draft, environment: Environment, namespace: str) -> None:
    """Where the engine would refuse to act, a target is a mistake: it would only grant rights."""
    own = dig(draft.value(_project(environment)), "metadata", "namespace")
    if PROTECTED.fullmatch(namespace) or namespace == own:
        hint = "the engine acts in no namespace of its own, of the cluster, or of what it stands on"
        raise UsageError(f"namespace {namespace} is protected", hint)
    if namespace in _more_protected(draft, environment):
        raise UsageError(f"namespace {namespace} is protected", f"by protected-namespaces in {_settings(environment)}")


def _more_protected(draft: Draft, environment: Environment) -> list[str]:
    path = _settings(environment)
    if not draft.has(path):
        return []
    lines = draft.read(path).decode("utf-8", "replace").splitlines()
    pairs = [line.partition("=") for line in lines]
    return [name for key, _, value in pairs if key.strip() == "protected-namespaces" for name in value.split()]


def _doubts(draft: Draft, environment: Environment, namespace: str) -> list[str]:
    found = []
    if namespace == "default":
        found.append("whatever names no namespace lands in default, and the engine would act on all of it")
    if not enabled_in(draft, environment):
        hint = f"kre response enable NAME --env {environment.name}"
        found.append(f"no response is enabled in {environment.name}, so nothing acts there yet: {hint}")
    return found


def _destination(namespace: str) -> dict[str, str]:
    return {"server": "CLUSTER", "namespace": namespace}


def _settings(environment: Environment) -> str:
    return f"{release_of(environment)}/responses/manifests/settings.env"


def _facts(environment: Environment) -> str:
    return f"{environment.folder}/environment/environment.yaml"


def _leaf(environment: Environment) -> str:
    return f"{environment.folder}/leaves/targets/kustomization.yaml"


def _project(environment: Environment) -> str:
    return f"apps/{environment.name}/kre-{environment.name}-appproject.yaml"
