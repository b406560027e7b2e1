"""kre rbac: who may do what, why, and what a change adds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import kre
from support.repository import commit

ROLE = "base/responses/manifests/kre-delete-pod-clusterrole.yaml"
BINDING = "overlays/dev/leaves/targets/shop/kre-delete-pod-rolebinding.yaml"
PIPELINE = "base/responses/manifests/kustomization.yaml"
DELETE = ("rbac", "can", "kre-responses/delete-pod", "delete", "pods")


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_can_says_yes_and_names_the_lines(repository: Path) -> None:
    ended = kre(*DELETE, "-n", "shop", "--env", "dev", cwd=repository)
    assert (ended.code, ended.err) == (0, "")
    first, second, *_ = ended.out.splitlines()
    assert first == "dev: yes: ServiceAccount kre-responses/delete-pod, delete pods in shop"
    assert f"RoleBinding shop/kre-delete-pod ({BINDING}:11:3) -> ClusterRole kre-delete-pod ({ROLE}:6:3)" in second


def test_can_says_no_and_where_it_may(repository: Path) -> None:
    ended = kre(*DELETE, "-n", "kube-system", "--env", "dev", cwd=repository)
    assert ended.code == 1
    assert ended.out.splitlines()[:2] == [
        "dev: no: ServiceAccount kre-responses/delete-pod, delete pods in kube-system",
        "  it may in shop",
    ]


def test_can_is_no_where_one_environment_says_no(repository: Path) -> None:
    made = kre(*DELETE, "-n", "shop", "--format", "json", cwd=repository)
    found = json.loads(made.out)
    assert made.code == 1
    assert {one["environment"]: one["allowed"] for one in found["environments"]} == {"dev": True, "prod": False}
    (why,) = found["environments"][0]["why"]
    assert why["namespace"] == "shop"
    assert [step["place"] for step in why["chain"]] == [f"{BINDING}:11:3", f"{ROLE}:6:3"]


def test_can_knows_what_everybody_may(repository: Path) -> None:
    ended = kre("rbac", "can", "kre-responses/delete-pod", "get", "/api/v1", "--env", "dev", cwd=repository)
    assert ended.code == 0
    assert "comes with Kubernetes" in ended.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("get", "pods", "--name", "web"), 0),
        (("get", "pods/log"), 1),
        (("get", "pods.apps"), 1),
        (("deletecollection", "pods"), 1),
    ],
)
def test_can_asks_exactly(arguments: tuple[str, ...], code: int, repository: Path) -> None:
    verb, resource, *rest = arguments
    who = "kre-responses/delete-pod"
    assert kre("rbac", "can", who, verb, resource, *rest, "-n", "shop", "--env", "dev", cwd=repository).code == code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("kre-responses/delete-pot", "get", "pods"), "did you mean kre-responses/delete-pod?"),
        (("nobody", "get", "pods"), "write NAMESPACE/NAME"),
        (("kre-responses/delete-pod", "get", "pod"), "did you mean pods?"),
        (("kre-responses/delete-pod", "get", "/api", "-n", "shop"), "is a path"),
        (("kre-responses/delete-pod", "get", "pods", "--env", "moon"), "there is no environment moon"),
    ],
)
def test_what_cannot_be_asked(arguments: tuple[str, ...], says: str, repository: Path) -> None:
    ended = kre("rbac", "can", *arguments, cwd=repository)
    assert ended.code == 2
    assert says in ended.err


def test_show_lists_what_runs_and_what_it_may(repository: Path) -> None:
    out = kre("rbac", "show", "kre-responses/delete-pod", "--env", "dev", cwd=repository).out
    assert "  in shop:\n    get, delete pods\n" in out
    assert "system:discovery" not in out
    assert "system:discovery" in kre("rbac", "show", "kre-responses/delete-pod", "--all", cwd=repository).out


def test_show_says_what_it_does_not_know(repository: Path) -> None:
    found = json.loads(kre("rbac", "show", "--env", "dev", "--format", "json", cwd=repository).out)
    (dev,) = found["environments"]
    assert dev["charts"]
    assert {one["identity"] for one in dev["identities"]} >= {"ServiceAccount kre-responses/delete-pod"}
    assert "not in this: whatever RBAC these charts bring" in kre("rbac", "show", cwd=repository).out


def test_an_object_that_the_api_server_refuses_gives_nothing_and_is_named(repository: Path) -> None:
    edit(repository / BINDING, "name: delete-pod\n", "name: delete_pod\n")
    ended = kre("rbac", "show", "--env", "dev", cwd=repository)
    assert f"{BINDING}" in ended.out
    assert "is not what the API server takes: subjects[0].name" in ended.out


def test_the_second_run_sees_a_change(repository: Path) -> None:
    asked = (*DELETE, "-n", "shop", "--env", "dev")
    assert kre(*asked, cwd=repository).code == 0
    edit(repository / ROLE, "[get, delete]", "[get]")
    assert kre(*asked, cwd=repository).code == 1


def test_diff_names_a_widening_in_one_line(repository: Path) -> None:
    commit(repository)
    assert "dev: nobody gains or loses a right" in kre("rbac", "diff", cwd=repository).out
    edit(repository / ROLE, "[get, delete]", "[get, list, deletecollection]")
    out = kre("rbac", "diff", "--env", "dev", cwd=repository).out
    assert out.splitlines() == [
        "# dev",
        "+ ServiceAccount kre-responses/delete-pod may deletecollection, list pods in shop",
        "- ServiceAccount kre-responses/delete-pod may delete pods in shop",
    ]


def test_diff_of_two_environments(repository: Path) -> None:
    found = json.loads(kre("rbac", "diff", "prod", "dev", "--format", "json", cwd=repository).out)
    (dev,) = found["environments"]
    assert "ServiceAccount kre-responses/delete-pod may delete, get pods in shop" in dev["gained"]
    assert dev["lost"] == []


def test_an_environment_that_cannot_be_rendered(repository: Path) -> None:
    edit(repository / PIPELINE, "resources:", "resources:\n- nothing.yaml")
    ended = kre(*DELETE, "--env", "dev", cwd=repository)
    assert ended.code == 1
    assert "see: kre validate" in ended.err


def test_a_folder_of_manifests(tmp_path: Path) -> None:
    for name, kind, more in (
        ("r", "ClusterRole", 'rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]'),
        ("b", "ClusterRoleBinding", "roleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: Group, name: devs}]"),
    ):
        head = f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
        (tmp_path / f"{name}.yaml").write_text(head + more + "\n")
    ended = kre("rbac", "can", "group:devs", "get", "secrets", "-n", "x", "--root", str(tmp_path), cwd=tmp_path)
    assert (ended.code, ended.out.splitlines()[0]) == (0, "yes: a member of devs, get secrets in x")


def test_a_budget_is_drafted_kept_and_watched(repository: Path) -> None:
    budget = "overlays/dev/rbac-budget.yaml"
    ended = kre("rbac", "budget", "--env", "dev", cwd=repository)
    assert (ended.code, ended.out) == (1, "# dev: there is no budget; kre rbac budget --env dev --write drafts one\n")
    assert budget in kre("rbac", "budget", "--env", "dev", "--write", cwd=repository).out
    kept = "# dev: all that is granted is in the budget, and no more\n"
    ended = kre("rbac", "budget", "--env", "dev", cwd=repository)
    assert (ended.code, ended.out) == (0, kept)
    edit(repository / ROLE, "[get, delete]", "[get, list]")
    ended = kre("rbac", "budget", "--env", "dev", cwd=repository)
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "# dev",
        "+ ServiceAccount kre-responses/delete-pod may list pods in shop, which is not in the budget",
        "- ServiceAccount kre-responses/delete-pod may delete pods in shop is in the budget, and not granted",
    ]
    found = json.loads(kre("rbac", "budget", "--env", "dev", "--format", "json", cwd=repository).out)
    assert [len(found["environments"][0][field]) for field in ("over", "unused")] == [1, 1]


def test_who_may_and_where(repository: Path) -> None:
    out = kre("rbac", "who", "delete", "pods", cwd=repository).out
    assert out.startswith(
        "dev: delete pods:\n  in shop: ServiceAccount kre-responses/delete-pod\nprod: delete pods: nobody\n"
    )
    found = json.loads(kre("rbac", "who", "get", "/api", "--env", "dev", "--format", "json", cwd=repository).out)
    (dev,) = found["environments"]
    assert "ServiceAccount kre-responses/delete-pod" in dev["everywhere"]
    assert dev["in"] == {}


def test_what_is_gained_is_accepted_by_its_digest(repository: Path) -> None:
    release = "overlays/prod/release/responses/manifests/kre-delete-pod-clusterrole.yaml"
    target = "overlays/prod/leaves/responses"
    (repository / target / "binding.yaml").write_text((repository / BINDING).read_text())
    leaf = repository / target / "kustomization.yaml"
    leaf.write_text(f"{leaf.read_text()}\n")
    text = leaf.read_text()
    leaf.write_text(text.replace("resources:\n", "resources:\n- binding.yaml\n", 1))
    commit(repository)
    edit(repository / release, "[get, delete]", "[get, delete, list]")
    arguments = ("rbac", "diff", "HEAD", "--env", "prod")
    out = kre(*arguments, "--accept", "agreed with shop", cwd=repository).out
    assert "+ ServiceAccount kre-responses/delete-pod may list pods in shop\n" in out
    accepted = repository / "overlays/prod/accepted-risks.yaml"
    assert "accepted in overlays/prod/accepted-risks.yaml\n" in out
    before = accepted.read_text()
    assert "kind: rbac-widened" in before
    assert "agreed with shop" in before
    assert "accepted in" not in kre(*arguments, "--accept", "again", cwd=repository).out
    assert accepted.read_text() == before
    edit(repository / release, "[get, delete, list]", "[get, delete, list, watch]")
    assert "accepted in" in kre(*arguments, "--accept", "and watch", cwd=repository).out
    assert kre("rbac", "diff", "HEAD", "HEAD~0", "--accept", "x", cwd=repository).code == 2


NEEDS = "base/responses/manifests/needs.yaml"


def test_need_shows_what_needs_a_right_and_what_grants_it(repository: Path) -> None:
    ended = kre("rbac", "need", "kre-responses/delete-pod", "--env", "dev", cwd=repository)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[:2] == [
        "# dev",
        "ServiceAccount kre-responses/delete-pod: holds what it needs, and nothing else",
    ]
    assert "  get, delete pods in shop" in ended.out
    assert (
        f"respond.py deletes the pod (base/responses/manifests/delete-pod-workflowtemplate.yaml:17:5, {NEEDS}:5:5)"
        in ended.out
    )
    assert f"ClusterRole kre-delete-pod ({ROLE}:6:3)" in ended.out


def test_need_ends_with_1_and_says_what_differs(repository: Path) -> None:
    edit(repository / ROLE, "verbs: [get, delete]", "verbs: [get, list]")
    ended = kre("rbac", "need", "kre-responses/delete-pod", "--env", "dev", cwd=repository)
    assert ended.code == 1
    assert "  - delete pods in shop is missing" in ended.out
    assert "  + list pods in shop is not needed" in ended.out
    made = kre("rbac", "need", "kre-responses/delete-pod", "--env", "dev", "--format", "json", cwd=repository)
    assert made.code == 1
    (one,) = json.loads(made.out)["environments"][0]["identities"]
    assert (one["fine"], [lack["verb"] for lack in one["missing"]]) == (False, ["delete"])
    (excess,) = one["excess"]
    assert (excess["verb"], excess["namespace"]) == ("list", "shop")
    assert [step["place"] for step in excess["grantedBy"]] == [f"{BINDING}:11:3", f"{ROLE}:6:3"]
    wanted = [need for need in one["needs"] if (need["level"], need["resource"]) == ("required", "pods")]
    assert {need["declared"] for need in wanted} == {f"{NEEDS}:5:5"}


def test_need_of_whom_nobody_can_tell_is_what_the_budget_says(repository: Path) -> None:
    edit(repository / NEEDS, "- file: dispatcher.py", "- file: another.py")
    who = ("rbac", "need", "kre-pipeline/dispatcher", "--env", "dev")
    ended = kre(*who, cwd=repository)
    assert ended.code == 1
    assert "what it needs nobody can tell; no budget says what it may hold" in ended.out
    assert kre("rbac", "budget", "--env", "dev", "--write", cwd=repository).code == 0
    ended = kre(*who, cwd=repository)
    assert ended.code == 0
    assert "what it needs nobody can tell; a budget says what it may hold" in ended.out


def test_need_of_all_and_of_somebody_who_is_not_there(repository: Path) -> None:
    ended = kre("rbac", "need", cwd=repository)
    assert ended.code == 0
    assert "ServiceAccount kre-pipeline/eventsource: needs nothing, and holds nothing" in ended.out
    ended = kre("rbac", "need", "kre-responses/delete-pot", cwd=repository)
    assert ended.code == 2
    assert "did you mean kre-responses/delete-pod?" in ended.err
