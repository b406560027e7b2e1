"""The workflows' own commands, step by step, in a clone with a bare remote; `gh` is a stand-in that writes down what it
was asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.promotion import Stage, with_news
from support.repository import PROJECT

WORKFLOWS = PROJECT / ".github/workflows"
VALUES = "base/falcosidekick/values.yaml"
GH = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$GH_LOG"
case "$1 $2" in "pr list") printf '%s' "$GH_OPEN" ;; esac
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return with_news(tmp_path_factory.mktemp("workflows") / "stage", VALUES)


@pytest.fixture
def runner(made: Stage, tmp_path: Path) -> Runner:
    return Runner(made.twin(tmp_path / "stage"), tmp_path)


class Runner:
    """Runs the commands of a job's steps as a forge's runner does."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.temp, self.log = folder / "temp", folder / "gh.log"
        for path in (self.temp, folder / "bin", stage.folder / ".venv/bin"):
            path.mkdir(parents=True)
        _script(folder / "bin/gh", GH)
        _script(stage.folder / ".venv/bin/kre", f'#!/bin/sh\nexec "{sys.executable}" -m kre "$@"\n')
        (stage.folder / ".git/info/exclude").write_text(".venv\n")

    def job(self, workflow: str, job: str, known: Mapping[str, str], **env: str) -> tuple[int, dict[str, str], str]:
        """(exit code, outputs, summary) of a job: its steps in order, until one fails."""
        spec = yaml.safe_load((WORKFLOWS / workflow).read_text())["jobs"][job]
        outputs: dict[str, str] = {}
        summary = self.folder / f"{job}-summary.md"
        summary.touch()
        for step in spec["steps"]:
            if "run" not in step or step.get("name") == "Set up":
                continue
            told = {f"steps.{step_id}.outputs.{name}": value for (step_id, name), value in self._flat(outputs).items()}
            values = {**spec.get("env", {}), **step.get("env", {})}
            environ = {name: _filled(str(value), {**known, **told}) for name, value in values.items()}
            written = self.folder / f"{job}-output"
            written.write_text("")
            files = {"GITHUB_OUTPUT": str(written), "GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(self.temp)}
            own = {"GH_LOG": str(self.log), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "GH_OPEN": ""}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.stage.folder,
                env={**self.stage.environ(), **own, **files, **environ, **env},
                capture_output=True,
                text=True,
                check=False,
            )
            outputs |= {f"{step.get('id')} {name}": value for name, value in _outputs(written.read_text()).items()}
            if done.returncode:
                return done.returncode, outputs, done.stderr
        return 0, outputs, summary.read_text()

    @staticmethod
    def _flat(outputs: Mapping[str, str]) -> dict[tuple[str, str], str]:
        return {tuple(name.split(" ", 1)): value for name, value in outputs.items()}  # type: ignore[misc]

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _filled(text: str, known: Mapping[str, str]) -> str:
    """`${{ ... }}` as a forge fills it in; what is not known is a fault of the test."""
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: known[found[1]], text)


def _outputs(text: str) -> dict[str, str]:
    found = re.findall(r"^(\w+)<<(\S+)\n(.*?)\n\2$", text, re.MULTILINE | re.DOTALL)
    return {name: value for name, _, value in found}


def given(source: str = "dev", target: str = "staging", components: str = "") -> dict[str, str]:
    return {
        "inputs.from": source,
        "inputs.to": target,
        "inputs.components": components,
        "github.actor": "ann",
        "github.actor_id": "1",
        "github.event.repository.default_branch": "main",
        "steps.app.outputs.token": "a-token",
        "steps.app.outputs.app-slug": "promoter",
    }


