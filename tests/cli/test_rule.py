"""kre rule: a response's rules are one exact pattern, and no other byte of the Sensor changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import re2
import yaml
from syrupy.assertion import SnapshotAssertion

from support.cli import Ended, kre
from support.layout import SHELL, build, state, write
from support.repository import git

DELETE = "base/responses/options/delete-pod/delete-pod-sensor.yaml"
ISOLATE = "base/responses/options/isolate-pod/isolate-pod-sensor.yaml"


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return build(tmp_path / "engine")


def pattern(root: Path, path: str = DELETE) -> str:
    data = yaml.safe_load((root / path).read_text())["spec"]["dependencies"][0]["filters"]["data"]
    return str(data[1]["value"][0])


def refused(ended: Ended, says: str, hint: str = "") -> None:
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err.splitlines()[0]
    assert hint in ended.err
    assert len(ended.err.splitlines()) <= 2


@pytest.mark.parametrize(
    "name",
    ["Execution from /dev/shm", "Odd (two) [x]{1}", "a.b+c*d?e^f$g|h", "back\\slash", 'it\'s "quoted"', "Über", "'"],
)
def test_add_and_remove(engine: Path, name: str) -> None:
    before = state(engine)
    ended = kre("rule", "add", name, "--response", "delete-pod", cwd=engine)
    assert ended.code == 0
    assert f"changed    {DELETE}\n" in ended.out
    made = re2.compile(pattern(engine))
    assert made.search(name)
    assert made.search(SHELL)
    for other in (f"{name}x", f"x{name}", name[:-1], "aXb+c*d?e^f$g|h", "Odd two x1"):
        assert not made.search(other)
    assert [path for path, content in state(engine).items() if content != before[path]] == [DELETE]
    old, new = before[DELETE].decode().splitlines(), (engine / DELETE).read_text().splitlines()
    assert [new.index(line) for line in new if line not in old] == [21]
    assert kre("rule", "remove", name, "--response", "delete-pod", cwd=engine).code == 0
    assert state(engine) == before


def test_twice_is_once(engine: Path) -> None:
    before = state(engine)
    ended = kre("rule", "add", SHELL, "--response", "delete-pod", cwd=engine)
    assert (ended.code, ended.out, ended.err) == (0, f"as it was  {DELETE}\n", "")
    ended = kre("rule", "remove", "Terminal shel in container", "--response", "delete-pod", cwd=engine)
    assert (ended.code, ended.out) == (0, f"as it was  {DELETE}\n")
    assert f'did you mean "{SHELL}"?' in ended.err
    assert state(engine) == before


def test_without_any_rule_nothing_matches(engine: Path) -> None:
    ended = kre("rule", "remove", SHELL, "--response", "delete-pod", cwd=engine)
    assert "delete-pod answers to no rule" in ended.out
    assert pattern(engine) == "$.^"
    assert not any(re2.search(pattern(engine), text) for text in ("", SHELL, "\n", "$.^"))
    kre("rule", "add", SHELL, "--response", "delete-pod", cwd=engine)
    assert pattern(engine) == f"^({SHELL})$"


def test_crlf_and_no_line_end_stay(engine: Path) -> None:
    path = engine / DELETE
    raw = path.read_bytes().replace(b"\n", b"\r\n").rstrip()
    path.write_bytes(raw)
    kre("rule", "add", "Clear Log Activities", "--response", "delete-pod", cwd=engine)
    assert path.read_bytes() == raw.replace(b"in container)", b"in container|Clear Log Activities)")


def test_a_rule_has_one_response(engine: Path) -> None:
    before = state(engine)
    ended = kre("rule", "add", "Odd (one)", "--response", "delete-pod", cwd=engine)
    refused(ended, '"Odd (one)" is bound to isolate-pod already', "kre rule remove 'Odd (one)' --response isolate-pod")
    assert state(engine) == before


def test_a_pattern_by_hand_of_another_response_is_no_obstacle_but_is_named(engine: Path) -> None:
    path = engine / ISOLATE
    path.write_text(path.read_text().replace("^(Run shell untrusted|Odd \\\\(one\\\\))$", "^(Run .*)$"))
    ended = kre("rule", "add", "Run shell untrusted", "--response", "delete-pod", cwd=engine)
    assert ended.code == 0
    assert "whether isolate-pod answers to the rule can't be told" in ended.err
    refused(
        kre("rule", "add", "x", "--response", "isolate-pod", cwd=engine),
        f"{ISOLATE}:22:17: the pattern ^(Run .*)$ is no list of names",
        "write it as ^(",
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a\nb", r"'a\nb' can be no rule's name"),
        ("a\x1b[31m", "can be no rule's name"),
        ("a\u00a0b", "can be no rule's name"),
        ("a\u202eb", "can be no rule's name"),
        (" a", "can be no rule's name"),
        ("x" * 201, "has 201 characters, more than 200"),
    ],
)
def test_what_is_no_name(engine: Path, name: str, says: str) -> None:
    before = state(engine)
    refused(kre("rule", "add", name, "--response", "delete-pod", cwd=engine), says)
    assert state(engine) == before


def test_200_characters_are_not_too_many(engine: Path) -> None:
    assert kre("rule", "add", "x" * 200, "--response", "delete-pod", cwd=engine).code == 0


def test_an_unknown_rule_is_taken_with_a_warning(engine: Path) -> None:
    ended = kre("rule", "add", "clear log activites", "--response", "delete-pod", cwd=engine)
    assert ended.code == 0
    assert 'did you mean "Clear Log Activities"?' in ended.err
    assert kre("rule", "add", "Clear Log Activities", "--response", "delete-pod", cwd=engine).err == ""
    text = 'customRules:\n  mine.yaml: |\n    - rule: Our own rule\n      desc: x\n    - list: y\n  bad.yaml: "["\n'
    write(engine, {"base/falco/values.yaml": text})
    assert kre("rule", "add", "Our own rule", "--response", "delete-pod", cwd=engine).err == ""
    assert "neither one of Falco's" in kre("rule", "add", "Our", "--response", "delete-pod", cwd=engine).err


@pytest.mark.parametrize(
    ("response", "says", "hint"),
    [
        ("delet-pod", "there is no response delet-pod", "did you mean delete-pod?"),
        ("../delete-pod", "there is no response ../delete-pod", ""),
        ("release-pod", "release-pod has no Sensor", "delete-pod, isolate-pod, notify"),
    ],
)
def test_what_is_no_response(engine: Path, response: str, says: str, hint: str) -> None:
    refused(kre("rule", "add", "x", "--response", response, cwd=engine), says, hint)
    refused(kre("rule", "remove", "x", "--response", response, cwd=engine), says, hint)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("path: body.rule #", "path: body.rules #", "0 data filters have the path body.rule"),
        (f'["^({SHELL})$"]', '["^a$", "^b$"]', f"{DELETE}:22:9: the filter on body.rule needs one pattern"),
        (f'["^({SHELL})$"]', "[]", "needs one pattern"),
        ("metadata:", "metadata: &x", "has YAML anchors"),
        ("metadata:", "metadata: {}\nmetadata:", "is already there"),
    ],
)
def test_a_sensor_that_can_not_be_edited(engine: Path, old: str, new: str, says: str) -> None:
    path = engine / DELETE
    path.write_text(path.read_text().replace(old, new))
    before = state(engine)
    refused(kre("rule", "add", "x", "--response", "delete-pod", cwd=engine), says)
    assert state(engine) == before


def test_a_dry_run_writes_nothing_and_can_be_applied(engine: Path, snapshot: SnapshotAssertion) -> None:
    before = state(engine)
    arguments = ("rule", "add", "Find AWS Credentials", "--response", "delete-pod")
    ended = kre(*arguments, "--dry-run", cwd=engine)
    assert (ended.code, ended.out) == (0, snapshot)
    assert state(engine) == before
    git(engine, "init", "--quiet")
    (engine.parent / "diff").write_text(ended.out)
    git(engine, "apply", str(engine.parent / "diff"))
    applied = state(engine)
    assert applied != before
    git(engine, "apply", "--reverse", str(engine.parent / "diff"))
    kre(*arguments, cwd=engine)
    assert state(engine) == applied


@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["edit", "dry-run"])
def test_json(engine: Path, more: list[str], snapshot: SnapshotAssertion) -> None:
    ended = kre("rule", "add", "My rule", "--response", "delete-pod", "--format", "json", *more, cwd=engine)
    assert (ended.code, ended.err, ended.out) == (0, "", snapshot)
    made = json.loads(ended.out)
    assert made["rules"] == [SHELL, "My rule"]
    assert ("diff" in made) == bool(more)


def test_outside_of_a_repository(tmp_path: Path) -> None:
    refused(kre("rule", "add", "x", "--response", "y", cwd=tmp_path), "has no overlays/environments.yaml", "--root")


def test_from_elsewhere(engine: Path, tmp_path: Path) -> None:
    arguments = ("--response", "delete-pod", "--root", str(engine))
    assert kre("rule", "add", "Clear Log Activities", *arguments, cwd=tmp_path).code == 0
    assert pattern(engine) == f"^({SHELL}|Clear Log Activities)$"
