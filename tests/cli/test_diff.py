"""kre diff: two environments, or the same ones at two revisions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import kre
from support.repository import commit

FACTS = "overlays/prod/environment/environment.yaml"


@pytest.fixture
def changed(repository: Path) -> Path:
    """A repository whose prod enforces, which is not committed."""
    commit(repository)
    path = repository / FACTS
    path.write_text(path.read_text().replace("mode: observe", "mode: enforce"))
    return repository


def test_a_revision_with_the_work_tree(changed: Path) -> None:
    ended = kre("diff", "HEAD", cwd=changed)
    assert ended.code == 0
    assert ended.out.startswith("dev: no difference\n\n# prod\n\nrisks:\n  mode-changed sha256:")
    assert "\n-  mode: observe\n+  mode: enforce\n" in ended.out
    assert f"  changed  {FACTS.removeprefix('overlays/prod/')} (" in ended.out
    assert "mode: enforce" not in kre("diff", "HEAD", "--summary", cwd=changed).out


def test_json(changed: Path) -> None:
    made = json.loads(kre("diff", "HEAD:prod", "--format", "json", cwd=changed).out)
    (prod,) = made["environments"]
    assert (made["version"], prod["environment"], prod["level"]) == (1, "prod", "high")
    assert [risk["kind"] for risk in prod["risks"]] == ["mode-changed"]
    assert prod["responses"]["before"]["mode"] == "observe"
    assert {item["what"] for item in prod["objects"]} == {"changed"}


def test_what_environments_are_called_is_no_difference(repository: Path) -> None:
    made = json.loads(kre("diff", "dev", "prod", "--format", "json", cwd=repository).out)
    names = [item["object"] for item in made["environments"][0]["objects"]]
    assert [name for name in names if name.startswith("Application ")] == ["Application argocd/kre-(env)-root"]  # /base
    assert "RoleBinding shop/kre-dispatcher" in names  # dev has a target
    withdrawn = made["environments"][0]["rights"]["withdrawn"]
    assert "ServiceAccount kre-pipeline/dispatcher may patch pods in shop" in withdrawn


def test_two_revisions_of_one_environment(changed: Path) -> None:
    second = commit(changed)
    out = kre("diff", f"{second}~1", second, "--env", "prod", "--format", "markdown", cwd=changed).out
    assert out.startswith("### `prod`\n")
    assert "- mode: `observe` to `enforce`" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such"], "there is no revision no-such"),
        (["HEAD:test"], "HEAD has no environment test"),
        (["prod", "prod"], "prod is compared with itself"),
        (["prod"], "prod is compared with itself"),
    ],
)
def test_what_can_not_be_compared(changed: Path, arguments: list[str], says: str) -> None:
    ended = kre("diff", *arguments, cwd=changed)
    assert ended.code == 2
    assert says in ended.err
    assert ended.out == ""
