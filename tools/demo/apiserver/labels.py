"""What names, label keys and label values may look like (apimachinery, pkg/util/validation)."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LONGEST = 253


def check_name(name: str, resource: str) -> str:
    """What is wrong with an object's name, "" where nothing is."""
    if resource in ("namespaces", "services"):
        return "" if _LABEL.fullmatch(name) else "a lowercase RFC 1123 label must consist of lower case alphanumerics"
    if len(name) > _LONGEST or not _SUBDOMAIN.fullmatch(name):
        return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
    return ""


def check_key(key: str) -> str:
    """What is wrong with the key of a label or annotation, "" where nothing is."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > _LONGEST or not _SUBDOMAIN.fullmatch(prefix)):
        return f"prefix part of {key!r} must be a DNS subdomain"
    return "" if _NAME.fullmatch(name) else f"name part of {key!r} must consist of alphanumeric characters"


def check_value(value: str) -> str:
    """What is wrong with the value of a label, "" where nothing is."""
    return (
        ""
        if value == "" or _NAME.fullmatch(value)
        else f"a valid label {value!r} must be an empty string or alphanumeric"
    )
