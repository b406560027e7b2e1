"""base/ is dev's: whatever is edited there, what the other environments render stays as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kre.compare.radius import radius
from kre.load.bundle import load
from kre.model.bundle import Bundle
from support.repository import PROJECT, git

FILES = sorted(git(PROJECT, "ls-files", "base").splitlines())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository's bundle, committed, without a lock: locks name commits of this history."""
    folder = tmp_path_factory.mktemp("bundle") / "copy"
    for name in git(PROJECT, "ls-files", "base", "overlays", "apps", "kre.yaml", ".gitattributes").splitlines():
        if (PROJECT / name).is_file() and not name.endswith("release.lock.yaml"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "test: state")
    return folder


def rendered(bundle: Bundle) -> dict[str, list[object]]:
    return {
        environment.name: [(item.root, item.body) for item in bundle.of(environment.name)]
        for environment in bundle.environments
    }


def test_all_of_base_at_once(copy: Path, tmp_path: Path) -> None:
    """Every file of base/ spoilt: nothing but dev notices."""
    before = rendered(load(copy))
    spoilt = tmp_path / "spoilt"
    shutil.copytree(copy, spoilt)
    for name in FILES:
        (spoilt / name).write_text("spoilt: true\n")
    after = rendered(load(spoilt))
    first, *others = before
    assert others
    assert after[first] != before[first]
    assert {name: after[name] for name in others} == {name: before[name] for name in others}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), text=st.sampled_from(["\n# a word\n", "\nnew: 1\n", "\n---\n"]))
def test_one_file_of_base(copy: Path, name: str, text: str) -> None:
    path = copy / name
    before = path.read_bytes()
    try:
        path.write_bytes(before + text.encode())
        bundle = load(copy, since="HEAD")
        assert bundle.before is not None
        assert set(radius(bundle.before, bundle)) <= {bundle.environments[0].name}
    finally:
        path.write_bytes(before)


def test_no_other_environment_reads_a_file_of_base(copy: Path) -> None:
    bundle = load(copy)
    reads = {root.environment for root in bundle.roots if any(name.startswith("base/") for name in root.files)}
    assert reads == {bundle.environments[0].name}
