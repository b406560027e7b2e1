"""What an AppProject permits (argo-cd v3.4, app_project_types.go)."""

from __future__ import annotations

from typing import Any

import pytest

from kre.model.resource import Resource
from kre.rules import project


@pytest.mark.parametrize(
    ("pattern", "value", "separator", "matches"),
    [
        ("*", "anything/at all", "", True),
        ("*", "a/b", "/", False),
        ("**", "a/b", "/", True),
        ("https://github.com/*", "https://github.com/a", "/", True),
        ("https://github.com/*", "https://github.com/a/b", "/", False),
        ("https://github.com/**", "https://github.com/a/b", "/", True),
        ("kre-?", "kre-a", "", True),
        ("kre-?", "kre-", "", False),
        ("kre-[ab]", "kre-b", "", True),
        ("kre-[!ab]", "kre-b", "", False),
        ("kre-{dev,prod}", "kre-prod", "", True),
        ("kre-{dev,prod}", "kre-test", "", False),
        ("a.b", "axb", "", False),
        ("a,b", "a,b", "", True),
        ("a}b", "a}b", "", True),
        ("[", "[", "", True),
        ("[[]", "[", "", True),
        ("", "", "", True),
    ],
)
def test_glob(pattern: str, value: str, separator: str, matches: bool) -> None:
    assert project.glob(pattern, value, separator) is matches


def body(**spec: Any) -> dict[str, Any]:
    return {"spec": spec}


@pytest.mark.parametrize(
    ("repositories", "allowed"),
    [
        (["https://x/a.git"], True),
        (["*"], True),
        (["https://x/*"], True),
        (["*", "!https://x/a.git"], False),
        (["!https://y/*"], False),
        ([], False),
        ("https://x/a.git", False),
    ],
)
def test_repositories(repositories: Any, allowed: bool) -> None:
    assert project.repository(body(sourceRepos=repositories), "https://x/a.git") is allowed


@pytest.mark.parametrize(
    ("destinations", "allowed"),
    [
        ([{"server": "https://k", "namespace": "a"}], True),
        ([{"name": "prod", "namespace": "a"}], True),
        ([{"server": "https://k", "namespace": "b"}], False),
        ([{"server": "https://other", "namespace": "a"}], False),
        ([{"server": "https://k", "namespace": "*"}, {"server": "https://k", "namespace": "!a"}], False),
        ([{"server": "*", "namespace": "*"}], True),
        ([], False),
    ],
)
def test_destinations(destinations: list[dict[str, str]], allowed: bool) -> None:
    cluster = {"server": "https://k", "name": "prod"}
    assert project.destination(body(destinations=destinations), cluster, "a") is allowed


def made(kind: str, version: str = "v1", name: str = "x") -> Resource:
    return Resource({"apiVersion": version, "kind": kind, "metadata": {"name": name}}, "x.yaml", "x.yaml")


@pytest.mark.parametrize(
    ("spec", "resource", "allowed"),
    [
        ({}, made("Service"), True),  # no whitelist at all: every kind in a namespace
        ({}, made("Namespace"), False),  # and none of the others
        ({"namespaceResourceWhitelist": []}, made("Service"), False),
        ({"namespaceResourceWhitelist": [{"group": "", "kind": "Service"}]}, made("Service"), True),
        ({"namespaceResourceWhitelist": [{"group": "apps", "kind": "Service"}]}, made("Service"), False),
        ({"namespaceResourceWhitelist": [{"group": "*", "kind": "*"}]}, made("Deployment", "apps/v1"), True),
        ({"namespaceResourceBlacklist": [{"group": "", "kind": "Service"}]}, made("Service"), False),
        ({"clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}]}, made("Namespace"), True),
        ({"clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "kre-*"}]}, made("Namespace"), False),
        (
            {"clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "kre-*"}]},
            made("Namespace", name="kre-a"),
            True,
        ),
    ],
)
def test_kinds(spec: dict[str, Any], resource: Resource, allowed: bool) -> None:
    assert project.kind({"spec": spec}, resource) is allowed
