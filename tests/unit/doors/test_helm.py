"""The door to Helm, with a stand-in that writes down how it was called."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from kre.doors import helm, tools
from kre.errors import ToolError

HTTP, OCI = "https://charts.example.org/a b", "registry.example.org/charts"
STAND_IN = """\
#!/bin/sh
case $1 in
version) echo v3.19.0; exit;;
esac
{ printf '%s\\n' "$@"; echo "config $HELM_CONFIG_HOME" "kubeconfig $KUBECONFIG"; } >> "$CALLS"
[ -z "$FAIL" ] || { printf 'WARNING: old\\nError: %s\\n\\nUse --debug\\n' "$FAIL" >&2; exit 1; }
for word; do
  case $word in
  --destination=*) echo archive > "${word#*=}/made.tgz";;
  --values=*) cat "${word#*=}";;
  esac
done
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin/helm"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    monkeypatch.setattr(tools, "folder", lambda: program.parent)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAIL", "")
    return tmp_path / "calls"


def test_an_archive_is_fetched_once_and_its_first_digest_remembered(calls: Path) -> None:
    path, digest, first = helm.archive(HTTP, "falco", "9.1.0")
    assert path == helm.place(HTTP, "falco", "9.1.0")
    assert path.parent.name == "https%3A%2F%2Fcharts.example.org%2Fa%20b"
    assert (digest, first) == (hashlib.sha256(b"archive\n").hexdigest(), digest)
    said = calls.read_text().splitlines()
    assert said[:3] == ["pull", f"--repo={HTTP}", "--version=9.1.0"]
    assert said[4:6] == ["--", "falco"]
    path.write_bytes(b"another")
    assert helm.archive(HTTP, "falco", "9.1.0")[1:] == (hashlib.sha256(b"another").hexdigest(), first)
    assert calls.read_text().splitlines() == said


def test_a_repository_without_a_scheme_is_a_registry(calls: Path) -> None:
    helm.archive(OCI, "falco", "9.1.0")
    assert calls.read_text().splitlines()[3:5] == ["--", f"oci://{OCI}/falco"]


def test_one_archive_for_each_repository_chart_and_version() -> None:
    asked = [(HTTP, "a", "1.0.0"), (OCI, "a", "1.0.0"), (OCI, "a/b", "1.0.0"), (OCI, "a", "1.0.1"), (OCI, "..", "..")]
    places = {helm.place(*one) for one in asked}
    assert len(places) == len(asked)
    assert all(place.parent.parent == helm.cache.folder() / "charts" for place in places)


def test_rendering_is_kept_and_nothing_of_the_user_s_counts(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_CONFIG_HOME", "/of/the/user")
    archive = tmp_path / "falco-9.1.0.tgz"
    made = helm.render(archive, "digest", "one", "falco", [{"a": True}, {"b": "yes"}], ["--set=c=d"])
    assert [json.loads(part) for part in made.replace("}{", "}\n{").splitlines()] == [{"a": True}, {"b": "yes"}]
    said = calls.read_text().splitlines()
    assert said[:4] == ["template", "--namespace=falco", "--skip-tests", "--set=c=d"]
    assert said[6:9] == ["--", "one", str(archive)]
    assert "/of/the/user" not in said[9]
    assert f"kubeconfig {os.devnull}" in said[9]
    again = (archive, "digest", "one", "falco", [{"a": True}, {"b": "yes"}], ["--set=c=d"])
    assert helm.render(*again) == made
    assert calls.read_text().splitlines() == said
    for index, other in enumerate((archive, "other", "two", "ns", [{"a": True}], [])):
        helm.render(*again[:index], other, *again[index + 1 :])
    assert calls.read_text().count("template") == 6


def test_what_helm_says_when_it_fails(calls: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAIL", "no such chart")
    with pytest.raises(ToolError, match=f"helm can't fetch it from {HTTP}: no such chart$"):
        helm.archive(HTTP, "falco", "9.1.0")
    assert not helm.place(HTTP, "falco", "9.1.0").exists()
    with pytest.raises(ToolError, match=r"helm can't render x\.tgz: no such chart$"):
        helm.render(tmp_path / "x.tgz", "digest", "a", "b", [], [])


def test_another_archive_or_program_is_another_state(calls: Path) -> None:
    before = helm.state()
    assert helm.state() == before
    path, *_ = helm.archive(HTTP, "falco", "9.1.0")
    after = helm.state()
    path.write_bytes(b"another")
    assert len({before, after, helm.state()}) == 3
