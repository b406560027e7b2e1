"""What a change brings beside its risks: for people who have to decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kre.compare.grants import grants, widened
from kre.compare.objects import Side
from kre.compare.pair import Pair, mapping
from kre.compare.workloads import images
from kre.load.objects import cluster_scoped
from kre.model.comparison import Facts, Responses
from kre.model.resource import dig, each, sources

_RULE = "body.rule"


def facts(pair: Pair) -> Facts:
    """The facts of one environment's change."""
    old, new = ({image for item in side.of() for image in images(item.body)} for side in pair.sides)
    rights = [grants(side.bundle, side.name) if side.environment else frozenset() for side in pair.sides]
    known = [(delta, delta.after or delta.before) for delta in pair.deltas]
    scoped = [f"{delta.key} {delta.what}" for delta, item in known if item is not None and cluster_scoped(item)]
    return Facts(
        cluster_scoped=tuple(text for text in scoped if not text.startswith("CustomResourceDefinition ")),
        crds=tuple(text for text in scoped if text.startswith("CustomResourceDefinition ")),
        images=_paired(old - new, new - old),
        charts=_charts(pair),
        granted=tuple(widened(*rights)),
        withdrawn=tuple(widened(*reversed(rights))),
        responses=(responses(pair.before), responses(pair.after)),
        code=tuple(
            sorted(
                {
                    str(key)
                    for delta in pair.of("ConfigMap")
                    for key, value in {**mapping(dig(delta.old, "data")), **mapping(dig(delta.new, "data"))}.items()
                    if str(key).endswith(".py") and dig(delta.old, "data", key) != dig(delta.new, "data", key)
                }
            )
        ),
    )


def _paired(old: Iterable[str], new: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Images of one repository side by side."""
    left, found = sorted(old), []
    for image in sorted(new):
        same = next((known for known in left if _repository(known) == _repository(image)), "")
        if same:
            left.remove(same)
        found.append((same, image))
    return (*found, *((image, "") for image in left))


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _charts(pair: Pair) -> tuple[tuple[str, str, str], ...]:
    old, new = (_versions(side) for side in pair.sides)
    return tuple(
        (name, old.get(name, ""), new.get(name, "")) for name in sorted({*old, *new}) if old.get(name) != new.get(name)
    )


def _versions(side: Side) -> dict[str, str]:
    return {
        str(dig(source, "chart")): str(dig(source, "targetRevision"))
        for application in side.of("Application")
        for _, source in sources(application)
        if dig(source, "chart")
    }


def responses(side: Side) -> Responses:
    """Which responses an environment has, in which mode, for which rules."""
    spec = mapping(side.environment.spec if side.environment else None)
    told: Mapping[str, object] = {}
    for item in side.of("ConfigMap"):
        if (item.namespace, item.name) == ("kre-pipeline", "settings"):
            told = mapping(item.body.get("data"))
    mode = str(told.get("mode") or spec.get("mode") or "")
    rules = {sensor.name: _rules(sensor.body) for sensor in side.of("Sensor")}
    lanes = {key.removesuffix(".lane"): str(value) for key, value in told.items() if key.endswith(".lane")}
    enabled = [
        (name, lanes.get(name, ""), str(told.get(f"{name}.mode") or mode), rules.get(name, ()))
        for name in sorted({*rules, *lanes})
    ]
    return Responses(mode, tuple(str(name) for name in each(spec, "targets")), tuple(enabled))


def _rules(sensor: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(
        str(value)
        for dependency in each(sensor, "spec", "dependencies")
        for entry in each(dependency, "filters", "data")
        if dig(entry, "path") == _RULE
        for value in each(entry, "value")
    )
