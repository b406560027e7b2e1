"""The budget of an environment follows a response that comes or goes, for whoever says so means its rights too."""

from __future__ import annotations

import yaml

from kre.compare.grants import rights_of
from kre.compare.waiting import RESPONSES
from kre.edit.draft import Draft
from kre.edit.repository import OPTIONS, release_of
from kre.edit.responses import states
from kre.edit.sequence import insert, items, remove
from kre.errors import UsageError
from kre.model.bundle import Environment
from kre.model.comparison import Grant
from kre.model.resource import dig
from kre.rbac.budget import TARGETS, file_of, identity, rules
from kre.rbac.decode import Rejected
from kre.rbac.model import Role
from kre.rbac.objects import GROUP, parse

_IDENTITIES = ("identities",)
_DISPATCHER = "ServiceAccount kre-pipeline/dispatcher"
_LANE = "patches/dispatcher-rights-patch.yaml"


def allow(draft: Draft, environment: Environment, response: str) -> bool:
    """Lists the rights of a response, in every target, in the budget of an environment; whether there is a change.

    An environment without a budget gets none, and an identity that is listed stays as it is. Raises UsageError where
    the budget can't be edited, or the ClusterRole of the response is not one.
    """
    path, holder = file_of(environment.folder), _holder(response)
    rights = _rights(draft, environment, response, holder)
    if not draft.has(path) or not rights:
        return False
    lane = _relist(draft, path, _lane(draft, environment, response), out=False)
    raw = draft.read(path)
    held = items(path, raw, _IDENTITIES)
    if any(dig(item, "name") == holder for item in held):
        return lane
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
    others = [item.name for item in states(draft, environment) if item.state == "enabled" and item.name != response]
    kept = [rule for other in others for rule in _lane(draft, environment, other)]
    gone = [rule for rule in _lane(draft, environment, response) if rule not in kept]
    lane = _relist(draft, path, gone, out=True)
    raw = draft.read(path)
    for item in items(path, raw, _IDENTITIES):
        if isinstance(item, dict) and item.get("name") == _holder(response):
            draft.write(path, remove(path, raw, _IDENTITIES, item))
            return True
    return lane


def _holder(response: str) -> str:
    return f"ServiceAccount {RESPONSES}/{response}"


def _rights(draft: Draft, environment: Environment, response: str, holder: str) -> set[Grant]:
    """What the ClusterRole of a response gives in a target."""
    path = f"{release_of(environment)}/{OPTIONS}/{response}/kre-{response}-clusterrole.yaml"
    return _of_role(path, draft.value(path), holder) if draft.has(path) else set()


def _of_role(path: str, body: object, holder: str) -> set[Grant]:
    try:
        role = parse(body)
    except Rejected as why:
        raise UsageError(f"{path}: {why}", "the API server would not take it") from None
    return set(rights_of(holder, TARGETS, role.rules)) if isinstance(role, Role) else set()


def _lane(draft: Draft, environment: Environment, response: str) -> list[str]:
    """The rules, as a budget has them, that a response of the fast lane adds to what the dispatcher may do."""
    path = f"{release_of(environment)}/{OPTIONS}/{response}/{_LANE}"
    patched = draft.value(path) if draft.has(path) else None
    added = [dig(each, "value") for each in patched if dig(each, "op") == "add"] if isinstance(patched, list) else []
    body = {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": {"name": "added"}, "rules": added}
    return list(rules(_of_role(path, body, _DISPATCHER), {TARGETS}, {}))


def _relist(draft: Draft, path: str, texts: list[str], *, out: bool) -> bool:
    """Puts rules of the dispatcher into the budget, or takes them out; whether there is a change. Where the budget does
    not list the dispatcher at all, there is nothing to add to."""
    before = raw = draft.read(path)
    names = [dig(item, "name") for item in items(path, raw, _IDENTITIES)]
    for text in texts if _DISPATCHER in names else ():
        at, item = (*_IDENTITIES, names.index(_DISPATCHER), "rules"), yaml.safe_load(text)
        raw = remove(path, raw, at, item) if out else insert(path, raw, at, item, text=text.replace("\n", "\n  "))
    if raw != before:
        draft.write(path, raw)
    return raw != before
