"""What a root reads, and what stands in the way of reading it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kre.load.graph import follow
from kre.load.sources import Sources


def tree(root: Path, **contents: str) -> Sources:
    for name, content in contents.items():
        path = root / name.replace("__", "/").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Sources(root)


def test_follows_everything_that_kustomize_reads(tmp_path: Path) -> None:
    sources = tree(
        tmp_path,
        top__kustomization_yaml="""
resources: [../base, own.yaml]
components: [../part]
patches:
- path: patches/a.yaml
- patch: '[]'
replacements:
- path: replace.yaml
configMapGenerator:
- name: c
  files: [settings=conf/a.ini, conf/b.ini]
  envs: [conf/c.env]
secretGenerator:
- name: s
  env: conf/d.env
openapi: {path: schema.json}
""",
        top__own_yaml="a: 1",
        top__patches__a_yaml="a: 1",
        top__replace_yaml="[]",
        base__kustomization_yaml="resources: [x.yaml]",
        base__x_yaml="a: 1",
        part__kustomization_yaml="kind: Component",
    )
    for name in ("conf/a.ini", "conf/b.ini", "conf/c.env", "conf/d.env", "schema.json"):
        (tmp_path / "top" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "top" / name).write_text("{}")
    reach = follow(sources, "top")
    assert reach.problems == []
    assert reach.folders == {"top", "base", "part"}
    assert reach.files == {
        *("top/kustomization.yaml", "top/own.yaml", "top/patches/a.yaml", "top/replace.yaml", "top/schema.json"),
        *("top/conf/a.ini", "top/conf/b.ini", "top/conf/c.env", "top/conf/d.env"),
        *("base/kustomization.yaml", "base/x.yaml", "part/kustomization.yaml"),
    }


@pytest.mark.parametrize(
    ("line", "rule", "says"),
    [
        ("resources: [nothing.yaml]", "K02", "nothing.yaml (resources) does not exist"),
        ("resources: [empty]", "K02", "empty has no kustomization.yaml"),
        ("patches: [{path: nothing.yaml}]", "K02", "nothing.yaml (patches) does not exist"),
        ("configMapGenerator: [{name: c, files: [k=nothing.txt]}]", "K02", "nothing.txt (configMapGenerator)"),
        ("resources: [github.com/argoproj/argo-events]", "K04", "fetched over the network"),
        ("resources: ['https://example.com/x.yaml']", "K04", "fetched over the network"),
        ("resources: ['git@example.com:x/y']", "K04", "fetched over the network"),
        ("resources: ['../x?ref=v1']", "K04", "fetched over the network"),
        ("patchs: []", "K03", "no field patchs"),
        ("resources: [1", "Y02", "not valid YAML"),
    ],
)
def test_problems(tmp_path: Path, line: str, rule: str, says: str) -> None:
    (tmp_path / "top/empty").mkdir(parents=True)
    reach = follow(tree(tmp_path, top__kustomization_yaml=line), "top")
    assert [(problem.rule, problem.place.path) for problem in reach.problems] == [(rule, "top/kustomization.yaml")]
    assert says in reach.problems[0].message


def test_a_circle_ends(tmp_path: Path) -> None:
    sources = tree(tmp_path, a__kustomization_yaml="resources: [../b]", b__kustomization_yaml="resources: [../a]")
    assert follow(sources, "a").folders == {"a", "b"}


def test_a_link_is_what_it_points_to(tmp_path: Path) -> None:
    sources = tree(tmp_path, base__kustomization_yaml="resources: []", top__kustomization_yaml="resources: [link]")
    os.symlink("../base", tmp_path / "top/link")
    assert follow(sources, "top").folders == {"top", "base"}


def test_no_kustomization(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    assert follow(Sources(tmp_path), "top").kustomizations == {}


@pytest.mark.parametrize("content", ["- a", "text", "1", "", "resources: text", "resources: [{a: 1}]", "patches: [1]"])
def test_odd_shapes_do_no_harm(tmp_path: Path, content: str) -> None:
    follow(tree(tmp_path, top__kustomization_yaml=content), "top")
