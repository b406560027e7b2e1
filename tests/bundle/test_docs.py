"""What the pages say is so: links, commands, generated tables, examples."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import typer.main
import yaml

from e2e.test_approve import decision
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


# ---- what the pages say of the engine

CODE = PROJECT / "base/responses/manifests/code"
OPTIONS = PROJECT / "base/responses/options"
OWN = sorted(OPTIONS.glob("*/code/*.py"))  # what a response alone needs
ROW = re.compile(r"^\| (?P<first>`[^|]*) \|(?P<rest>.*)\|$", re.MULTILINE)


def test_the_numbers_in_the_readme_are_those_of_now() -> None:
    counted = re.findall(r"in (\d+ objects from \d+ roots)", kre("validate", cwd=PROJECT).out)
    shown = re.findall(r"in (\d+ objects from \d+ roots)", (PROJECT / "README.md").read_text())
    assert len(counted) == 1
    assert shown == counted * 2


def section(page: str, heading: str) -> str:
    text = (PROJECT / page).read_text()
    assert f"\n{heading}\n" in text
    return text.split(f"\n{heading}\n")[1].split("\n## ")[0]


def test_every_setting_is_told_with_what_is_shipped() -> None:
    lines = (PROJECT / "base/responses/manifests/settings.env").read_text().splitlines()
    shipped = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    told: dict[str, str] = {}
    for row in ROW.finditer(section("docs/operate.md", "## Modes and limits")):
        names = re.findall(r"`([a-z-]+)`", row["first"])
        values = row["rest"].split("|")[0].replace("`", "").replace("none", "").strip().split(", ")
        told |= dict(zip(names, values, strict=True))
    assert told == {key: value for key, value in shipped.items() if key not in ("mode", "targets")}


def test_every_outcome_is_told_and_no_other() -> None:
    tables = re.split("Of a responder|Of the recorder", section("docs/operate.md", "## What an outcome means"))
    told = [
        {word for row in ROW.finditer(table) for word in re.findall(r"`([a-z-]+)`", row["first"])} for table in tables
    ]
    actions = re.search(r'ACTION = re.compile\("([a-z|]+)"\)', (CODE / "names.py").read_text())
    assert actions is not None
    always = {"refused", "gone", "failed"}
    assert told[0] == always | outcomes("decide.py", "dispatcher.py")
    would = {f"would-{action}" for action in actions[1].split("|")}
    assert told[1] == always | would | outcomes("act.py", "isolate.py", "responder.py", *map(str, OWN))
    recorder = "".join(path.read_text() for path in (CODE.parent / "recorder/code").glob("*.py"))
    assert [word for word in told[2] if f'"{word}"' not in recorder] == []


def outcomes(*files: str) -> set[str]:
    """What the code returns or names before a reason, or under `outcome` of a record; pairs of other words are none."""
    found = set()
    for node in [node for file in files for node in ast.walk(ast.parse((CODE / file).read_text()))]:
        if isinstance(node, (ast.Return, ast.Assign)):
            found |= {pair.elts[0] for pair in pairs(node.value)}
        if isinstance(node, ast.Dict):
            entries = zip(node.keys, node.values, strict=True)
            found |= {value for key, value in entries if isinstance(key, ast.Constant) and key.value == "outcome"}
    words = {word.value for word in found if isinstance(word, ast.Constant) and isinstance(word.value, str)}
    return {word for word in words if re.fullmatch("[a-z-]+", word)}


def pairs(value: ast.expr | None) -> list[ast.Tuple]:
    """The pairs that an expression may be."""
    if isinstance(value, ast.IfExp):
        return pairs(value.body) + pairs(value.orelse)
    return [value] if isinstance(value, ast.Tuple) and len(value.elts) == 2 else []


def test_an_approval_is_what_the_tests_on_a_cluster_send() -> None:
    (patch,) = re.findall(r"--patch '(.*?)'\n```", section("docs/operate.md", "## Approve or reject"), re.DOTALL)
    told = json.loads(patch.replace("'$ME'", "anna").replace("'$NODE'", "a-node"))
    assert told == decision("a-node", "Succeeded", by="anna")


def test_every_file_of_the_engine_is_told_with_where_it_runs() -> None:
    page = section("docs/extend.md", "## The engine's code")
    shared, own = page.split("What one response alone needs", 1)
    for row in ROW.finditer(own):
        for name in re.findall(r"`(\w+\.py)`", row["first"]):
            assert OPTIONS / row["rest"].split("|")[1].strip() / "code" / name in OWN
    assert len(re.findall(r"`\w+\.py`", "".join(row["first"] for row in ROW.finditer(own)))) == len(OWN)
    rows = ROW.finditer(shared)
    told = {
        name: row["rest"].split("|")[1].strip() for row in rows for name in re.findall(r"`(\w+\.py)`", row["first"])
    }
    generators = yaml.safe_load((PROJECT / "base/responses/manifests/kustomization.yaml").read_text())
    made = {item["name"]: item.get("files", []) for item in generators["configMapGenerator"]}
    runs = {part: {Path(file).name for file in made[f"{part}-code"]} for part in ("dispatcher", "responder")}
    places = {"both": (True, True), "dispatcher": (True, False), "responder": (False, True)}
    programs = {"dispatcher.py": (True, False), "responder.py": (False, True)}
    assert {path.name for path in CODE.glob("*.py")} == told.keys()
    for name, where in told.items():
        assert (name in runs["dispatcher"], name in runs["responder"]) == programs.get(name, places.get(where)), name
