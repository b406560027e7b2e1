"""kre target, kre response: every file that has to agree changes, all at once, and back again to the byte."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from support.cli import Ended, kre
from support.layout import build, state, write
from support.repository import git

TARGETS = "overlays/dev/leaves/targets"
LEAF = "overlays/dev/leaves/responses/kustomization.yaml"
FACTS = "overlays/dev/environment/environment.yaml"
PROJECT = "apps/dev/kre-dev-appproject.yaml"


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return build(tmp_path / "engine")


def value(root: Path, path: str) -> dict:
    return yaml.safe_load((root / path).read_text())


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def complaints(root: Path) -> list[str]:
    """What `kre validate` has against the edited files. The fixture has no Applications (X17), nor a history (R2),
    and little to run as (E03, E13, R035, R036)."""
    found = json.loads(kre("validate", "--format", "json", cwd=root).out)
    assert found["checked"]["objects"] > 5
    told = [item for item in found["findings"] if item["rule"] not in ("X17", "R2", "E03", "E13", "R035", "R036")]
    return [item["message"] for item in told]


def refused(ended: Ended, says: str, hint: str = "") -> None:
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err.splitlines()[0]
    assert hint in ended.err
    assert len(ended.err.splitlines()) <= 2


@pytest.mark.parametrize("env", ["dev", "prod"])
@pytest.mark.parametrize("names", [["shop"], ["shop", "123", "on"]], ids=len)
def test_add_then_remove_restores_every_byte(engine: Path, env: str, names: list[str]) -> None:
    before = state(engine)
    for name in names:
        assert kre("target", "add", name, "--env", env, cwd=engine).code == 0
    assert complaints(engine) == []
    facts = value(engine, f"overlays/{env}/environment/environment.yaml")["spec"]
    assert (facts["targets"], facts["targetPattern"]) == (names, f"^({'|'.join(names)})$")
    for name in names:
        assert kre("target", "remove", name, "--env", env, cwd=engine).code == 0
    assert state(engine) == before
    assert complaints(engine) == []
    assert not (engine / f"overlays/{env}/leaves/targets/shop").exists()


def test_what_a_target_is(engine: Path) -> None:
    kre("response", "enable", "isolate-pod", "--env", "dev", cwd=engine)
    before = state(engine)
    ended = kre("target", "add", "shop", "--env", "dev", cwd=engine)
    assert "an admin applies the project before you push: kubectl apply -k apps/dev" in ended.out
    listed = [
        *("kre-dispatcher-rolebinding.yaml", "kre-delete-pod-rolebinding.yaml", "kre-isolate-pod-rolebinding.yaml"),
        "kre-quarantine-networkpolicy.yaml",
    ]
    assert value(engine, f"{TARGETS}/shop/kustomization.yaml")["resources"] == listed
    made = [f"{TARGETS}/shop/{name}" for name in ("kustomization.yaml", *listed)]
    shared = [PROJECT, FACTS, f"{TARGETS}/kustomization.yaml"]
    assert changed(before, state(engine)) == sorted([*made, *shared])
    for path in made:
        body = value(engine, path)
        if body["kind"] == "RoleBinding":
            name = path.split("/kre-")[1].removesuffix("-rolebinding.yaml")
            home = "kre-pipeline" if name == "dispatcher" else "kre-responses"
            assert body["metadata"] == {"name": f"kre-{name}", "namespace": "shop"}
            assert (body["roleRef"]["kind"], body["roleRef"]["name"]) == ("ClusterRole", f"kre-{name}")
            assert body["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": home}]
    policy = value(engine, f"{TARGETS}/shop/kre-quarantine-networkpolicy.yaml")
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"kre/quarantine": "true"}},
        "policyTypes": ["Ingress", "Egress"],
    }
    project = (engine / PROJECT).read_text()
    assert "  # targets\n  - {server: CLUSTER, namespace: shop}\n  namespaceResourceWhitelist" in project


def test_the_last_target_leaves_what_matches_nothing(engine: Path) -> None:
    """From a repository that came with a target, in the form of one that never had any."""
    empty = state(engine)
    (engine / FACTS).write_text(
        (engine / FACTS)
        .read_text()
        .replace("targets: []\n  targetPattern: $.^", "targets: [shop]\n  targetPattern: '^(shop)$'")
    )
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    kre("target", "remove", "shop", "--env", "dev", cwd=engine)
    assert changed(empty, state(engine)) == [FACTS]
    assert "  targets: []\n  targetPattern: '$.^' #" in (engine / FACTS).read_text()
    assert "resources: []\n" in (engine / f"{TARGETS}/kustomization.yaml").read_text()


def test_twice_is_once_and_what_is_missing_is_made(engine: Path) -> None:
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    before = state(engine)
    again = kre("target", "add", "shop", "--env", "dev", cwd=engine)
    assert again.code == 0
    assert {line.partition("  ")[0] for line in again.out.splitlines()} == {"as it was"}
    (engine / f"{TARGETS}/shop/kre-delete-pod-rolebinding.yaml").unlink()
    (engine / PROJECT).write_text(
        (engine / PROJECT).read_text().replace("  - {server: CLUSTER, namespace: shop}\n", "")
    )
    listed = kre("target", "list", "--env", "dev", cwd=engine)
    assert listed.out == "shop  lacks kre-delete-pod-rolebinding.yaml\n"
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    assert state(engine) == before
    assert kre("target", "list", "--env", "dev", cwd=engine).out == "shop\n"


def test_remove_what_is_no_target(engine: Path) -> None:
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    before = state(engine)
    for name, says in (("shopp", "did you mean shop?"), ("kre-pipeline", "there are: shop")):
        ended = kre("target", "remove", name, "--env", "dev", cwd=engine)
        assert (ended.code, "next:" in ended.out, says in ended.err) == (0, False, True)
    assert state(engine) == before


def test_a_destination_that_something_else_needs_stays(engine: Path) -> None:
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {destination: {namespace: shop}}\n"
    write(engine, {"overlays/dev/demo-application.yaml": text})
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    ended = kre("target", "remove", "shop", "--env", "dev", cwd=engine)
    assert f"the destination shop stays in {PROJECT}: overlays/dev/demo-application.yaml goes there" in ended.err
    assert "namespace: shop" in (engine / PROJECT).read_text()
    assert "an admin" not in ended.out


def test_a_file_that_is_not_ours_is_not_lost(engine: Path) -> None:
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    write(engine, {f"{TARGETS}/shop/mine.yaml": "a: 1\n"})
    before = state(engine)
    refused(kre("target", "remove", "shop", "--env", "dev", cwd=engine), f"{TARGETS}/shop/mine.yaml is none of")
    assert state(engine) == before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        *(
            (name, f"namespace {name} is protected")
            for name in ("kube-system", "argocd", "argo", "falco", "kre-responses")
        ),
        *((name, f"namespace {name} is protected") for name in ("kre-pipeline", "gitops", "vault", "monitoring")),
        *(
            (name, "can be no namespace's name")
            for name in ("Shop", "a.b", "../x", "-a-", "", "x" * 64, "a\nb", "shop|")
        ),
    ],
)
def test_what_can_be_no_target(engine: Path, name: str, says: str) -> None:
    before = state(engine)
    refused(kre("target", "add", "--env", "dev", "--", name, cwd=engine), says)
    assert state(engine) == before


def test_doubts(engine: Path) -> None:
    assert "lands in default" in kre("target", "add", "default", "--env", "dev", cwd=engine).err
    assert "no response is enabled in prod" in kre("target", "add", "shop", "--env", "prod", cwd=engine).err


def test_an_environment_that_is_not_there(engine: Path) -> None:
    for command in (["target", "add", "x"], ["response", "enable", "delete-pod"], ["target", "list"]):
        refused(kre(*command, "--env", "prd", cwd=engine), "there is no environment prd", "did you mean prod?")


@pytest.mark.parametrize("path", [FACTS, PROJECT, f"{TARGETS}/kustomization.yaml"])
def test_one_file_that_can_not_be_edited_leaves_all_as_they_were(engine: Path, path: str) -> None:
    (engine / path).write_text((engine / path).read_text() + "\nx: &a 1\ny: *a\n")
    before = state(engine)
    refused(kre("target", "add", "shop", "--env", "dev", cwd=engine), f"{path}:")
    assert state(engine) == before
    (engine / path).unlink()
    refused(kre("target", "add", "shop", "--env", "dev", cwd=engine), f"{path}: there is no such file")


def test_one_file_that_can_not_be_written_leaves_all_as_they_were(engine: Path) -> None:
    (engine / f"{TARGETS}/shop").write_text("a file where a folder should be")
    before = state(engine)
    refused(kre("target", "add", "shop", "--env", "dev", cwd=engine), "can't be written")
    assert state(engine) == before
    assert not [name for folder in ("apps/dev", TARGETS) for name in os.listdir(engine / folder) if name[0] == "."]


def test_crlf_stays(engine: Path) -> None:
    for path in (FACTS, PROJECT, LEAF, f"{TARGETS}/kustomization.yaml"):
        (engine / path).write_bytes((engine / path).read_bytes().replace(b"\n", b"\r\n").rstrip())
    before = state(engine)
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    for path in (FACTS, PROJECT, f"{TARGETS}/kustomization.yaml"):
        raw = (engine / path).read_bytes()
        assert raw.count(b"\n") == raw.count(b"\r\n") == before[path].count(b"\n") + 1
        assert raw[-1:] != b"\n"
    kre("target", "remove", "shop", "--env", "dev", cwd=engine)
    assert state(engine) == before


def test_a_dry_run_is_what_happens(engine: Path, snapshot: SnapshotAssertion) -> None:
    before = state(engine)
    diff = kre("target", "add", "shop", "--env", "dev", "--dry-run", cwd=engine).out
    assert diff == snapshot
    assert state(engine) == before
    git(engine, "init", "--quiet")
    (engine.parent / "diff").write_text(diff)
    git(engine, "apply", str(engine.parent / "diff"))
    applied = state(engine)
    removal = kre("target", "remove", "shop", "--env", "dev", "--dry-run", cwd=engine).out
    assert state(engine) == applied
    (engine.parent / "removal").write_text(removal)
    git(engine, "apply", str(engine.parent / "removal"))
    assert state(engine) == before
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    assert state(engine) == applied


def test_output(engine: Path, snapshot: SnapshotAssertion) -> None:
    runs = [
        ["target", "list", "--env", "dev"],
        ["target", "add", "shop", "--env", "dev"],
        ["target", "add", "shop", "--env", "dev"],
        ["target", "add", "till", "--env", "dev", "--format", "json"],
        ["target", "list", "--env", "dev", "--format", "json"],
        ["response", "enable", "isolate-pod", "--env", "dev"],
        ["response", "disable", "delete-pod", "--env", "dev", "--format", "json"],
        ["response", "list", "--env", "dev"],
        ["response", "list", "--env", "prod", "--format", "json"],
        ["target", "remove", "till", "--env", "dev"],
    ]
    ended = [kre(*run, cwd=engine) for run in runs]
    assert {end.code for end in ended} == {0}
    assert [(" ".join(run), end.out, end.err) for run, end in zip(runs, ended, strict=True)] == snapshot


# ---- responses


@pytest.mark.parametrize(
    ("env", "folder"),
    [("dev", "../../../../base/responses/options"), ("prod", "../../release/responses/options")],
)
def test_enable_then_disable_restores_every_byte(engine: Path, env: str, folder: str) -> None:
    for name in ("shop", "till"):
        kre("target", "add", name, "--env", env, cwd=engine)
    before = state(engine)
    assert kre("response", "enable", "isolate-pod", "--env", env, cwd=engine).code == 0
    leaf = f"overlays/{env}/leaves/responses/kustomization.yaml"
    assert value(engine, leaf)["components"][-2:] == [f"{folder}/isolate-pod", "../../environment"]
    targets = f"overlays/{env}/leaves/targets"
    for name in ("shop", "till"):
        body = value(engine, f"{targets}/{name}/kre-isolate-pod-rolebinding.yaml")
        assert body["metadata"]["namespace"] == name
        listed = value(engine, f"{targets}/{name}/kustomization.yaml")["resources"]
        assert listed.index("kre-isolate-pod-rolebinding.yaml") == listed.index("kre-quarantine-networkpolicy.yaml") - 1
    assert complaints(engine) == []
    after = state(engine)
    again = kre("response", "enable", "isolate-pod", "--env", env, cwd=engine)
    assert (again.code, "changed" in again.out, state(engine)) == (0, False, after)
    assert kre("response", "disable", "isolate-pod", "--env", env, cwd=engine).code == 0
    assert state(engine) == before


def test_disable_then_enable_restores_every_byte(engine: Path) -> None:
    kre("response", "enable", "isolate-pod", "--env", "dev", cwd=engine)
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    before = state(engine)
    kre("response", "disable", "delete-pod", "--env", "dev", cwd=engine)
    assert "delete-pod" not in (engine / LEAF).read_text()
    assert not (engine / f"{TARGETS}/shop/kre-delete-pod-rolebinding.yaml").exists()
    assert complaints(engine) == []
    kre("response", "enable", "delete-pod", "--env", "dev", cwd=engine)
    assert state(engine) == before


def test_a_target_made_before_is_as_one_made_after(engine: Path) -> None:
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    kre("response", "enable", "isolate-pod", "--env", "dev", cwd=engine)
    early = state(engine)
    kre("target", "remove", "shop", "--env", "dev", cwd=engine)
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    assert state(engine) == early


def test_the_way_back_is_asked_for(engine: Path) -> None:
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    says = "isolate-pod is enabled and release-pod is not"
    assert says in kre("response", "enable", "isolate-pod", "--env", "dev", cwd=engine).err
    assert kre("response", "enable", "release-pod", "--env", "dev", cwd=engine).err == ""
    assert (engine / f"{TARGETS}/shop/kre-release-pod-rolebinding.yaml").exists()
    assert says in kre("response", "disable", "release-pod", "--env", "dev", cwd=engine).err
    assert not (engine / f"{TARGETS}/shop/kre-release-pod-rolebinding.yaml").exists()
    assert kre("response", "disable", "isolate-pod", "--env", "dev", cwd=engine).err == ""
    assert kre("response", "enable", "delete-pod", "--env", "dev", cwd=engine).err == ""


def test_what_is_not_promoted_is_not_enabled(engine: Path) -> None:
    before = state(engine)
    ended = kre("response", "enable", "notify", "--env", "prod", cwd=engine)
    refused(
        ended, "notify is not in overlays/prod/release/responses/options", "promote the component responses from dev"
    )
    assert state(engine) == before
    assert kre("response", "enable", "notify", "--env", "dev", cwd=engine).code == 0


@pytest.mark.parametrize("verb", ["enable", "disable"])
@pytest.mark.parametrize("name", ["delet-pod", "../options/delete-pod", ".", ""])
def test_what_is_no_response(engine: Path, verb: str, name: str) -> None:
    before = state(engine)
    refused(kre("response", verb, name, "--env", "dev", cwd=engine), f"there is no response {name}")
    assert state(engine) == before


def test_the_facts_come_last(engine: Path) -> None:
    (engine / LEAF).write_text((engine / LEAF).read_text().replace("- ../../environment\n", ""))
    refused(kre("response", "enable", "isolate-pod", "--env", "dev", cwd=engine), "../../environment is not among")


def test_a_response_that_is_gone_from_base_can_be_disabled(engine: Path) -> None:
    folder = engine / "base/responses/options/delete-pod"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert kre("response", "list", "--env", "dev", cwd=engine).out.startswith("enabled       delete-pod\n")
    assert kre("response", "disable", "delete-pod", "--env", "dev", cwd=engine).code == 0
    assert "delete-pod" not in (engine / LEAF).read_text()
