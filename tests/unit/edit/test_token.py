"""The token: random, well-formed, in two Secrets that agree with the bundle, and nowhere else."""

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


def test_the_names_are_those_that_the_bundle_reads() -> None:
    bundle = load(PROJECT, ["dev"])
    source = next(bundle.of("dev", "EventSource"))
    secret = dig(source.body, "spec", "webhook", "alerts", "authSecret")
    assert (source.namespace, secret) == ("kre-pipeline", {"name": "falco-webhook-token", "key": "token"})
    values = yaml.safe_load((PROJECT / "base/falcosidekick/values.yaml").read_text())
    assert values["config"]["existingSecret"] == "falcosidekick-webhook"
    application = next(item for item in bundle.of("dev", "Application") if item.name == "dev-falcosidekick")
    assert application.body["spec"]["destination"]["namespace"] == "falco"
