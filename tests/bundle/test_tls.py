"""The options base/*/options/tls, enabled in dev as their pages say: it renders, and `kre validate` is content."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from kre.load.bundle import load
from kre.model.bundle import Bundle
from kre.model.resource import dig
from kre.rules.run import validate
from support.repository import PROJECT

OPTIONS = {"pipeline": "pipeline", "falcosidekick": "detection"}  # component -> the leaf that enables it
STEP = re.compile(
    r"^\d+\. `(?P<file>[^`]+)`(?P<more>(?:(?!^\d+\.).)*?)^   ```yaml\n(?P<body>.*?)^   ```", re.DOTALL | re.MULTILINE
)


def steps(component: str) -> dict[str, Any]:
    """File -> what the page says to write there."""
    page = (PROJECT / "base" / component / "options/tls/README.md").read_text()
    return {found["file"].replace("<env>", "dev"): yaml.safe_load(found["body"]) for found in STEP.finditer(page)}


def merged(old: Any, new: Any) -> Any:
    """Mappings by key, lists of objects one after the other; a list of folders is the whole list."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old.get(key), value) for key, value in new.items()}
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(entry, dict) for entry in new):
        return old + [entry for entry in new if entry not in old]
    return new


def enable(root: Path, component: str, *, but: str = "nothing") -> None:
    written = {file: content for file, content in steps(component).items() if but not in file}
    assert written
    for file, content in written.items():
        path = root / file
        path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), content)))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("apps", "base", "overlays"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    shutil.copy(PROJECT / "kre.yaml", tmp_path)
    return tmp_path


def test_the_pages_name_every_file() -> None:
    for component, leaf in OPTIONS.items():
        assert {
            f"overlays/dev/leaves/{leaf}/kustomization.yaml",
            "apps/dev/kre-dev-appproject.yaml",
            "overlays/dev/values/falcosidekick.yaml",
        } <= steps(component).keys()


def test_none_is_shipped() -> None:
    kinds = {resource.kind for resource in load(PROJECT).resources}
    assert not kinds & {"Certificate", "Issuer"}


def test_both_enabled(copy: Path) -> None:
    for component in OPTIONS:
        enable(copy, component)
    bundle = load(copy)
    assert [item for item in validate(bundle) if item.rule != "R2"] == []
    secrets = {dig(item.body, "spec", "secretName"): item.namespace for item in bundle.of("dev", "Certificate")}
    assert secrets.keys() == {"ca", "falco-eventsource-tls", "falcosidekick-tls", "falco-tls"}
    hook = next(iter(bundle.of("dev", "EventSource"))).body["spec"]["webhook"]["alerts"]
    assert hook["serverCertSecret"] == {"name": "falco-eventsource-tls", "key": "tls.crt"}
    assert hook["serverKeySecret"] == {"name": "falco-eventsource-tls", "key": "tls.key"}
    assert hook["authSecret"]["name"] == "falco-webhook-token"
    names_fit(copy, bundle)


def names_fit(root: Path, bundle: Bundle) -> None:
    """Each end knows the other by a name that its certificate has."""
    names = {item.name: dig(item.body, "spec", "dnsNames") for item in bundle.of("dev", "Certificate")}
    sidekick = yaml.safe_load((root / "overlays/dev/values/falcosidekick.yaml").read_text())
    falco = yaml.safe_load((root / "overlays/dev/values/falco.yaml").read_text())
    for url, certificate in (
        (sidekick["config"]["webhook"]["address"], "falco-eventsource"),
        (falco["falco"]["http_output"]["url"], "falcosidekick"),
    ):
        host = re.match(r"https://([^:/]+):", url)
        assert host is not None
        assert host[1] in names[certificate]


def test_half_of_it_is_found(copy: Path) -> None:
    enable(copy, "pipeline", but="values/falcosidekick")
    assert "speaks https" in "".join(item.message for item in validate(load(copy)) if item.rule == "X10")


def test_without_the_admin_the_project_refuses_it(copy: Path) -> None:
    enable(copy, "falcosidekick", but="appproject")
    refused = "\n".join(item.message for item in validate(load(copy)))
    assert "Certificate" in refused
    assert "Issuer" in refused
