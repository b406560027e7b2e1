"""YAML scalars as Kubernetes' tools read them, not as YAML 1.1 as a whole has them.

kubectl, Kustomize and Argo CD decode with go.yaml.in/yaml/v2 (through sigs.k8s.io/yaml): `resolve.go` there is the
source of the tables below. It differs from PyYAML: `y` and `n` are booleans too, there are no dates and no base-60
numbers, an exponent needs no dot, and `0o17` is a number.
"""

from __future__ import annotations

import math
import re

import yaml

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML was built without libyaml: right, but slow
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

_BOOL = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_INT = re.compile(r"[-+]?(0[bB][01]+|0[oO]?[0-7]+|0|0[xX][0-9a-fA-F]+|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")


class _Number:
    """What PyYAML asks of a pattern, for numbers: underscores count for nothing in them, if they begin with none."""

    @staticmethod
    def match(text: str) -> bool:
        plain = _without_underscores(text)
        return bool(_NO_NUMBER.match(text) or _INT.match(plain) or _FLOAT.match(plain))


class Loader(_Base):
    """PyYAML's safe loader with the scalars of Kubernetes' tools."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own


def _number(_: yaml.SafeLoader, node: yaml.ScalarNode) -> float | str:
    """Go's value: what fits no 64 bits is a float if it is written like one, and what fits no float is a text."""
    text = str(node.value)
    if _NO_NUMBER.match(text):
        return float(text.replace(".", "").lower())
    plain = _without_underscores(text)
    if _INT.match(plain):
        whole = int(re.sub(r"^([-+]?)0(?=[0-7])", r"\g<1>0o", plain), 0)
        if -(2**63) <= whole < (2**63 if plain.startswith("+") else 2**64):
            return whole
    real = float(plain) if _FLOAT.match(plain) else math.inf
    return text if math.isinf(real) else real


def _without_underscores(text: str) -> str:
    return re.sub(r"(?<=[0-9])_(?=[0-9])", "", text) if text.startswith(".") else text.replace("_", "")


def _bool(_: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    return _BOOL[str(node.value)]


def _resolver(tag: str, pattern: re.Pattern[str] | _Number, first: str) -> None:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", pattern, list(first) or [""])


_resolver("bool", re.compile(rf"({'|'.join(_BOOL)})\Z"), "yYnNtTfFoO")
_resolver("float", _Number(), "-+0123456789.")
_resolver("null", re.compile(r"(~|null|Null|NULL)\Z"), "~nN")
_resolver("null", re.compile(r"\Z"), "")
_resolver("merge", re.compile(r"<<\Z"), "<")
Loader.add_constructor("tag:yaml.org,2002:int", _number)
Loader.add_constructor("tag:yaml.org,2002:float", _number)
Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
