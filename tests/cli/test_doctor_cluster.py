"""kre doctor --cluster, with a double of kubectl and of what stands behind it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from kre.cluster.checks.run import CHECKS
from kre.cluster.wanted import wanted
from kre.load.bundle import load
from support import kubectl
from support.cli import Ended, kre
from support.cluster import CANARY, Double, well
from support.repository import PROJECT

ARGUMENTS = ("doctor", "--cluster", "--timeout", "1")
HOPS = ["eventsource", "dispatcher", "workflow", "pod", "responder"]


@pytest.fixture
def double(repository: Path) -> Double:
    return well(wanted(load(repository, ["dev"]), "dev"))


@pytest.fixture
def doctor(repository: Path, double: Double, tmp_path: Path):
    """Runs it; nothing that it says has a token in it."""

    def run(*arguments: str, **plan: Any) -> Ended:
        env = kubectl.install(tmp_path / "double", double, **plan)
        ended = kre(*ARGUMENTS, *arguments, cwd=repository, env=env)
        assert CANARY not in ended.out + ended.err
        return ended

    return run


def timeless(text: str) -> str:
    return re.sub(r" +\d+ ms", "   N ms", re.sub(r'"milliseconds": \d+', '"milliseconds": N', text))


def hops(ended: Ended) -> dict[str, dict[str, Any]]:
    return {item["check"]: item for item in json.loads(ended.out)["checks"] if item["group"] == "probe"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_all_is_well(doctor, form: str, snapshot: SnapshotAssertion) -> None:
    ended = doctor("--format", form)
    assert (ended.code, ended.err) == (0, "")
    assert timeless(ended.out) == snapshot


def test_troubles(doctor, double: Double, snapshot: SnapshotAssertion) -> None:
    double.drop("EventSource", "falco", "kre-pipeline")
    double.drop("RoleBinding", "kre-delete-pod", "shop")
    double.find("ConfigMap", "settings", "kre-pipeline")["data"]["mode"] = "approve\x1b[31m"
    double.find("Secret", "falco-webhook-token", "kre-pipeline")["data"]["token"] = "bm9uZSBvZiB0aGVt"
    double.forbidden = {"/serviceaccounts/"}
    ended = doctor("--env", "dev")
    assert (ended.code, ended.err) == (1, "")
    assert "\x1b" not in ended.out
    assert timeless(ended.out) == snapshot


@pytest.mark.parametrize(
    ("plan", "failed", "found"),
    [
        ({"post": 500}, "eventsource", "answered 500"),
        ({"post": 401}, "eventsource", "answered 401"),
        ({"record": None}, "dispatcher", "no record of the alert within 1 s"),
        ({"record": {"outcome": "refused", "reason": "cap: 20 actions"}}, "dispatcher", "`refused`: cap: 20 actions"),
        ({"record": {"outcome": "failed", "reason": "403: Forbidden"}}, "dispatcher", "`failed`: 403: Forbidden"),
        ({"started": False}, "pod", "no pod of it runs within 1 s"),
        ({"ended": None}, "responder", "did not end within 1 s"),
        ({"ended": {}}, "responder", "it ended as Error without a record"),
        ({"ended": {"outcome": "deleted", "reason": "!"}}, "responder", "it recorded `deleted`"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_the_hop_that_fails_is_named(doctor, plan: dict[str, Any], failed: str, found: str) -> None:
    ended = doctor("--format", "json", **plan)
    assert ended.code == 1
    told = hops(ended)
    place = HOPS.index(failed)
    assert [told[name]["status"] for name in HOPS] == ["ok"] * place + ["failed"] + ["unknown"] * (4 - place)
    assert found in told[failed]["found"]
    assert told[failed]["next"]


@pytest.mark.parametrize(("forbidden", "last"), [("/log", "eventsource"), ("/workflows/", "dispatcher")])
def test_what_may_not_be_followed_is_unknown(doctor, double: Double, forbidden: str, last: str) -> None:
    double.forbidden = {forbidden}
    ended = doctor("--format", "json")
    told = hops(ended)
    place = HOPS.index(last) + 1
    assert [told[name]["status"] for name in HOPS] == ["ok"] * place + ["unknown"] * (5 - place)
    assert "it can't be followed" in told[HOPS[place]]["found"]
    assert ended.code == 0


def test_no_alert_is_sent_unless_it_may(doctor, tmp_path: Path) -> None:
    ended = doctor("--no-send", "--format", "json")
    assert ended.code == 0
    assert {item["status"] for item in hops(ended).values()} == {"unknown"}
    assert not (tmp_path / "double/alert.json").exists()


def test_in_approve_no_workflow_is_made(doctor, double: Double, tmp_path: Path) -> None:
    double.find("ConfigMap", "settings", "kre-pipeline")["data"]["mode"] = "approve"
    told = hops(doctor("--format", "json", record={"outcome": "gone", "reason": "there is no such pod"}))
    assert [told[name]["status"] for name in HOPS] == ["ok", "ok", "unknown", "unknown", "unknown"]
    assert "an hour for a person" in told["workflow"]["found"]
    sent = json.loads((tmp_path / "double/alert.json").read_text())
    assert "k8s.pod.uid" not in sent["output_fields"]


def test_without_a_target_it_is_followed_to_the_bus(doctor, double: Double, tmp_path: Path) -> None:
    double.drop("Namespace", "shop")
    told = hops(doctor("--format", "json"))
    assert [told[name]["status"] for name in HOPS] == ["ok", "unknown", "unknown", "unknown", "unknown"]
    assert "there is no target" in told["dispatcher"]["found"]
    sent = json.loads((tmp_path / "double/alert.json").read_text())
    assert sent["output_fields"]["k8s.ns.name"] == "kre-doctor"


def test_an_environment_that_nobody_named(doctor, double: Double) -> None:
    double.drop("Application", "kre-dev-root", "argocd")
    ended = doctor()
    assert (ended.code, ended.out) == (2, "")
    assert "say --env dev|prod" in ended.err


def test_an_unknown_environment(doctor) -> None:
    ended = doctor("--env", "test")
    assert ended.code == 2
    assert "there is no environment test" in ended.err


def test_no_kubectl(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    env = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ended = kre(*ARGUMENTS, cwd=repository, env=env)
    assert (ended.code, ended.out) == (3, "")
    assert "kubectl was not found" in ended.err


def test_unreachable(repository: Path, tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "a", "user": {"token": CANARY}}],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    ended = kre(*ARGUMENTS, "--env", "dev", cwd=repository, env={"KUBECONFIG": str(tmp_path / "config")})
    assert ended.code == 3
    assert "the cluster https://127.0.0.1:1 does not answer" in ended.err
    assert CANARY not in ended.out + ended.err
    other = kre(*ARGUMENTS, "--context", "b", cwd=repository, env={"KUBECONFIG": str(tmp_path / "config")})
    assert other.code == 3
    assert 'context "b" does not exist' in other.err


def test_options_that_need_a_cluster(repository: Path) -> None:
    ended = kre("doctor", "--env", "dev", cwd=repository)
    assert (ended.code, ended.out) == (2, "")
    assert "add --cluster" in ended.err


# ---- what docs/operate.md shows

PAGE = (PROJECT / "docs/operate.md").read_text().split("\n## Check a cluster\n")[1].split("\n## ")[0]


def test_the_example_shows_every_check_in_its_order() -> None:
    (shown,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    told = re.findall(r"^  (?:ok|warning|unknown|failed) +(\w+(?: \w+)?)  ", shown, re.MULTILINE)
    assert told == [*(check.name for check in CHECKS), *HOPS]
    assert re.findall(r"^([a-z]+)$", shown, re.MULTILINE) == [*dict.fromkeys(check.group for check in CHECKS), "probe"]


def test_the_example_of_json_has_the_shape_of_the_real_one(doctor) -> None:
    shown = next(json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    real = json.loads(doctor("--no-send", "--format", "json").out)
    assert (list(shown), list(shown["counts"])) == (list(real), list(real["counts"]))
    assert list(shown["checks"][0]) == list(real["checks"][0])
