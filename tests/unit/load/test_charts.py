"""How Helm is asked for a chart, by what its Application says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kre.doors import helm
from kre.load.bundle import load
from kre.load.charts import with_charts
from kre.model.bundle import Bundle

Call = tuple[str, str, list[Any], list[str]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Helm's door, which renders nothing and remembers what it was asked."""
    made: list[Call] = []

    def render(path: Path, digest: str, *asked: Any) -> str:
        made.append(asked)
        return ""

    monkeypatch.setattr(helm, "archive", lambda *_: (Path("x.tgz"), "d", "d"))
    monkeypatch.setattr(helm, "render", render)
    return made


def application(folder: Path, **settings: Any) -> Bundle:
    """A folder with one Application, with these settings of Helm."""
    source = {"repoURL": "https://c.example", "chart": "c", "targetRevision": settings.pop("version", "1.2.3")}
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "app"},
        "spec": {"destination": {"namespace": "there"}, "source": {**source, "helm": settings}},
    }
    (folder / "app.yaml").write_text(yaml.safe_dump(body))
    return with_charts(load(folder), "v1.34.4")


def test_the_usual(tmp_path: Path, calls: list[Call]) -> None:
    application(tmp_path)
    assert calls == [("app", "there", [], ["--kube-version=v1.34.4"])]


def test_everything_that_is_followed(tmp_path: Path, calls: list[Call]) -> None:
    application(
        tmp_path,
        releaseName="r",
        namespace="elsewhere",
        kubeVersion="1.30.0",
        apiVersions=["a/v1"],
        values="a: [yes]",
        parameters=[{"name": "b", "value": r"1,2\,3"}, {"name": "c", "value": "4", "forceString": True}],
        valueFiles=["$values/missing.yaml"],
        ignoreMissingValueFiles=True,
    )
    options = ["--kube-version=1.30.0", "--api-versions=a/v1", r"--set=b=1\,2\,3", "--set-string=c=4"]
    assert calls == [("r", "elsewhere", [{"a": [True]}], options)]


def test_an_object_wins_over_a_text(tmp_path: Path, calls: list[Call]) -> None:
    application(tmp_path, values="a: 1", valuesObject={"a": 2})
    assert calls[0][2] == [{"a": 2}]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"fileParameters": [{"name": "a", "path": "b"}]}, "helm.fileParameters of Application app are not followed"),
        ({"valueFiles": ["values-prod.yaml"]}, "values file values-prod.yaml of Application app is not in this"),
        ({"valueFiles": ["$values/missing.yaml"]}, "values file $values/missing.yaml of Application app is not in"),
        ({"values": "a: [b"}, "while parsing a flow sequence"),
        ({"version": ">=1.0.0"}, '">=1.0.0" is no version'),
    ],
)
def test_what_is_not_followed_is_said(tmp_path: Path, calls: list[Call], settings: dict, why: str) -> None:
    (chart,) = application(tmp_path, **settings).charts
    assert why in chart.missing
    assert "\n" not in chart.missing
    assert (chart.resources, calls) == ((), [])
