"""What people and programs read, word for word. `pytest --snapshot-update` accepts a change."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from kre import __version__
from support.cli import kre
from support.repository import Plan, commit

COMMANDS = [
    "validate",
    "render",
    "diff",
    "promote",
    "rules",
    "explain",
    "report",
    "init",
    "rule",
    "response",
    "target",
    "token",
    "doctor",
    "schemas",
]
GROUPS = {
    "schemas": ["update", "verify"],
    "rule": ["add", "remove"],
    "response": ["list", "enable", "disable"],
    "target": ["list", "add", "remove"],
}

MORE_REPLICAS = """\
apiVersion: argoproj.io/v1alpha1
kind: EventBus
metadata: {name: default, namespace: kre-pipeline}
spec: {jetstream: {replicas: 5}}
"""


def test_help(snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    ended = kre("--help", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == snapshot


@pytest.mark.parametrize(
    "command", [*([name] for name in COMMANDS), *([one, two] for one in GROUPS for two in GROUPS[one])], ids=" ".join
)
def test_help_of_each(command: list[str], snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    ended = kre(*command, "--help", cwd=tmp_path)
    assert ended.code == 0
    assert ended.out == snapshot
    assert "Example" in ended.out or (command[0] in GROUPS and len(command) == 1)


def test_version(tmp_path: Path) -> None:
    assert kre("--version", cwd=tmp_path).out == f"kre {__version__}\n"


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """The small repository with a fault in base/ that both environments have, and a warning."""
    sensor, chart = "base/responses/manifests/delete-pod-sensor.yaml", "base/falcosidekick/application.yaml"
    edits = [
        {"file": sensor, "replace": "eventName: alerts", "with": "eventName: alert"},
        {"file": chart, "replace": "0.14.0", "with": "0.14.1"},
    ]
    return Plan({"edits": edits}).build(tmp_path / "repository")


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "junit"])
def test_validate(faulty: Path, form: str, snapshot: SnapshotAssertion) -> None:
    ended = kre("validate", "--format", form, cwd=faulty)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out == snapshot


@pytest.mark.parametrize("form", ["text", "github", "sarif", "junit"])
def test_what_a_file_holds_steers_no_terminal(tmp_path: Path, form: str) -> None:
    (tmp_path / "x.yaml").write_text(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"a\\e[31m\\n::error::b\\u202ec": 1\n'
    )
    out = kre("validate", "--format", form, cwd=tmp_path, env={"FORCE_COLOR": "1"}).out
    escaped = r"a\x1b[31m\n::error::b\u202ec"
    assert (escaped if form != "sarif" else escaped.replace("\\", "\\\\")) in out
    assert not any(line.startswith("::error::") for line in out.splitlines())
    assert all(letter.isprintable() or letter == "\n" for letter in out)


def test_validate_well(repository: Path, snapshot: SnapshotAssertion) -> None:
    ended = kre("validate", cwd=repository)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == snapshot


def test_json_is_what_the_documentation_says(faulty: Path) -> None:
    made = json.loads(kre("validate", "--format", "json", cwd=faulty).out)
    assert made.keys() == {"version", "checked", "findings"}
    assert made["version"] == 1
    assert made["checked"].keys() == {"environments", "engine", "files", "roots", "objects", "charts"}
    for finding in made["findings"]:
        assert finding.keys() == {
            *("rule", "severity", "path", "line", "column", "message", "hint", "environments", "related"),
        }
        assert finding["severity"] in ("error", "warning", "info")
        assert (faulty / finding["path"]).exists()
        for related in finding["related"]:
            assert related.keys() == {"path", "line", "column", "message"}


def test_one_finding_for_all_environments_that_show_it(repository: Path) -> None:
    leaf = repository / "overlays/prod/leaves/pipeline/kustomization.yaml"
    leaf.write_text(leaf.read_text().replace("../../release/", "../../../../base/"))
    source = repository / "base/pipeline/manifests/falco-eventsource.yaml"
    source.write_text(source.read_text().replace("endpoint:", "endpont:"))
    made = json.loads(kre("validate", "--format", "json", cwd=repository).out)
    unknown = [item for item in made["findings"] if "endpont" in item["message"]]
    assert [(item["path"], item["line"], item["environments"]) for item in unknown] == [
        ("base/pipeline/manifests/falco-eventsource.yaml", 12, ["dev", "prod"])
    ]


def test_only_the_environments_of_the_files_that_changed(repository: Path) -> None:
    def environments(*files: str) -> list[str]:
        return json.loads(kre("validate", "--format", "json", *files, cwd=repository).out)["checked"]["environments"]

    assert environments("overlays/prod/values/falcosidekick.yaml") == ["prod"]
    assert environments("base/pipeline/application.yaml") == ["dev"]
    assert environments("apps/prod/kustomization.yaml", "base/x.yaml") == ["dev", "prod"]
    assert environments("kre.yaml") == ["dev", "prod"]
    ended = kre("validate", "README.md", cwd=repository)
    assert (ended.code, ended.out) == (0, "nothing to check: the files given are part of no environment\n")


def test_an_environment_by_name(repository: Path) -> None:
    made = json.loads(kre("validate", "--env", "prod", "--format", "json", cwd=repository).out)
    assert made["checked"]["environments"] == ["prod"]
    ended = kre("validate", "--env", "test", cwd=repository)
    assert (ended.code, ended.out) == (2, "")
    assert "there is no environment test" in ended.err
    assert "there are: dev, prod" in ended.err


@pytest.mark.parametrize("form", ["text", "json"])
def test_render(repository: Path, form: str, snapshot: SnapshotAssertion) -> None:
    ended = kre("render", "dev", "--format", form, cwd=repository)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == snapshot


def test_render_into_a_folder(repository: Path, tmp_path: Path) -> None:
    ended = kre("render", "dev", "--out", str(tmp_path / "out"), cwd=repository)
    assert (ended.code, ended.out) == (0, f"5 files in {tmp_path / 'out'}\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("apps-dev.yaml", "dev-pipeline.yaml", "dev-responses.yaml", "dev-targets.yaml", "kre-dev-root.yaml"),
    ]
    again = kre("render", "dev", "--out", str(tmp_path / "out"), cwd=repository)
    assert again.code == 2
    assert "is there and not empty" in again.err


def test_what_is_rendered_is_valid_by_itself(repository: Path, tmp_path: Path) -> None:
    kre("render", "dev", "--out", str(tmp_path / "out"), cwd=repository)
    made = json.loads(kre("validate", "--root", str(tmp_path / "out"), "--format", "json", cwd=tmp_path).out)
    assert made["checked"]["objects"] > 15
    assert [item for item in made["findings"] if item["severity"] == "error"] == []


def test_render_of_what_does_not_build(repository: Path, tmp_path: Path) -> None:
    (repository / "base/pipeline/manifests/falco-eventsource.yaml").unlink()
    ended = kre("render", "dev", "--out", str(tmp_path / "out"), cwd=repository)
    assert (ended.code, ended.out) == (1, "")
    assert "falco-eventsource.yaml (resources) does not exist" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["rules"], ["rules", "--format", "json"], ["explain", "r1"]], ids=" ".join)
def test_rules(arguments: list[str], snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    ended = kre(*arguments, cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == snapshot


def test_explain_what_is_not_there(tmp_path: Path) -> None:
    ended = kre("explain", "R10", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("kre: there is no rule R10\n")


def test_doctor(tmp_path: Path) -> None:
    made = json.loads(kre("doctor", "--format", "json", cwd=tmp_path).out)
    assert made["version"] == 1
    assert made["kre"] == __version__
    assert [tool["name"] for tool in made["tools"]] == ["kustomize", "kubectl", "kubeconform", "helm", "git"]
    assert made["lacking"] == []
    text = kre("doctor", cwd=tmp_path).out
    assert re.search(r"kustomize +5\.8\.1", text)
    assert "all that is needed is there" in text


def test_doctor_without_anything(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    ended = kre("doctor", cwd=tmp_path, env={"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert ended.code == 3
    assert "needed, and not there: kustomize or kubectl, git" in ended.out
    assert ended.out.count("install:") == 5


def test_schemas(tmp_path: Path) -> None:
    assert kre("schemas", "verify", cwd=tmp_path).out.endswith("schemas, 0 not as locked\n")
    assert "argoproj.io/v1alpha1 Sensor" in kre("schemas", "list", cwd=tmp_path).out
    ended = kre("schemas", "update", "--from", str(tmp_path), cwd=tmp_path)
    assert ended.code == 2
    assert "not found below" in ended.err


def test_an_equal_run_is_answered_from_the_cache(repository: Path, cache_of_its_own: Path) -> None:
    first = kre("validate", cwd=repository)
    kept = list((cache_of_its_own / "kre/results").iterdir())
    assert len(kept) == 1
    text, counts = re.subn(r'"objects":\d+', '"objects":12345', kept[0].read_text())
    assert counts == 1
    kept[0].write_text(text)
    assert "12345" in kre("validate", cwd=repository).out
    assert kre("validate", "--no-cache", cwd=repository).out == first.out
    (repository / "base/falcosidekick/values.yaml").write_text("# another state\n")
    assert "12345" not in kre("validate", cwd=repository).out
    kept[0].write_text("damaged")
    assert kre("validate", cwd=repository).code in (0, 1)


def test_changed_since(repository: Path) -> None:
    first = commit(repository)
    assert kre("validate", "--changed-since", first, cwd=repository).code == 0
    for name in ("dev", "prod"):
        leaf = repository / f"overlays/{name}/leaves/pipeline"
        (leaf / "patches").mkdir()
        (leaf / "patches/default-eventbus-patch.yaml").write_text(MORE_REPLICAS)
        with (leaf / "kustomization.yaml").open("a") as file:
            file.write("patches:\n- path: patches/default-eventbus-patch.yaml\n")
    ended = kre("validate", "--changed-since", first, cwd=repository)
    assert ended.code == 1
    assert ended.out.count(" R7: ") == 2
    assert kre("validate", "--changed-since", first, "--acknowledge-radius", cwd=repository).code == 0
    assert kre("validate", "--changed-since", "no-such", cwd=repository).code == 2


def test_changed_since_refuses_what_makes_an_environment_less_safe(repository: Path) -> None:
    first = commit(repository)
    path = repository / "overlays/prod/environment/environment.yaml"
    path.write_text(path.read_text().replace("mode: observe", "mode: enforce"))
    ended = kre("validate", "--changed-since", first, cwd=repository)
    assert ended.code == 1
    assert f"{path.relative_to(repository)}:" in ended.out
    assert " error P03: prod: mode-changed: facts: mode goes from observe to enforce" in ended.out
    assert kre("validate", cwd=repository).code == 0  # nothing to compare with
