"""Every line is of the documented schema, and the page names every key of it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from support.dispatcher import Local
from support.dispatcher import api as dispatcher_api
from support.engine import engine, shop
from support.recorder import MODULES, recorder, until
from support.repository import PROJECT
from support.workflow_api import Api, ended, node, said, stamp, workflow

SCHEMA = json.loads((PROJECT / "docs/record.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
PAGE = (PROJECT / "docs/record.md").read_text()


def complaints(line: dict[str, Any]) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(line)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_lines_of_a_recorder(tmp_path: Path) -> None:
    with Api() as api, recorder(tmp_path, api) as process:
        late = workflow(3)
        late["metadata"]["creationTimestamp"] = stamp(0)
        for made in (workflow(1, **ended("Succeeded", node(record=said()))), workflow(2, **ended("Error")), late):
            api.put(made)
        until("three lines", lambda: len(process.records()) == 3)
        lines = process.lines()
    assert {line["outcome"] for line in lines} == {"listening", "deleted", "never-started", "late"}
    assert [complaints(line) for line in lines] == [[]] * len(lines)


def test_a_long_or_odd_workflow_has_a_line_of_the_schema() -> None:
    made = workflow(1, **ended("Error", message="x\u2028\n" * 500))
    made["spec"]["arguments"]["parameters"][1]["value"] = "p" * 5000
    facts = MODULES.outcome.end(made, MODULES.outcome.Seen())
    text = MODULES.record.line(facts | {"part": "recorder", "key": "k"})
    assert text.isascii()
    assert "\n" not in text
    assert complaints(json.loads(text)) == []


def test_lines_of_a_dispatcher() -> None:
    with dispatcher_api() as server:
        local = Local(server)
        takes = [local.take(), local.take(), local.take(namespace="other"), local.take(pod=5), local.take(uid="x")]
    lines = [json.loads(MODULES.record.line(facts | {"part": "dispatcher"})) for facts in takes]
    assert [line["outcome"] for line in lines] == ["dispatched", "deduplicated", "refused", "refused", "refused"]
    assert [complaints(line) for line in lines] == [[]] * len(lines)


def test_a_line_of_a_responder(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        line = it.process().record
    assert line["outcome"] == "deleted"
    assert complaints(line) == []


@pytest.mark.parametrize("change", [{"key": None}, {"cause": "bad luck"}, {"more": "x"}, {"outcome": "Deleted"}])
def test_what_is_no_line(change: dict[str, Any]) -> None:
    facts = MODULES.outcome.end(workflow(1, **ended("Error")), MODULES.outcome.Seen())
    line = json.loads(MODULES.record.line(facts | {"part": "recorder", "key": "k"}))
    assert complaints(line) == []
    broken = copy.deepcopy(line) | change
    assert complaints({key: value for key, value in broken.items() if value is not None})


def test_the_page_names_every_key() -> None:
    keys = {key for part in ("alert", "responder", "end") for key in SCHEMA["$defs"][part]["properties"]}
    listed = PAGE.partition("## Keys of a line")[2].partition("\n## ")[0]
    rows = {
        key for row in re.findall(r"^\| ([^|]*) \|", listed, re.MULTILINE) for key in re.findall(r"`([a-z]+)`", row)
    }
    assert rows == keys


def test_the_page_names_every_metric() -> None:
    assert set(re.findall(r"^\| `kre_recorder_([a-z_]+)", PAGE, re.MULTILINE)) == set(MODULES.status.HELP)
