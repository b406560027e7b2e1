"""Whatever goes wrong: one clear line, the right exit code, no traceback, and no file half there."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from support.cli import Ended, kre

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
VICTIM = "base/pipeline/manifests/falco-eventsource.yaml"


def state(folder: Path) -> dict[str, str]:
    """Every file of a folder with its digest."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def one_line(ended: Ended, code: int, says: str) -> None:
    assert ended.code == code, ended
    assert ended.err.startswith("kre: "), ended
    assert says in ended.err.splitlines()[0], ended
    assert len(ended.err.splitlines()) <= 2, ended
    assert ended.out == ""


@pytest.mark.parametrize(
    ("content", "rule", "says"),
    [
        (os.urandom(1000).replace(b"\n", b"") + b"\xff", "Y0", "not "),
        (b"\x7fELF\x02\x01\x01\x00", "Y02", "not valid YAML"),
        (BOMB.encode(), "Y04", "aliases add over"),
        (b"[" * 100_000, "Y04", "nested more than"),
        (b"a: 1\na: 2\n", "Y03", "already there"),
    ],
    ids=["random", "binary", "bomb", "deep", "duplicate"],
)
def test_files_that_are_no_manifests(repository: Path, content: bytes, rule: str, says: str) -> None:
    (repository / VICTIM).write_bytes(content)
    before = state(repository)
    ended = kre("validate", "--env", "dev", cwd=repository)
    assert (ended.code, ended.err) == (1, "")
    line = next(line for line in ended.out.splitlines() if line.startswith(VICTIM))
    assert f"error {rule}" in line
    assert says in line
    assert state(repository) == before


def test_an_empty_file(repository: Path) -> None:
    (repository / VICTIM).write_bytes(b"")
    ended = kre("validate", "--env", "dev", cwd=repository)
    assert ended.code == 1
    assert (
        "base/pipeline/manifests/kustomization.yaml:7:3: error K02: falco-eventsource.yaml holds no object" in ended.out
    )
    assert ended.out.count("error") == 2  # and the count in the last line: nothing that follows from it is reported


def test_a_file_of_100_mb(repository: Path) -> None:
    with (repository / VICTIM).open("wb") as file:
        file.truncate(100 * 2**20)
    ended = kre("validate", "--env", "dev", cwd=repository, timeout=30)
    assert (ended.code, ended.err) == (1, "")
    assert f"{VICTIM}:1:1: error Y01: the file can't be used: it has 100 MiB" in ended.out


def test_a_missing_folder(tmp_path: Path) -> None:
    one_line(kre("validate", "--root", "nowhere", cwd=tmp_path), 2, "nowhere: there is no such folder")


def test_a_file_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    one_line(kre("validate", "--root", "file", cwd=tmp_path), 2, "there is no such folder")


def test_nothing_to_check(tmp_path: Path) -> None:
    ended = kre("validate", "--root", ".", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err == "kre: no object was checked: is this the right folder?\n"


def path_without(folder: Path, *kept: str) -> dict[str, str]:
    """An environment whose PATH has only these programs, and whose cache is empty."""
    (folder / "bin").mkdir()
    for name in kept:
        found = shutil.which(name)
        assert found
        (folder / "bin" / name).symlink_to(found)
    (folder / "empty").mkdir()
    return {"PATH": str(folder / "bin"), "XDG_CACHE_HOME": str(folder / "empty")}


def test_no_kubectl_and_no_kustomize(repository: Path, tmp_path: Path) -> None:
    ended = kre("validate", cwd=repository, env=path_without(tmp_path, "git"))
    one_line(ended, 3, "kustomize or kubectl was not found")
    assert "install it" in ended.err


def test_no_kubeconform(repository: Path, tmp_path: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    env = path_without(tmp_path, "git", "kubectl")
    one_line(kre("validate", "--engine", "kubeconform", cwd=repository, env=env), 3, "kubeconform was not found")
    assert kre("validate", cwd=repository, env=env).code == 0


def script(folder: Path, name: str, text: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[ $1 = version ] && echo v5.8.1 || sleep 60", "did not end within 1 s and was stopped"),
        ("[ $1 = version ] && echo v3.0.0", "is version 3.0.0, older than 5.0.0"),
    ],
    ids=["hangs", "old"],
)
def test_a_kustomize_that(repository: Path, tmp_path: Path, text: str, says: str) -> None:
    env = path_without(tmp_path, "git", "sleep") | {"KRE_TOOL_TIMEOUT": "1"}
    script(tmp_path, "kustomize", text)
    one_line(kre("validate", cwd=repository, env=env, timeout=30), 3, says)


def test_a_kustomize_that_dies(repository: Path, tmp_path: Path) -> None:
    env = path_without(tmp_path, "git")
    script(tmp_path, "kustomize", "[ $1 = version ] && echo v5.8.1 || { echo 'Error: out of luck' >&2; exit 1; }")
    ended = kre("validate", "--env", "dev", cwd=repository, env=env)
    assert ended.code == 1
    assert ended.out.count("K01: Kustomize can't build it: out of luck") == 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[ $1 = -v ] && echo v0.8.0 || echo nonsense", "kubeconform failed (exit 0): nonsense"),
        ("[ $1 = -v ] && echo v0.8.0 || { echo boom >&2; exit 1; }", "kubeconform failed (exit 1): boom"),
        ("[ $1 = -v ] && echo v0.8.0 || echo '{\"resources\": []}'", "kubeconform did not answer for"),
    ],
    ids=["nonsense", "dies", "silent"],
)
def test_a_kubeconform_that(repository: Path, tmp_path: Path, text: str, says: str) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    env = path_without(tmp_path, "git", "kubectl")
    script(tmp_path, "kubeconform", text)
    one_line(kre("validate", "--engine", "kubeconform", cwd=repository, env=env), 3, says)


