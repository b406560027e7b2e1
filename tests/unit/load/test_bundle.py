"""Loading: what is rendered, what is left out, and errors that end it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from kre.errors import ToolError, UsageError
from kre.load.bundle import load
from kre.load.render import Renderer
from support.repository import commit


def test_environments(repository: Path) -> None:
    bundle = load(repository)
    assert [item.name for item in bundle.environments] == ["dev", "prod"]
    assert {root.path for root in bundle.roots if root.environment == "prod"} == {
        *("apps/prod", "overlays/prod", "overlays/prod/leaves/pipeline"),
        *("overlays/prod/leaves/responses", "overlays/prod/leaves/targets"),
    }
    assert bundle.problems == ()


def test_only_what_is_asked_for_is_rendered(repository: Path) -> None:
    assert {root.environment for root in load(repository, ["prod"]).roots} == {"prod"}
    with pytest.raises(UsageError, match="no environment test") as caught:
        load(repository, ["test"])
    assert caught.value.hint == "there are: dev, prod"


def test_objects_without_a_namespace_get_their_applications(repository: Path) -> None:
    path = repository / "base/pipeline/manifests/eventsource-serviceaccount.yaml"
    path.write_text(path.read_text().replace("  namespace: kre-pipeline\n", ""))
    account = next(item for item in load(repository, ["dev"]).resources if item.name == "eventsource")
    assert "namespace" not in account.metadata
    assert account.namespace == "kre-pipeline"


def test_facts_are_no_object(repository: Path) -> None:
    assert "Environment" not in {resource.kind for resource in load(repository).resources}


def test_origin_annotations_are_taken_off(repository: Path) -> None:
    assert "config.kubernetes.io/origin" not in str([resource.body for resource in load(repository).resources])


def test_no_kustomize_at_all(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from kre.doors import tools

    monkeypatch.setattr(tools, "folder", lambda: tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="kustomize or kubectl was not found"):
        load(repository)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("environments: []", "must be a list of entries that have a name"),
        ("environments: [{from: dev}]", "must be a list"),
        ("- dev", "must be a list"),
        ("environments: [{name: a}, {name: a}]", "two environments have the same name"),
        ("environments: [{name: ../x}]", "must be a list"),
        ("environments: [", "overlays/environments.yaml:2:1: not valid YAML"),
    ],
)
def test_environments_that_can_not_be_read(repository: Path, content: str, says: str) -> None:
    (repository / "overlays/environments.yaml").write_text(content)
    with pytest.raises(UsageError) as caught:
        load(repository)
    assert says in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        load(tmp_path / "nothing")


def test_an_environment_without_folders(repository: Path) -> None:
    shutil.rmtree(repository / "apps/prod")
    shutil.rmtree(repository / "overlays/prod")
    problems = load(repository).problems
    assert {(item.rule, item.place.path, item.environments) for item in problems} == {
        ("K02", "apps/prod", ("prod",)),
        ("K02", "overlays/prod", ("prod",)),
        ("Y01", "overlays/prod/environment/environment.yaml", ()),
    }


def test_plain_manifests_and_roots(tmp_path: Path) -> None:
    (tmp_path / "app/base").mkdir(parents=True)
    (tmp_path / "app/kustomization.yaml").write_text("namePrefix: x-\nresources: [base]\n")
    (tmp_path / "app/base/kustomization.yaml").write_text("resources: [cm.yaml]\n")
    (tmp_path / "app/base/cm.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
    (tmp_path / "loose.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\nno: object\n")
    (tmp_path / "list.yml").write_text(
        "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}, {kind: x}]"
    )
    (tmp_path / "values.yaml").write_text("replicas: 1")
    bundle = load(tmp_path)
    assert {(item.name, item.root) for item in bundle.resources} == {
        ("x-a", "app"),
        ("b", "loose.yaml"),
        ("c", "list.yml"),
        ("", "list.yml"),
    }


def test_a_component_alone_is_not_rendered(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("kind: Component\npatches: [{path: p.yaml}]\n")
    (tmp_path / "p.yaml").write_text("[]")
    bundle = load(tmp_path)
    assert bundle.resources == ()
    assert bundle.problems == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_what_may_not_be_read(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import git  # noqa: F401 - now: later nobody could read it

    from kre.doors import tools

    path = tools.require(tools.KUSTOMIZE, tools.KUBECTL)[1]
    shutil.copy(path, repository.parent)  # wherever it is, root alone may go there
    monkeypatch.setattr(tools, "folder", lambda: repository.parent)
    for folder in repository.parents:
        if folder.owner() == "root" and folder.is_relative_to("/tmp"):
            folder.chmod(0o755)
    (repository / "base/pipeline/manifests").chmod(0o700)
    (repository.parent / "scratch").mkdir()
    (repository.parent / "scratch").chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(repository.parent / "scratch"))
    monkeypatch.chdir(repository.parent)
    os.seteuid(65534)
    try:
        problems = load(repository).problems
    finally:
        os.seteuid(0)
    assert ("Y01", "base/pipeline/manifests") in {(problem.rule, problem.place.path) for problem in problems}


@pytest.mark.parametrize(
    "path",
    [
        "base/responses/manifests/settings.env",
        "base/responses/manifests/respond.py",
        "base/responses/manifests/kustomization.yaml",
        "overlays/prod/environment/environment.yaml",
        "overlays/dev/leaves/targets/kustomization.yaml",
    ],
)
def test_what_did_not_change_is_not_rendered_again_and_the_rest_is(
    repository: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older revision is the same whether or not the newer one's roots were at hand."""
    text = (repository / path).read_text()
    alone = load(repository)
    commit(repository)
    (repository / path).write_text(f"{text}# changed\n")
    started: list[str] = []
    start = Renderer.start

    def noted(self: Renderer, folder: str) -> None:
        started.append(folder)
        start(self, folder)

    monkeypatch.setattr(Renderer, "start", noted)
    before = load(repository, since="HEAD").before
    assert before is not None
    assert [(item.body, item.root, item.namespace) for item in before.resources] == [
        (item.body, item.root, item.namespace) for item in alone.resources
    ]
    assert before.sources.keys() == alone.sources.keys()
    again = [folder for folder in started if started.count(folder) > 1]
    changed = {root.path for root in alone.roots if path in root.files}
    assert set(again) == changed
    assert changed
