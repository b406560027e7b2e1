"""Which names, labels and annotations the API server takes: apimachinery's pkg/util/validation and pkg/api/validation.

Each function says what is wrong, or "".
"""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_DNS_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LONGEST_LABEL, _LONGEST_NAME = 63, 253


def path_segment(value: str) -> str:
    """Names of roles and bindings: anything that can stand in a URL's path."""
    if value in (".", ".."):
        return f"may not be '{value}'"
    return next((f"may not contain '{mark}'" for mark in "/%" if mark in value), "")


def namespace(value: str) -> str:
    """Names of namespaces: a DNS label."""
    fits = len(value) <= _LONGEST_LABEL and _DNS_LABEL.fullmatch(value)
    return "" if fits else "must be lower case letters, digits and '-', 63 at most"


def subdomain(value: str) -> str:
    """Names of ServiceAccounts, and what stands before the slash of a key."""
    fits = len(value) <= _LONGEST_NAME and _DNS_SUBDOMAIN.fullmatch(value)
    return "" if fits else "must be lower case letters, digits, '-' and '.', 253 at most"


def qualified(value: str) -> str:
    """Keys of labels and annotations, and finalizers: a name, perhaps with a domain and a slash before it."""
    domain, slash, name = value.rpartition("/")
    if slash and subdomain(domain):
        return f"what stands before the slash {subdomain(domain)}"
    fits = len(name) <= _LONGEST_LABEL and _QUALIFIED.fullmatch(name)
    return "" if fits else "must be letters, digits, '-', '_' and '.', 63 at most, with a letter or digit at both ends"


def label_value(value: str) -> str:
    """Values of labels: like a name, or empty."""
    return qualified(value) if value and "/" not in value else "may not contain '/'" * bool(value)
