"""What the pages say is so: links, commands, generated tables, examples."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer.main

from kre.cli.main import app
from kre.load.source import parse
from support.cli import kre
from support.repository import PROJECT

WHERE = ["*.md", "docs/**/*.md", ".github/*.md", "tests/*/*.md", "base/**/*.md"]
PROSE = sorted(page for pattern in WHERE for page in PROJECT.glob(pattern))
LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<heading>[^)]+))?\)")
FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
MAKE = set(re.findall(r"^([a-z0-9-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))


def name(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PROSE, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(page.read_text()):
        target = (page.parent / link["path"]) if link["path"] else page
        assert target.exists(), f"{name(page)}: {link[0]}"
        assert link["heading"] is None or link["heading"] in anchors(target), f"{name(page)}: {link[0]}"


@pytest.mark.parametrize("page", PROSE, ids=name)
def test_commands_exist(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"(?:^|[`$|;&(] ?)kre ([a-z][a-z-]*)", text, re.MULTILINE)
    assert set(named) <= COMMANDS
    for line in re.findall(r"(?:^|`)make ((?:[a-z0-9-]+ ?)+)", text, re.MULTILINE):
        assert set(line.split()) <= MAKE, line


@pytest.mark.parametrize("page", [page for page in PROSE if "yaml" in page.read_text()], ids=name)
def test_yaml_examples_are_yaml(page: Path) -> None:
    for fence in FENCE.finditer(page.read_text()):
        if fence["kind"] == "yaml":
            parse(name(page), fence["body"].encode())


def test_the_table_of_rules_is_fresh() -> None:
    made = kre("rules", "--format", "markdown", cwd=PROJECT)
    assert (PROJECT / "docs/rules.md").read_text() == made.out, "run: make docs"


def test_the_example_of_json_has_the_shape_of_the_real_one(tmp_path: Path) -> None:
    page = (PROJECT / "docs/validate.md").read_text()
    shown = next(json.loads(fence["body"]) for fence in FENCE.finditer(page) if fence["kind"] == "json")
    (tmp_path / "bad.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {x: 1}}\n")
    real = json.loads(kre("validate", "--root", str(tmp_path), "--format", "json", cwd=tmp_path).out)
    assert list(shown) == list(real)
    assert list(shown["checked"]) == list(real["checked"])
    assert set(shown["findings"][0]) == set(real["findings"][0])
