"""What the API server asks of names and labels, which no published schema says.

Source: k8s.io/apimachinery, pkg/util/validation (IsDNS1123Subdomain, IsQualifiedName, IsValidLabelValue) and
pkg/api/validation/path (RBAC takes any path segment as a name). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kre.model.resource import Pointer, dig
from kre.schema.violation import Violation

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_RBAC = "rbac.authorization.k8s.io/"


def check(body: Mapping[str, object], *, whole: bool) -> Iterator[Violation]:
    """What is wrong with an object's name, labels and annotation keys. A part of an object needs no name."""
    metadata = dig(body, "metadata")
    if not isinstance(metadata, Mapping):
        return
    name = metadata.get("name")
    if whole and not name and not metadata.get("generateName"):
        yield Violation(("metadata", "name"), 'required field "name" is missing', missing=True)
    if isinstance(name, str) and name and not _valid(name, str(body.get("apiVersion"))):
        hint = "lower-case letters, digits, - and ., at most 253, a letter or digit at both ends"
        yield Violation(("metadata", "name"), f'"{name[:60]}" can be no name', hint)
    for field, values in (("labels", _VALUE), ("annotations", None)):
        found = metadata.get(field)
        for key, value in found.items() if isinstance(found, Mapping) else ():
            at: Pointer = ("metadata", field, str(key))
            judged = str(key) if values else str(key).lower()  # of annotations the case is forgiven
            if not _QUALIFIED.fullmatch(judged):
                yield Violation(at, f'"{key}" can be no key of {field}', "[domain/]name, name of at most 63 characters")
            elif values and isinstance(value, str) and not values.fullmatch(value):
                hint = "letters, digits, -, _ and ., at most 63, a letter or digit at both ends"
                yield Violation(at, f'"{value[:80]}" can be no value of a label', hint)


def _valid(name: str, version: str) -> bool:
    if version.startswith(_RBAC):
        return name not in (".", "..") and "/" not in name and "%" not in name
    return len(name) <= 253 and bool(_SUBDOMAIN.fullmatch(name))  # noqa: PLR2004 - RFC 1123
