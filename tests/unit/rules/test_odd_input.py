"""No manifest, however wrong, makes a rule fail: whatever it is, it ends in findings."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from kre.load.bundle import load
from kre.model.bundle import Bundle
from kre.model.source import Document, Source
from kre.rules.registry import all_rules
from kre.schema import own
from support.mutate import changed
from support.repository import PROJECT


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load(PROJECT)


def mutated(bundle: Bundle, random: Random) -> Bundle:
    """The bundle with a random fault in every fourth object, in the facts, in kre.yaml and in every tenth file."""

    def fault(body: Any, often: int) -> Any:
        return changed(body, random) if random.randrange(often) == 0 else body

    roots = tuple(
        replace(root, resources=tuple(replace(item, body=fault(item.body, 4)) for item in root.resources))
        for root in bundle.roots
    )
    sources = {
        path: Source(path, tuple(Document(item.node, fault(item.value, 10)) for item in source.documents))
        for path, source in bundle.sources.items()
    }
    kustomizations = {
        path: replace(known, source=sources[known.source.path]) for path, known in bundle.kustomizations.items()
    }
    environments = tuple(replace(item, facts=changed(item.facts, random)) for item in bundle.environments)
    config = changed({"images": [{"image": "a"}], "kinds": [{"kind": "b"}], "values": [{"file": "c"}]}, random)
    return replace(
        bundle, roots=roots, sources=sources, kustomizations=kustomizations, environments=environments, config=config
    )


@pytest.mark.parametrize("seed", range(40))
def test_faults_everywhere(bundle: Bundle, seed: int) -> None:
    broken = mutated(bundle, Random(seed))
    found = [finding for rule in all_rules() for finding in rule.apply(broken)]
    found += own.check(broken)
    assert found
    for finding in found:
        assert finding.message
        assert finding.place.line >= 1
        assert finding.place.path


def test_faults_in_plain_manifests(bundle: Bundle) -> None:
    for seed in range(40):
        broken = replace(mutated(bundle, Random(seed)), environments=())
        assert all(finding.message for rule in all_rules() for finding in rule.apply(broken))