def test_promote(runner: Runner) -> None:
    stage, known = runner.stage, given(components="falcosidekick")
    before = stage.refs(), stage.refs(cwd=stage.remote)
    code, outputs, summary = runner.job("promote.yaml", "plan", known)
    assert code == 0, summary
    assert outputs["plan changed"] == "true"
    assert summary.startswith("## What\n")
    assert (stage.refs(), stage.refs(cwd=stage.remote)) == before
    assert (runner.temp / "plan.json").exists()

    code, outputs, told = runner.job("promote.yaml", "propose", known)
    assert code == 0, told
    branch, title = "promote/staging/falcosidekick", "chore(staging): promote falcosidekick from dev"
    assert (outputs["write branch"], outputs["write title"]) == (branch, title)
    assert stage.git("log", "-1", "--format=%an %ae %cn", branch, cwd=stage.remote) == (
        "ann 1+ann@users.noreply.github.com promoter[bot]"
    )
    body, labels = runner.temp / "body.md", outputs["write labels"]
    assert runner.asked()[-1] == (
        f"pr create --base main --head {branch} --title {title} --body-file {body} --label {labels}"
    )
    assert "label create environment/staging --force" in runner.asked()

    code, _, told = runner.job("promote.yaml", "propose", known, GH_OPEN="7")  # once more
    assert code == 0, told
    assert runner.asked()[-1].startswith("pr edit 7 --title ")


def test_promote_blocked(runner: Runner) -> None:
    code, outputs, _ = runner.job("promote.yaml", "plan", given("staging", "prod"))
    assert (code, outputs["plan changed"]) == (0, "false")  # nothing to do
    runner.stage.land({"overlays/staging/release/falcosidekick/values.yaml": "by: hand\n"})
    code, outputs, told = runner.job("promote.yaml", "plan", given())
    assert (code, outputs["plan changed"], outputs["plan blocked"]) == (4, "false", "true")
    assert "nothing goes from dev to staging" in told
    assert ": drift: " in (runner.folder / "plan-summary.md").read_text()


@pytest.mark.parametrize("text", ["--hotfix=now", "falco; touch owned", "$(touch owned)", "`touch owned`", "*"])
def test_inputs_are_words_and_nothing_else(runner: Runner, text: str) -> None:
    code, _, told = runner.job("promote.yaml", "plan", given(components=text))
    assert code == 2
    assert "there is no component" in told
    assert not (runner.stage.folder / "owned").exists()


def test_render_diff(runner: Runner) -> None:
    stage = runner.stage
    text = (stage.folder / VALUES).read_text()
    stage.branch("change", {VALUES: text.replace("replicaCount: 2", "replicaCount: 3") + "# more\n"})
    stage.merge("change")  # as the forge's merge ref is
    code, _, summary = runner.job("render-diff.yaml", "render", {})
    assert code == 0, summary
    assert summary.startswith("### `dev`")
    known = {"github.token": "t", "github.repository": "example/kre", "github.event.pull_request.number": "7"}
    code, _, told = runner.job("render-diff.yaml", "comment", known)
    assert code == 0, told
    comment = runner.temp / "comment.md"
    assert runner.asked() == [f"pr comment 7 --edit-last --create-if-none --body-file {comment}"]
    assert comment.read_text() == summary


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path.name, name, job)
        for path in sorted(WORKFLOWS.glob("*.yaml"))
        for name, job in yaml.safe_load(path.read_text())["jobs"].items()
    ]


@pytest.mark.parametrize(("workflow", "name", "job"), jobs(), ids=lambda value: value if isinstance(value, str) else "")
def test_least_permissions_and_pinned_actions(workflow: str, name: str, job: dict[str, Any]) -> None:
    assert yaml.safe_load((WORKFLOWS / workflow).read_text())["permissions"] == {}
    writes = {scope for scope, level in job["permissions"].items() if level != "read"}
    assert writes == ({"pull-requests"} if (workflow, name) == ("render-diff.yaml", "comment") else set())
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)
    for step in job["steps"]:
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        assert "${{" not in step.get("run", "")  # what somebody wrote is a value, and never code
    if writes:
        assert not any("checkout" in action for action in used)  # nobody else's code where something can be written
