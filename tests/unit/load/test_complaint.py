"""The place that Kustomize complains of, in the words of builds with either of Go's JSON decoders."""

from __future__ import annotations

from pathlib import Path

import pytest

from kre.load.complaint import culprit
from kre.load.graph import follow
from kre.load.sources import Sources

KUSTOMIZATION = """apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
labels:
- pairs:
    a: b
    kre/critical: true
"""


@pytest.mark.parametrize("field", ["labels.pairs", "labels.0.pairs.kre~1critical"], ids=["Go 1.26", "Go 1.27"])
def test_a_value_of_the_wrong_type(tmp_path: Path, field: str) -> None:
    (tmp_path / "kustomization.yaml").write_text(KUSTOMIZATION)
    sources = Sources(tmp_path)
    said = f"json: cannot unmarshal bool into Go struct field Kustomization.{field} of type string"
    place = culprit(sources, follow(sources, "."), said)
    assert place is not None
    assert (place.path, place.line) == ("kustomization.yaml", 6)
