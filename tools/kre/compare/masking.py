"""Values that may be secrets, made unreadable before anything is printed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "(hidden)"
CHANGED = "(hidden, changed)"
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NAME = re.compile(
    r"(pass(word|wd|phrase)?|pwd|secret|token|api_?-?key|access_?-?key|private_?-?key|credentials?|authorization|"
    r"custom_?headers|webhook_?url|dsn|bearer)$",
    re.IGNORECASE,
)
_INNER = re.compile(  # a line of YAML, INI or an environment file inside of a text
    r"(?im)^(?P<key>[\s\-\"']*[\w.\-]*(?:password|passwd|passphrase|secret|token|api_?-?key|access_?-?key|private_?-?key|"
    r"authorization|customheaders|webhookurl)[\"']?\s*[:=][ \t]*)(?P<value>\S.*)$"
)
_TEXTS = (
    (re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)"), HIDDEN),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?i)(--?[\w-]*(?:password|passwd|secret|token|api-?key)[ =])\s*\S+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abps]-[\w-]{10,}"),
        HIDDEN,
    ),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
)


def scrub(text: str) -> str:
    """A text without what looks like a secret: passwords in URLs, private keys, well-known tokens, and lines that give
    a value to a word such as password."""
    for pattern, instead in _TEXTS:
        text = pattern.sub(instead, text)
    return _INNER.sub(rf"\g<key>{HIDDEN}", text)


def secret_name(name: str) -> bool:
    """Whether a value of this name may be a secret."""
    return bool(_NAME.search(name))


def masked(before: object, after: object) -> tuple[Any, Any]:
    """Two bodies of one object as they may be shown. A hidden value that differs says so in the second."""
    return _value(before, None, ""), _value(after, before, "")


def _value(value: object, other: object, name: str) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return {key: _entry(value, other, str(key)) for key in value}
    if isinstance(value, list):
        others: list[Any] = other if isinstance(other, list) else []
        pairs = [(inner, others[index] if index < len(others) else None) for index, inner in enumerate(value)]
        return [
            _hide(inner, beside) if index and _flag(value[index - 1]) else _value(inner, beside, name)
            for index, (inner, beside) in enumerate(pairs)
        ]
    if isinstance(value, str):
        secret = secret_name(name) and not _reference(name, value)
        return _hide(value, other) if secret or name == _APPLIED else scrub(value)
    return value


def _entry(whole: Mapping[str, Any], other: object, key: str) -> Any:  # noqa: ANN401 - JSON
    value, beside = whole[key], _at(other, key)
    if whole.get("kind") == "Secret" and key in ("data", "stringData"):
        return _all(value, beside)
    if key == "value" and isinstance(value, str) and secret_name(str(whole.get("name", ""))):
        return _hide(value, beside)  # of an environment variable, a header
    return _value(value, beside, key)


def _flag(word: object) -> bool:
    """Whether the word after this one, in a command, is a secret."""
    return isinstance(word, str) and re.fullmatch(r"--?[\w-]+", word) is not None and secret_name(word)


def _reference(name: str, value: str) -> bool:
    """`existingSecret: name` and the like name a Secret, and hold none."""
    return name.lower().endswith(("existingsecret", "secretname")) or value == ""


def _all(value: object, other: object) -> Any:  # noqa: ANN401 - JSON
    """Every scalar hidden; keys stay."""
    if isinstance(value, Mapping):
        return {key: _all(inner, _at(other, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_all(inner, None) for inner in value]
    return _hide(value, other)


def _hide(value: object, other: object) -> str:
    return HIDDEN if other is None or other == value else CHANGED


def _at(value: object, key: object) -> object:
    return value.get(key) if isinstance(value, Mapping) else None


def shown(value: object, name: str = "", limit: int = 60) -> str:
    """A value in a sentence: hidden where its name is a secret's, cut where it is long."""
    if value is None:
        return "nothing"
    text = " ".join(str(_value(value, None, name)).split())
    return f"{text[:limit]}..." if len(text) > limit else text or '""'
