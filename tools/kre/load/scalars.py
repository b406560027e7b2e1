"""YAML scalars as Kubernetes' tools read them, not as YAML 1.1 as a whole has them.

kubectl, Kustomize and Argo CD decode with go.yaml.in/yaml/v2 (through sigs.k8s.io/yaml): `resolve.go` there is the
source of the tables below. It differs from PyYAML: `y` and `n` are booleans too, there are no dates and no base-60
numbers, an exponent needs no dot, and `0o17` is a number.
"""

from __future__ import annotations

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
_INT = re.compile(r"[-+]?(0[bB][01_]+|0[oO]?[0-7_]*|0[xX][0-9a-fA-F_]+|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class Loader(_Base):
    """PyYAML's safe loader with the scalars of Kubernetes' tools."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own


def _int(_: yaml.SafeLoader, node: yaml.ScalarNode) -> int | float:
    text = str(node.value).replace("_", "")
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if re.fullmatch(r"0[0-7]+", digits):
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _float(_: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = str(node.value).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


def _bool(_: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    return _BOOL[str(node.value)]


def _resolver(tag: str, pattern: str, first: str) -> None:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), list(first))


_resolver("bool", "|".join(_BOOL), "yYnNtTfFoO")
_resolver("int", _INT.pattern, "-+0123456789")
_resolver("float", _FLOAT.pattern, "-+0123456789.")
_resolver("null", "~|null|Null|NULL|", "~nN")
Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\Z"), [""])
_resolver("merge", "<<", "<")
Loader.add_constructor("tag:yaml.org,2002:int", _int)
Loader.add_constructor("tag:yaml.org,2002:float", _float)
Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
