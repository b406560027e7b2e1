"""The Component record-sink, enabled in dev: the recorder does not start without its Secret, and reaches the sink."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kre.load.bundle import load
from kre.model.resource import dig
from kre.rules.run import validate
from safety.promises.network import selects
from support.repository import PROJECT

LEAF = "overlays/dev/leaves/responses/kustomization.yaml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("apps", "base", "overlays"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    shutil.copy(PROJECT / "kre.yaml", tmp_path)
    path = tmp_path / LEAF
    text = path.read_text()
    last = "- ../../environment\n"
    assert text.endswith(last)
    path.write_text(text.replace(last, f"- ../../../../base/responses/record-sink\n{last}"))
    return tmp_path


def test_it_renders_and_kre_validate_is_content(copy: Path) -> None:
    bundle = load(copy, ["dev"])
    assert [str(finding) for finding in validate(bundle)] == []
    (recorder,) = [item for item in bundle.of("dev", "Deployment") if item.name == "recorder"]
    volumes = {volume["name"]: volume for volume in dig(recorder.body, "spec", "template", "spec", "volumes")}
    assert volumes["sink"]["secret"] == {"secretName": "recorder-sink", "optional": False}
    (policy,) = [item for item in bundle.of("dev", "NetworkPolicy") if item.name == "recorder-sink"]
    labels = dig(recorder.body, "spec", "template", "metadata", "labels")
    assert selects(dig(policy.body, "spec", "podSelector"), labels)
    assert dig(policy.body, "spec", "policyTypes") == ["Egress"]
