"""The tokens: random, well-formed, in Secrets that agree with the bundle, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from kre.edit.token import check_token, make_token
from kre.errors import UsageError
from kre.load.bundle import load
from kre.model.resource import dig
from support.cli import kre
from support.layout import build
from support.repository import PROJECT


def secrets(text: str) -> dict[str, dict[str, str]]:
    objects = list(yaml.safe_load_all(text))
    assert [item["kind"] for item in objects] == ["Namespace", "Secret", "Namespace", "Secret"]
    return {
        f"{item['metadata']['namespace']}/{item['metadata']['name']}": item["stringData"]
        for item in objects
        if item["kind"] == "Secret"
    }


def test_two_secrets_with_one_token(tmp_path: Path) -> None:
    made = secrets(kre("token", cwd=tmp_path).out)
    token = made["kre-pipeline/falco-webhook-token"]["token"]
    assert len(token) >= 43
    header = made["falco/falcosidekick-webhook"]["WEBHOOK_CUSTOMHEADERS"]
    assert header == f"Authorization:Bearer {token}"
    # As Falcosidekick takes its headers apart (config.go): at commas, then at colons, of which there may be one.
    assert [entry.split(":") for entry in header.split(",")] == [["Authorization", f"Bearer {token}"]]


def test_a_new_one_each_time() -> None:
    tokens = {make_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_a_given_one(tmp_path: Path) -> None:
    made = secrets(kre("token", "--stdin", cwd=tmp_path, stdin="0123456789abcdef\n").out)
    assert made["kre-pipeline/falco-webhook-token"]["token"] == "0123456789abcdef"


@pytest.mark.parametrize(
    "token", ["", "short", "has:a:colon:in:it", "has,a,comma,in,it", "has a space in it", "ä" * 20]
)
def test_what_can_be_no_token(token: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        check_token(token)
    ended = kre("token", "--stdin", cwd=tmp_path, stdin=f"{token}\n")
    assert (ended.code, ended.out) == (2, "")
    assert not token or token not in ended.err


def test_external_secrets(tmp_path: Path) -> None:
    ended = kre("token", "--format", "external-secret", "--store", "vault", "--key", "a/b", cwd=tmp_path)
    made = [item for item in yaml.safe_load_all(ended.out) if item["kind"] == "ExternalSecret"]
    assert [item["spec"]["secretStoreRef"]["name"] for item in made] == ["vault", "vault"]
    assert [item["spec"]["data"][0]["remoteRef"]["key"] for item in made] == ["a/b", "a/b"]
    assert kre("token", "--format", "external-secret", cwd=tmp_path).code == 2


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return build(tmp_path / "engine")


def dispatch(text: str) -> dict[str, str]:
    """The tokens of responses by the name of the Secret; all else about the Secrets is as it should be."""
    found = {}
    for item in yaml.safe_load_all(text):
        name = item["metadata"]["name"]
        if name.endswith("-dispatch-token"):
            assert (item["kind"], item["metadata"]["namespace"]) == ("Secret", "kre-pipeline")
            labels = {"app.kubernetes.io/part-of": "kre", "kre/response": name.removesuffix("-dispatch-token")}
            assert item["metadata"]["labels"] == labels
            assert item["stringData"].keys() == {"authorization"}
            assert re.fullmatch("Bearer [A-Za-z0-9_-]{43}", item["stringData"]["authorization"])
            found[name] = item["stringData"]["authorization"].removeprefix("Bearer ")
    return found


def test_one_for_each_response_that_alerts_start(engine: Path) -> None:
    ended = kre("token", cwd=engine)
    assert (ended.code, ended.err) == (0, "")
    made = dispatch(ended.out)
    assert list(made) == ["delete-pod-dispatch-token", "isolate-pod-dispatch-token", "notify-dispatch-token"]
    objects = list(yaml.safe_load_all(ended.out))
    webhook = next(item for item in objects if item["metadata"]["name"] == "falco-webhook-token")["stringData"]["token"]
    assert len({webhook, *made.values()}) == 4
    kinds = [item["kind"] for item in objects]
    assert kinds == ["Namespace", "Secret", "Namespace", "Secret", "Secret", "Secret", "Secret"]
    assert kre("token", "--root", str(engine), cwd=engine.parent).out.count("dispatch-token") == 3


def test_only_that_of_one_response(engine: Path) -> None:
    ended = kre("token", "--response", "isolate-pod", cwd=engine)
    assert [item["kind"] for item in yaml.safe_load_all(ended.out)] == ["Namespace", "Secret"]
    assert list(dispatch(ended.out)) == ["isolate-pod-dispatch-token"]
    given = "x" * 43
    ended = kre("token", "--response", "isolate-pod", "--stdin", cwd=engine, stdin=f"{given}\n")
    assert dispatch(ended.out) == {"isolate-pod-dispatch-token": given}
    ended = kre("token", "--stdin", cwd=engine, stdin=f"{given}\n")
    assert ended.out.count(given) == 2  # the webhook's: no other shares it
    assert len(dispatch(ended.out)) == 3


def test_outside_of_a_repository_the_webhook_has_its_token(tmp_path: Path) -> None:
    ended = kre("token", cwd=tmp_path)
    assert (ended.code, len(secrets(ended.out))) == (0, 2)
    assert "the tokens of the responses are left out" in ended.err
    for arguments in (["--response", "delete-pod"], ["--root", str(tmp_path)]):
        ended = kre("token", *arguments, cwd=tmp_path)
        assert (ended.code, ended.out) == (2, "")
        assert "has no overlays/environments.yaml" in ended.err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("isolat-pod", "did you mean isolate-pod?"),
        ("release-pod", "release-pod has no Sensor"),
        ("../x", "no response"),
    ],
)
def test_what_has_no_token(engine: Path, name: str, says: str) -> None:
    ended = kre("token", "--response", name, cwd=engine)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err


def test_external_secrets_of_responses(engine: Path) -> None:
    external = ("--format", "external-secret", "--store", "vault")
    made = [item for item in yaml.safe_load_all(kre("token", *external, cwd=engine).out) if "spec" in item]
    keys = [item["spec"]["data"][0]["remoteRef"]["key"] for item in made]
    assert keys == ["kre/webhook-token"] * 2 + [
        f"kre/{name}-dispatch-token" for name in ("delete-pod", "isolate-pod", "notify")
    ]
    assert made[-1]["spec"]["target"] == {
        "name": "notify-dispatch-token",
        "template": {"data": {"authorization": "Bearer {{ .token }}"}},
    }
    one = kre("token", *external, "--response", "notify", "--key", "a/b", cwd=engine).out
    assert [item["kind"] for item in yaml.safe_load_all(one)] == ["Namespace", "ExternalSecret"]
    assert "key: a/b\n" in one


def test_the_names_are_those_that_the_bundle_reads() -> None:
    bundle = load(PROJECT, ["dev"])
    source = next(bundle.of("dev", "EventSource"))
    secret = dig(source.body, "spec", "webhook", "alerts", "authSecret")
    assert (source.namespace, secret) == ("kre-pipeline", {"name": "falco-webhook-token", "key": "token"})
    values = yaml.safe_load((PROJECT / "base/falcosidekick/values.yaml").read_text())
    assert values["config"]["existingSecret"] == "falcosidekick-webhook"
    application = next(item for item in bundle.of("dev", "Application") if item.name == "dev-falcosidekick")
    assert application.body["spec"]["destination"]["namespace"] == "falco"
