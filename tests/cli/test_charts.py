"""Charts' RBAC, rendered by a real Helm from a real chart repository on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kre.doors import tools
from support import charts
from support.charts import TEMPLATES, Repository, packed
from support.cli import Ended, kre

DEV = "overlays/dev/environment/environment.yaml"
PLACE = "base/falcosidekick/application.yaml:22:5"
WATCHES = ("rbac", "can", "falco/falcosidekick", "list", "pods", "-n", "shop", "--env", "dev")

pytestmark = pytest.mark.skipif(
    tools.locate(tools.HELM) is None, reason="NOT TESTED: what charts bring, for there is no helm: make tools-helm"
)


@pytest.fixture
def served() -> Iterator[Repository]:
    with charts.repository() as known:
        known.put(packed())
        yield known


@pytest.fixture
def installing(repository: Path, served: Repository) -> Path:
    """The small repository, whose dev has its charts from there."""
    edit(repository / DEV, "https://falcosecurity.github.io/charts", served.url)
    return repository


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def pin(folder: Path, served: Repository, digest: str) -> None:
    entry = {"repository": served.url, "chart": charts.NAME, "version": charts.VERSION, "sha256": digest}
    config = folder / "kre.yaml"
    config.write_text(f"{config.read_text(encoding='utf-8')}charts:\n- {json.dumps(entry)}\n", encoding="utf-8")


def asked(folder: Path, *arguments: str) -> Ended:
    return kre(*arguments, "--charts", cwd=folder)


def test_without_charts_it_says_so(installing: Path, served: Repository) -> None:
    line = "not in this: whatever RBAC these charts bring: falcosidekick 0.14.0 (--charts renders them)\n"
    for arguments in (("validate",), ("rbac", "who", "delete", "pods")):
        assert kre(*arguments, cwd=installing).out.endswith(line)
    assert "there is no ServiceAccount falco/falcosidekick" in kre(*WATCHES, cwd=installing).err
    assert served.asked == []


def test_a_chart_s_identity_is_asked_about_like_any_other(installing: Path, served: Repository) -> None:
    ended = asked(installing, *WATCHES)
    digest = served.put(packed())
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "dev: yes: ServiceAccount falco/falcosidekick, list pods in shop",
        f"  get, list pods: ClusterRoleBinding falcosidekick ({PLACE}) -> ClusterRole falcosidekick ({PLACE})",
        f"with the RBAC of chart falcosidekick 0.14.0, sha256:{digest} (as seen, for kre.yaml pins none)",
    ]
    shown = asked(installing, "rbac", "show", "falco/falcosidekick", "--env", "dev").out
    assert f"runs Deployment falco/falcosidekick ({PLACE})" in shown
    who = asked(installing, "rbac", "who", "list", "pods", "--env", "dev").out
    assert "everywhere: ServiceAccount falco/falcosidekick" in who
    assert served.asked.count("falcosidekick-0.14.0.tgz") == 1


def test_values_of_the_environment_count(installing: Path) -> None:
    values = installing / "overlays/dev/values/falcosidekick.yaml"
    values.write_text("watched: [secrets]\n")
    assert asked(installing, *WATCHES).code == 1
    values.write_text("watched: [pods, secrets]\n")
    assert asked(installing, *WATCHES).code == 0


def test_parameters_and_values_in_the_application_count(installing: Path) -> None:
    application, name = installing / "base/falcosidekick/application.yaml", "      releaseName: "
    edit(application, f"{name}falcosidekick\n", f"{name}sidekick\n      values: |\n        watched: [pods]\n")
    who = (*WATCHES[:2], "falco/sidekick", *WATCHES[3:])
    assert asked(installing, *who).code == 0
    edit(application, name, f"      parameters:\n      - {{name: 'watched[0]', value: secrets}}\n{name}")
    assert asked(installing, *who).code == 1


def test_the_budget_covers_what_charts_grant(installing: Path) -> None:
    budget = ("rbac", "budget", "--env", "dev")
    kre(*budget, "--write", cwd=installing)
    assert kre(*budget, cwd=installing).code == 0
    ended = asked(installing, *budget)
    assert ended.code == 1
    over = "+ ServiceAccount falco/falcosidekick may list pods in every namespace, which is not in the budget\n"
    assert over in ended.out
    found = json.loads(asked(installing, "validate", "--env", "dev", "--format", "json").out)["findings"]
    places = {f"{one['path']}:{one['line']}:{one['column']}" for one in found if one["rule"] == "E02"}
    assert places == {PLACE}
    asked(installing, *budget, "--write")
    assert asked(installing, *budget).code == 0
    assert "E02" not in kre("validate", "--env", "dev", cwd=installing).out  # unseen is not unused


def test_an_archive_is_the_one_that_is_pinned(installing: Path, served: Repository) -> None:
    digest = served.put(packed())
    pin(installing, served, digest)
    out = asked(installing, "validate", "--env", "dev").out
    assert f"with the RBAC of chart falcosidekick 0.14.0, sha256:{digest} (as pinned)" in out
    edit(installing / "kre.yaml", digest, "0" * 64)
    ended = asked(installing, "validate", "--env", "dev")
    assert (ended.code, ended.out) == (1, "")
    line = len((installing / "kre.yaml").read_text().splitlines())
    assert f"kre.yaml:{line}:3: the archive of chart falcosidekick 0.14.0 has sha256:{digest}" in ended.err
    assert f"kre.yaml pins sha256:{'0' * 64}" in ended.err


def test_an_archive_that_was_exchanged_is_noticed(installing: Path, cache_of_its_own: Path) -> None:
    assert asked(installing, *WATCHES).code == 0
    (kept,) = cache_of_its_own.rglob("*.tgz")
    kept.write_bytes(packed({"role": TEMPLATES["role"]}))
    ended = asked(installing, *WATCHES)
    assert ended.code == 1
    assert "this machine first saw sha256:" in ended.err


def test_what_cannot_be_had_or_rendered_is_said(installing: Path, served: Repository) -> None:
    served.archives.clear()
    ended = asked(installing, "validate", "--env", "dev")
    assert ended.code == 0
    assert "not in this: whatever RBAC chart falcosidekick 0.14.0 brings: helm can't fetch it from" in ended.out
    served.put(packed({"role": '{{ fail "no watched things" }}'}))
    out = asked(installing, "validate", "--env", "dev").out
    assert "brings: helm can't render falcosidekick-0.14.0.tgz:" in out
    assert "no watched things" in out


def test_a_values_file_that_is_elsewhere(installing: Path) -> None:
    edit(installing / "base/falcosidekick/application.yaml", "$values/ROOT", "presets/ROOT")
    out = asked(installing, "rbac", "who", "list", "pods", "--env", "dev").out
    assert "brings: values file presets/overlays/dev/values/falcosidekick.yaml of Application" in out


def test_without_helm(installing: Path, tmp_path: Path, cache_of_its_own: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("kubectl", "git"):
        (bare / name).symlink_to(Path(tools.command.find(name) or name))
    link = cache_of_its_own / "kre/bin"
    if link.is_symlink():
        link.unlink()
    ended = kre("validate", "--charts", "--env", "dev", cwd=installing, env={"PATH": str(bare)})
    assert ended.code == 0
    assert "whatever RBAC chart falcosidekick 0.14.0 brings: helm was not found" in ended.out
