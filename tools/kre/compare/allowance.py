"""The budget of an environment follows a response that comes or goes, for whoever says so means its rights too."""

from __future__ import annotations

import yaml

from kre.compare.grants import rights_of
from kre.compare.waiting import RESPONSES
from kre.edit.draft import Draft
from kre.edit.repository import OPTIONS, release_of
from kre.edit.sequence import insert, items, remove
from kre.errors import UsageError
from kre.model.bundle import Environment
from kre.model.comparison import Grant
from kre.model.resource import dig
from kre.rbac.budget import TARGETS, file_of, identity
from kre.rbac.decode import Rejected
from kre.rbac.model import Role
from kre.rbac.objects import parse

_IDENTITIES = ("identities",)


def allow(draft: Draft, environment: Environment, response: str) -> bool:
    """Lists the rights of a response, in every target, in the budget of an environment; whether there is a change.

    An environment without a budget gets none, and an identity that is listed stays as it is. Raises UsageError where
    the budget can't be edited, or the ClusterRole of the response is not one.
    """
    path, holder = file_of(environment.folder), _holder(response)
    rights = _rights(draft, environment, response, holder)
    if not draft.has(path) or not rights:
        return False
    raw = draft.read(path)
    held = items(path, raw, _IDENTITIES)
    if any(dig(item, "name") == holder for item in held):
        return False
    text = identity(holder, rights, {TARGETS}, {})
    later = (item for item in held if str(dig(item, "name")) > holder)
    (item,) = yaml.safe_load(f"- {text}")
    draft.write(path, insert(path, raw, _IDENTITIES, item, before=next(later, None), text=text))
    return True


def withdraw(draft: Draft, environment: Environment, response: str) -> bool:
    """Takes a response out of the budget of an environment; whether there is a change. Raises UsageError as allow."""
    path = file_of(environment.folder)
    if not draft.has(path):
        return False
    raw = draft.read(path)
    for item in items(path, raw, _IDENTITIES):
        if isinstance(item, dict) and item.get("name") == _holder(response):
            draft.write(path, remove(path, raw, _IDENTITIES, item))
            return True
    return False


def _holder(response: str) -> str:
    return f"ServiceAccount {RESPONSES}/{response}"


def _rights(draft: Draft, environment: Environment, response: str, holder: str) -> set[Grant]:
    """What the ClusterRole of a response gives in a target."""
    path = f"{release_of(environment)}/{OPTIONS}/{response}/kre-{response}-clusterrole.yaml"
    if not draft.has(path):
        return set()
    try:
        role = parse(draft.value(path))
    except Rejected as why:
        raise UsageError(f"{path}: {why}", "the API server would not take it") from None
    return set(rights_of(holder, TARGETS, role.rules)) if isinstance(role, Role) else set()
