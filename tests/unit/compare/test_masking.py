"""What may be a secret is printed nowhere: a word that stands in every such place, and every output there is."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kre.compare.environment import compare
from kre.compare.masking import CHANGED, HIDDEN, masked, scrub
from kre.load.bundle import load
from kre.model.promotion import (
    Accepted,
    AcceptedRisk,
    Block,
    Commit,
    ComponentPlan,
    Entry,
    FileChange,
    Hop,
    Locked,
    Plan,
    Reason,
    Side,
    Source,
    State,
)
from kre.report.promotion import labels, outputs, title
from kre.report.promotion_body import body
from kre.report.promotion_json import as_json
from support.cli import kre
from support.repository import Plan as Fixture
from support.repository import commit

CANARY = "c4n4ry"
TEXT = f"""\
password: {CANARY}
api_key={CANARY}
url: https://user:{CANARY}@host.example/x
header: Bearer {CANARY}abcdef
-----BEGIN RSA PRIVATE KEY-----
{CANARY}
-----END RSA PRIVATE KEY-----
"""
SECRET = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: x
  namespace: kre-pipeline
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{{"data": "{CANARY}"}}'
stringData:
  token: {CANARY}
  other: "%s{CANARY}"
data:
  inner: {CANARY}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yy, namespace: kre-pipeline}\ndata:\n  plain.txt: |\n"
ENVIRON = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: dispatcher
  namespace: kre-pipeline
spec:
  template:
    spec:
      containers:
      - name: dispatcher
        env:
        - name: DB_PASSWORD
          value: {CANARY}
        - name: URL
          value: https://a:{CANARY}@b.example
        args: ["--token={CANARY}", "--verbose", "--password", "{CANARY}", "x --secret {CANARY}"]
"""
VALUES = (
    f"config: {{slack: {{webhookurl: 'https://hooks.example/{CANARY}'}}, customHeaders: 'Authorization: {CANARY}'}}\n"
)


def plant(root: Path, more: str = "") -> None:
    """Puts the word wherever one may stand: a Secret, a ConfigMap, a Deployment, values, a repository's URL."""
    leaf = root / "overlays/prod/leaves/responses"
    (leaf / "x-secret.yaml").write_text(SECRET % more)
    (leaf / "yy-configmap.yaml").write_text(
        CONFIG + "".join(f"    {line}\n" for line in TEXT.replace(CANARY, f"{more}{CANARY}").splitlines())
    )
    (leaf / "patches").mkdir(exist_ok=True)
    (leaf / "patches/z-patch.yaml").write_text(ENVIRON.replace(CANARY, f"{more}{CANARY}"))
    (leaf / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        "resources: [../../release/responses/manifests, x-secret.yaml, yy-configmap.yaml]\n"
        "patches: [{path: patches/z-patch.yaml}]\ncomponents: [../../environment]\n"
    )
    (root / "overlays/prod/values/falcosidekick.yaml").write_text(VALUES.replace(CANARY, f"{more}{CANARY}"))
    facts = root / "overlays/prod/environment/environment.yaml"
    facts.write_text(re.sub("https://[^/]*github.com", f"https://{more}x:{CANARY}@github.com", facts.read_text()))


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A repository whose last commit has none of it, and whose work tree has."""
    root = Fixture().build(tmp_path / "repository")
    commit(root)
    plant(root)
    return root


OUTPUTS = pytest.mark.parametrize(
    "arguments",
    [
        ["diff", "HEAD"],
        ["diff", "HEAD", "--format", "json"],
        ["diff", "HEAD", "--format", "markdown"],
        ["diff", "dev", "prod"],
        ["diff", "prod", "dev", "--format", "markdown"],
        *(
            ["validate", "--changed-since", "HEAD", "--format", name]
            for name in ("text", "json", "github", "sarif", "junit")
        ),
    ],
)


@OUTPUTS
def test_no_output_holds_one_that_changed(planted: Path, arguments: list[str]) -> None:
    commit(planted)
    plant(planted, "n3w")
    ended = kre(*arguments, cwd=planted)
    assert "prod" in ended.out
    assert CANARY not in ended.out + ended.err


@OUTPUTS
def test_no_output_holds_a_secret(planted: Path, arguments: list[str]) -> None:
    ended = kre(*arguments, cwd=planted)
    assert "prod" in ended.out
    assert CANARY not in ended.out + ended.err


def test_nor_what_a_promotion_prints(planted: Path) -> None:
    after = load(planted, ["prod"])
    fresh = Fixture().build(planted.parent / "fresh")
    comparison = compare(load(fresh, ["prod"]), after, "prod")
    hop = secretive()
    comparisons = {"prod": comparison}
    printed = [
        json.dumps(as_json(Plan((hop,)), comparisons)),
        body(hop, comparison),
        outputs(hop, comparison),
        title(hop),
        *labels(hop, comparison),
    ]
    assert "falco" in printed[0]
    assert not [text for text in printed if CANARY in text]


def secretive() -> Hop:
    """A hop with the word in everything that people write, and in files."""
    secret = f"password: {CANARY}"
    source = Source("base/falco", "1" * 40, f"sha256:{'1' * 64}")
    locked = Locked(
        "dev",
        source,
        "1" * 40,
        source.digest,
        datetime(2026, 1, 5, tzinfo=UTC),
        accepted=(Accepted("values.yaml", "2" * 40, secret),),
        accepted_risks=(AcceptedRisk("mode-changed", source.digest, secret),),
    )
    entry = Entry("values.yaml", "100644", "3" * 40)
    plan = ComponentPlan(
        "falco",
        "falco",
        State.PROMOTE,
        files=(FileChange("values.yaml", entry, entry, entry, Side.MERGED, None, secret.encode()),),
        commits=(Commit("1" * 40, datetime(2026, 1, 5, tzinfo=UTC), secret),),
        locked=locked,
        notes=(secret,),
    )
    return Hop("dev", "prod", "4" * 40, "promote/prod/falco", (plan,), (Block(Reason.RISK, secret, secret),))


def test_that_a_value_changed_is_said() -> None:
    old, new = masked(
        {"kind": "Secret", "data": {"a": "1", "b": "2"}, "type": "Opaque"},
        {"kind": "Secret", "data": {"a": "1", "b": "3", "c": "4"}, "type": "Opaque"},
    )
    assert old == {"kind": "Secret", "data": {"a": HIDDEN, "b": HIDDEN}, "type": "Opaque"}
    assert new == {"kind": "Secret", "data": {"a": HIDDEN, "b": CHANGED, "c": HIDDEN}, "type": "Opaque"}


def test_references_are_no_secrets() -> None:
    body_ = {
        "kind": "EventSource",
        "spec": {"authSecret": {"name": "falco-webhook-token", "key": "token"}, "existingSecret": "x", "token": ""},
    }
    assert masked(body_, body_) == (body_, body_)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/example/kre.git",
        "value: 1",
        "tokenizer: fast",
        "secretName: falco-eventsource-tls",
        "the password is asked for",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "token", [f"ghp_{'a1' * 18}", f"AKIA{'A1' * 8}", f"eyJ{'a' * 10}.eyJ{'b' * 10}.{'c' * 10}", f"glpat-{'a' * 20}"]
)
def test_tokens_of_a_known_form(token: str) -> None:
    assert token not in scrub(f"x {token} y")
