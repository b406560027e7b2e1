"""Real pre-commit, as a contributor of this repository has it, and as another repository uses the hook."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.repository import PROJECT, commit, git

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  automountServiceAccountToken: false
  containers:
  - {name: a, image: 'example.org/a:1'}
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """This repository as it is now, as a Git repository of its own, with this very virtual environment."""
    folder = tmp_path / "clone"
    for name in git(PROJECT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    commit(folder)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def pre_commit(folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """`pre-commit run` on what is staged. Git is given no configuration of the user's."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--color=never"],
        cwd=folder,
        env={**environ, "PRE_COMMIT_HOME": str(home), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_here(clone: Path, tmp_path: Path) -> None:
    values = clone / "base/falcosidekick/values.yaml"
    replace(values, "minimumpriority", "minimumPriority")
    git(clone, "add", "--all")
    bad = pre_commit(clone, tmp_path / "home")
    assert bad.returncode == 1
    assert "base/falcosidekick/values.yaml:9:5: error S04" in bad.stdout
    assert "Traceback" not in bad.stdout + bad.stderr

    replace(values, "minimumPriority", "minimumpriority")
    replace(clone / "overlays/dev/environment/environment.yaml", "# The facts", "# Facts")
    replace(
        clone / "tools/kre/errors.py",
        '"""',
        '"""\n\n',
    )
    git(clone, "add", "--all")
    unformatted = pre_commit(clone, tmp_path / "home")
    assert "kre validate.............................................................Passed" in unformatted.stdout
    assert "ruff format" in unformatted.stdout
    assert unformatted.returncode == 1

    git(clone, "checkout", "HEAD", "--", "tools/kre/errors.py")
    good = pre_commit(clone, tmp_path / "home")
    assert good.returncode == 0, good.stdout
    assert "Failed" not in good.stdout


def test_elsewhere(clone: Path, tmp_path: Path) -> None:
    """In a repository of plain manifests; pre-commit installs kre from `repo` at `rev`."""
    other = tmp_path / "other"
    (other / "deploy").mkdir(parents=True)
    hook = {"id": "kre-validate", "args": ["--root", "deploy"], "files": "^deploy/"}
    source = {"repo": str(clone), "rev": git(clone, "rev-parse", "HEAD"), "hooks": [hook]}
    (other / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [source]}))
    (other / "deploy/pod.yaml").write_text(POD)
    commit(other)

    (other / "deploy/pod.yaml").write_text(POD.replace("image:", "imag:"))
    git(other, "add", "--all")
    bad = pre_commit(other, tmp_path / "home")
    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert "pod.yaml:7:15: error S01: " in bad.stdout
    assert 'did you mean "image"?' in bad.stdout

    (other / "deploy/pod.yaml").write_text(POD + "# as before\n")
    git(other, "add", "--all")
    good = pre_commit(other, tmp_path / "home")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "Passed" in good.stdout
