"""Which values the inputs of a Workflow's template can have, as far as the manifests say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kre.model.resource import Body, dig, each, walk
from kre.rbac.require.pods import MARK
from kre.rbac.require.programs import Possible

_INPUT = re.compile(r"\{\{\s*inputs\.parameters\.(?P<name>[\w-]+)\s*\}\}")
_DEEP = 8  # templates that call each other


class Arguments:
    """The templates of one Workflow's spec, and who calls them with what; from `outside` too, where others may."""

    def __init__(self, spec: Body, *, outside: bool = False) -> None:
        self._anybody = outside
        self._templates = {str(dig(one, "name")): one for one in each(spec, "templates")}
        self._outside = {str(dig(spec, field)) for field in ("entrypoint", "onExit")}
        self._calls: dict[str, list[tuple[str, Any]]] = {}
        for name, template in self._templates.items():
            for call in _calls(template):
                self._calls.setdefault(str(dig(call, "template")), []).append((name, call))

    def possible(self, template: str, text: str, deep: int = 0) -> Possible:
        """The values of a text in a template; None where it can be any."""
        if not MARK.search(text):
            return frozenset((text,))
        found = _INPUT.fullmatch(text.strip())
        calls = self._calls.get(template, [])
        if found is None or deep > _DEEP or self._anybody or template in self._outside or not calls:
            return None
        values: set[str] = set()
        for caller, call in calls:
            given = _named(each(call, "arguments", "parameters"), found["name"])
            given = given or _named(each(self._templates[template], "inputs", "parameters"), found["name"])
            value = dig(given, "value") if dig(given, "value") is not None else dig(given, "default")
            inner = self.possible(caller, str(value), deep + 1) if value is not None else None
            if inner is None:
                return None
            values |= inner
        return frozenset(values)


def _calls(template: object) -> Iterator[Mapping[str, Any]]:
    """Whatever in a template names another: steps, tasks and hooks."""
    for at, value in walk(template):
        if at and isinstance(value, Mapping) and isinstance(value.get("template"), str):
            yield value


def _named(entries: list[Any], name: str) -> Any:  # noqa: ANN401 - YAML
    return next((entry for entry in entries if dig(entry, "name") == name), None)