def test_not_a_git_repository(repository: Path) -> None:
    one_line(kre("init", cwd=repository), 2, "is not in a Git repository")
    one_line(kre("validate", "--changed-since", "main", cwd=repository), 2, "is not in a Git repository")
    assert kre("validate", cwd=repository).code == 0  # which needs none


def test_no_git(repository: Path, tmp_path: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    (repository / ".git").mkdir()
    env = path_without(tmp_path, "kubectl")
    ended = kre("init", cwd=repository, env=env)
    assert ended.code in (2, 3)
    assert "git" in ended.err.lower()
    assert kre("validate", cwd=repository, env=env).code == 0


@pytest.mark.parametrize("content", ["environments: [", "environments: {}", "", "environments:\n- nme: dev\n"])
def test_environments_that_can_not_be_read(repository: Path, content: str) -> None:
    (repository / "overlays/environments.yaml").write_text(content)
    one_line(kre("validate", cwd=repository), 2, "overlays/environments.yaml")


@pytest.mark.parametrize(
    "arguments", [["validate", "--engine", "magic"], ["validate", "--nonsense"], ["nonsense"], ["render"], ["explain"]]
)
def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    ended = kre(*arguments, cwd=tmp_path)
    assert ended.code == 2
    assert "Usage: kre" in ended.err


def test_interrupted(repository: Path, tmp_path: Path) -> None:
    import signal
    import subprocess
    import sys
    import time

    env = {**os.environ, **path_without(tmp_path, "git", "sleep", "touch")}
    script(tmp_path, "kustomize", f"[ $1 = version ] && echo v5.8.1 || {{ touch {tmp_path}/started; sleep 60; }}")
    process = subprocess.Popen(
        [sys.executable, "-m", "kre", "validate"], cwd=repository, env=env, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "started").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, err) == (130, "kre: interrupted\n")


def test_a_cache_that_can_not_be_written(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = kre("validate", cwd=repository, env={"XDG_CACHE_HOME": str(tmp_path / "file")})
    assert ended.code in (0, 3)  # 3 where kustomize is nowhere but in that cache
    if ended.code == 3:
        assert "was not found" in ended.err


def test_a_reader_that_has_enough(repository: Path) -> None:
    """`kre rules | head -1` ends without a word."""
    import subprocess
    import sys

    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "kre", "rules"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=repository,
    )
    os.close(writing)
    assert done.stderr == ""


def test_faults_of_our_own_are_one_line_too(repository: Path, tmp_path: Path) -> None:
    """A lock that is damaged stands for any fault of kre's: one line, and a traceback for those who ask for one."""
    import subprocess
    import sys

    code = (
        "import sys; import kre.rules.run as run; run.merge = lambda *_: 1 / 0;"
        "from kre.cli.main import main; sys.argv = ['kre', 'validate', '--no-cache']; sys.exit(main())"
    )
    for debug in ("", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=repository,
            env={**os.environ, "KRE_DEBUG": debug},
            check=False,
        )
        if debug:
            assert "Traceback" in done.stderr
        else:
            assert done.returncode == 3
            assert done.stderr.splitlines()[0] == "kre: ZeroDivisionError: division by zero"
            assert "please report it" in done.stderr
