"""Which responses an environment runs: Components of its leaf, and a RoleBinding for each in every target."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from kre.edit.draft import Draft
from kre.edit.repository import OPTIONS, near, release_of, responses_in
from kre.edit.sequence import insert, items, remove
from kre.edit.target_files import bind, folder_of, unbind
from kre.errors import UsageError
from kre.model.bundle import Environment

_COMPONENTS = ("components",)
_RELEASE = "release-pod"  # the way back from what these do
_ISOLATING = ("isolate-pod", "contain-pod")
_FACTS = "../../environment"  # the last component: what it fills in must be there before


@dataclass(frozen=True, slots=True)
class ResponseState:
    """A response in an environment: `enabled`, `disabled`, or `not promoted` (base/ has it, the environment not)."""

    name: str
    state: str


def leaf_of(environment: Environment) -> str:
    """The kustomization that says which responses an environment runs."""
    return f"{environment.folder}/leaves/responses/kustomization.yaml"


def enabled_in(draft: Draft, environment: Environment) -> list[str]:
    """The responses that an environment runs, in the order of its leaf."""
    path = leaf_of(environment)
    paths = [str(item) for item in items(path, draft.read(path), _COMPONENTS)]
    folder = posixpath.dirname(path)
    found = [posixpath.normpath(posixpath.join(folder, item)) for item in paths]
    return [posixpath.basename(item) for item in found if posixpath.dirname(item).endswith(f"/{OPTIONS}")]


def states(draft: Draft, environment: Environment) -> list[ResponseState]:
    """Every response that the repository has, with what it is in an environment, sorted by name."""
    enabled, there = enabled_in(draft, environment), responses_in(draft.root, release_of(environment))
    return [
        ResponseState(name, "enabled" if name in enabled else "disabled" if name in there else "not promoted")
        for name in sorted({*enabled, *there, *responses_in(draft.root, "base")})
    ]


def enable(draft: Draft, environment: Environment, response: str) -> list[str]:
    """Adds a response to an environment, and its RoleBinding to every target there. Returns warnings.

    Raises UsageError where the environment has no such response (yet), or its files can't be edited.
    """
    release, path = release_of(environment), leaf_of(environment)
    there = responses_in(draft.root, release)
    if response not in there:
        if release != "base" and response in responses_in(draft.root, "base"):
            hint = f"promote the component responses from {environment.source} first, then enable it"
            raise UsageError(f"{response} is not in {release}/{OPTIONS}", hint)
        raise UsageError(f"there is no response {response} in {release}/{OPTIONS}", near(response, there))
    raw, component = draft.read(path), _component(environment, response)
    others = [str(item) for item in items(path, raw, _COMPONENTS)]
    if _FACTS not in others:
        raise UsageError(f"{path}: {_FACTS} is not among its components", "name it there, last")
    folder = posixpath.dirname(component)
    later = (item for item in others if posixpath.dirname(item) == folder and item > component)
    draft.write(path, insert(path, raw, _COMPONENTS, component, before=next(later, _FACTS)))
    for namespace in target_folders(draft, environment):
        bind(draft, environment, namespace, response)
    return _no_way_back(draft, environment)


def disable(draft: Draft, environment: Environment, response: str) -> list[str]:
    """Takes a response out of an environment, and its RoleBinding out of every target there. Returns warnings.

    Raises UsageError for a response that neither the environment nor base/ has.
    """
    known = [item.name for item in states(draft, environment)]
    if response not in known:
        raise UsageError(f"there is no response {response}", near(response, known))
    path = leaf_of(environment)
    draft.write(path, remove(path, draft.read(path), _COMPONENTS, _component(environment, response)))
    for namespace in target_folders(draft, environment):
        unbind(draft, environment, namespace, response)
    return _no_way_back(draft, environment)


def _no_way_back(draft: Draft, environment: Environment) -> list[str]:
    enabled = enabled_in(draft, environment)
    isolating = [name for name in _ISOLATING if name in enabled]
    if not isolating or _RELEASE in enabled:
        return []
    hint = f"kre response enable {_RELEASE} --env {environment.name}"
    return [f"{isolating[0]} is enabled and {_RELEASE} is not: nobody could release what it isolates: {hint}"]


def target_folders(draft: Draft, environment: Environment) -> list[str]:
    """The folders of targets that an environment renders, in its order."""
    path = f"{environment.folder}/leaves/targets/kustomization.yaml"
    names = [str(item) for item in items(path, draft.read(path), ("resources",))]
    return [name for name in names if draft.has(f"{folder_of(environment, name)}/kustomization.yaml")]


def _component(environment: Environment, response: str) -> str:
    folder = posixpath.dirname(leaf_of(environment))
    return posixpath.relpath(f"{release_of(environment)}/{OPTIONS}/{response}", folder)
