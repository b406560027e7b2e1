"""What an AppProject permits, as Argo CD decides it.

Source: argo-cd v3.4, pkg/apis/application/v1alpha1/app_project_types.go (IsSourcePermitted, isDestinationMatched,
IsGroupKindNamePermitted), with the globs of github.com/gobwas/glob. Pure.
"""

from __future__ import annotations

import re
from functools import cache

from kre.load.objects import cluster_scoped
from kre.model.resource import Body, Resource, dig, each


def repository(project: Body, url: str) -> bool:
    """Whether Applications of the project may read this repository. A `*` does not cross a slash; `!` denies."""
    patterns = [str(entry) for entry in each(project, "spec", "sourceRepos")]
    if any(pattern.startswith("!") and glob(pattern[1:], url, "/") for pattern in patterns):
        return False
    return any(pattern == "*" or glob(pattern, url, "/") for pattern in patterns if not pattern.startswith("!"))


def destination(project: Body, cluster: Body, namespace: str) -> bool:
    """Whether they may write to this namespace of a cluster, given as an Application's `destination`."""
    allowed = False
    for entry in each(project, "spec", "destinations"):
        space = str(dig(entry, "namespace") or "")
        patterns = [(str(dig(entry, field) or ""), str(dig(cluster, field) or "")) for field in ("server", "name")]
        same_cluster = any(value and _matches(pattern, value) for pattern, value in patterns)
        same_space = _matches(space, namespace)
        if any(pattern.startswith("!") and not _matches(pattern, value) for pattern, value in patterns):
            return False
        if space.startswith("!") and not same_space and same_cluster:
            return False
        allowed = allowed or (same_cluster and same_space)
    return allowed


def kind(project: Body, resource: Resource) -> bool:
    """Whether they may apply objects of this kind (and, for a cluster-wide one, name).

    Of kinds in a namespace all are allowed where there is no whitelist; of the others none.
    """
    scope = "cluster" if cluster_scoped(resource) else "namespace"
    white, black = f"{scope}ResourceWhitelist", f"{scope}ResourceBlacklist"
    listed = any(_names(entry, resource) for entry in each(project, "spec", white))
    open_by_default = scope == "namespace" and dig(project, "spec", white) is None
    return (listed or open_by_default) and not any(_names(entry, resource) for entry in each(project, "spec", black))


def _matches(pattern: str, value: str) -> bool:
    return not glob(pattern[1:], value) if pattern.startswith("!") else glob(pattern, value)


def _names(entry: object, resource: Resource) -> bool:
    group, name = str(dig(entry, "group") or ""), dig(entry, "name")
    same_name = not name or not cluster_scoped(resource) or glob(str(name), resource.name)
    return glob(group, resource.group) and glob(str(dig(entry, "kind") or ""), resource.kind) and same_name


def glob(pattern: str, value: str, separator: str = "") -> bool:
    """gobwas/glob: `*` any text without the separator, `**` any text, `?` one character, [abc], [!abc], {a,b}."""
    return bool(_compiled(pattern, separator).fullmatch(value))


@cache
def _compiled(pattern: str, separator: str) -> re.Pattern[str]:
    one = f"[^{re.escape(separator)}]" if separator else "."
    parts, depth, at = [], 0, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            wide = pattern.startswith("**", at)
            parts.append(".*" if wide else f"{one}*")
            at += wide
        elif char == "?":
            parts.append(one)
        elif char == "[" and "]" in pattern[at:]:
            end = pattern.index("]", at)
            inside = pattern[at + 1 : end]
            letters = re.sub(r"([^\w-])", r"\\\1", inside.removeprefix("!"))
            parts.append(f"[{'^' * inside.startswith('!')}{letters}]")
            at = end
        elif char in "{},":
            parts.append({"{": "(?:", "}": ")", ",": "|"}[char] if depth or char == "{" else re.escape(char))
            depth += {"{": 1, "}": -bool(depth)}.get(char, 0)
        else:
            parts.append(re.escape(char))
        at += 1
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))
