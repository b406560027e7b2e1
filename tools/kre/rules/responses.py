"""F09, F10: what the dispatcher is told of a response fits the objects of that response, and the facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kre.compare.waiting import PIPELINE, RESPONSES
from kre.edit.pattern import NEVER
from kre.model.bundle import Bundle, Environment
from kre.model.resource import Body, Pointer, Resource, dig, each
from kre.rules.facts import facts_place
from kre.rules.references import named, suggest
from kre.rules.registry import Hit, hit, rule

LANES = ("workflow", "label")
URL = "http://dispatcher.kre-pipeline.svc:8080/respond"
MODES = ("observe", "approve", "enforce")
_NUMBERS = ("min-healthy", "min-healthy-percent", "min-age", "cap", "window", "cooldown", "max-age")
KEYS = ("mode", "targets", "protected-namespaces", "protected-owners", *_NUMBERS)
_KEY = "authorization"


def token_of(response: str) -> str:
    """The Secret, in kre-pipeline, by which the dispatcher knows the Sensor of a response."""
    return f"{response}-dispatch-token"


@dataclass(frozen=True, slots=True)
class _Told:
    """The settings of both namespaces, and the dispatcher that reads them."""

    settings: dict[str, Resource]
    dispatcher: Resource | None

    def data(self, namespace: str) -> Mapping[str, str]:
        """The keys and values of one namespace's settings."""
        found = dig(self.settings[namespace].body, "data") if namespace in self.settings else None
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}

    def lanes(self) -> dict[str, str]:
        """Enabled response -> lane."""
        found = self.data(PIPELINE).items()
        return {key.removesuffix(".lane"): value for key, value in found if key.endswith(".lane")}

    def sources(self) -> Iterator[tuple[Pointer, str, str, str]]:
        """(pointer, Secret, key, path) of every token that the dispatcher mounts."""
        body: Body = self.dispatcher.body if self.dispatcher else {}
        for index, volume in enumerate(each(body, "spec", "template", "spec", "volumes")):
            for number, source in enumerate(each(volume, "projected", "sources")):
                at: Pointer = ("spec", "template", "spec", "volumes", index, "projected", "sources", number)
                for item in each(source, "secret", "items"):
                    yield at, str(dig(source, "secret", "name")), str(dig(item, "key")), str(dig(item, "path"))


def _told(bundle: Bundle, environment: Environment) -> _Told:
    world = tuple(bundle.of(environment.name, "ConfigMap", "Deployment"))
    found = {space: named(world, "ConfigMap", space, "settings") for space in (PIPELINE, RESPONSES)}
    settings = {space: item for space, item in found.items() if item is not None}
    return _Told(settings, named(world, "Deployment", PIPELINE, "dispatcher"))


@rule("F09", "a response that is enabled has its Sensor, its WorkflowTemplate, and its own token", "layout")
def whole_response(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.judged:
        told = _told(bundle, environment)
        world = tuple(bundle.of(environment.name, "Sensor", "WorkflowTemplate"))
        if PIPELINE in told.settings:
            yield from _enabled(bundle, told.settings[PIPELINE], told, world)
        for at, secret, key, path in told.sources():
            if (secret, key) != (token_of(path), _KEY) and told.dispatcher:
                message = f"the token of {path} is taken from Secret {secret}, key {key}"
                hint = f"take {token_of(path)}, key {_KEY}: a token says which response its Sensor is"
                yield hit(bundle, told.dispatcher, at, message, hint)
        for sensor in world:
            yield from _sensor(bundle, sensor, told.lanes()) if sensor.kind == "Sensor" else ()


def _enabled(bundle: Bundle, settings: Resource, told: _Told, world: tuple[Resource, ...]) -> Iterator[Hit]:
    """What each response that has a lane lacks."""
    for name, lane in told.lanes().items():
        at: Pointer = ("data", f"{name}.lane")
        if lane not in LANES:
            yield hit(bundle, settings, at, f"{name} has lane {lane}", f"write {' or '.join(LANES)}")
        for kind, space in (("Sensor", PIPELINE), ("WorkflowTemplate", RESPONSES)):
            if not named(world, kind, space, name):
                message = f"response {name} is enabled, but there is no {kind} {name} in {space}"
                yield hit(bundle, settings, at, message, suggest(name, (x.name for x in world if x.kind == kind)))
        if (token_of(name), _KEY, name) not in [entry[1:] for entry in told.sources()]:
            message = f"response {name} is enabled, but the dispatcher does not mount its token"
            yield hit(bundle, settings, at, message, f"add Secret {token_of(name)}, key {_KEY}, as path {name}")


def _sensor(bundle: Bundle, sensor: Resource, lanes: Mapping[str, str]) -> Iterator[Hit]:
    """Every trigger that asks the dispatcher asks in the name of its own response, which is enabled."""
    for index, trigger in enumerate(each(sensor.body, "spec", "triggers")):
        at: Pointer = ("spec", "triggers", index, "template", "http")
        url = str(dig(trigger, "template", "http", "url"))
        if "//dispatcher." not in url:
            continue
        if url != URL:
            yield hit(bundle, sensor, (*at, "url"), f"{sensor} posts to {url}", f"the dispatcher listens at {URL}")
        if sensor.name not in lanes:
            message = f"{sensor} asks the dispatcher, but no lane enables response {sensor.name}"
            yield hit(bundle, sensor, ("metadata", "name"), message, f"set {sensor.name}.lane in ConfigMap settings")
        wanted = ("Authorization", token_of(sensor.name), _KEY)
        sent = [
            (dig(entry, "name"), dig(reference, "name"), dig(reference, "key"))
            for entry in each(trigger, "template", "http", "secureHeaders")
            for reference in (dig(entry, "valueFrom", "secretKeyRef"),)
        ]
        if sent != [wanted]:
            message = f"{sensor} does not send its own token, and that alone"
            hint = f"send header Authorization from Secret {token_of(sensor.name)}, key {_KEY}"
            yield hit(bundle, sensor, (*at, "secureHeaders"), message, hint)


@rule("F10", "the settings are the environment's, the same in both namespaces, and of a known form", "layout")
def settings_agree(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.judged:
        told = _told(bundle, environment)
        if told.dispatcher is None and not told.settings:
            continue
        for space in (PIPELINE, RESPONSES):
            if space not in told.settings:
                message = f"there is no ConfigMap settings in namespace {space}"
                yield Hit(facts_place(bundle, environment, "mode"), message, "generate it", (environment.name,))
                continue
            for key, message, hint in _wrong(told.data(space), environment):
                yield hit(bundle, told.settings[space], ("data", key), f"settings of {space}: {message}", hint)
        ours, theirs = told.data(PIPELINE), told.data(RESPONSES)
        for key in sorted(ours.keys() | theirs.keys() if len(told.settings) > 1 else ()):
            if ours.get(key) != theirs.get(key) and not (key.endswith(".lane") and key not in theirs):
                message = (
                    f"settings differ: {key} is {_said(ours, key)} in {PIPELINE}, {_said(theirs, key)} in {RESPONSES}"
                )
                yield hit(bundle, told.settings[RESPONSES], ("data", key), message, "patch both ConfigMaps alike")


def _said(data: Mapping[str, str], key: str) -> str:
    return data.get(key, "not set")


def _wrong(data: Mapping[str, str], environment: Environment) -> Iterator[tuple[str, str, str]]:
    """(key, what is wrong, what to do) of each value that is not the environment's, or not of its form."""
    for key, fact in (("mode", "mode"), ("targets", "targetPattern")):
        wanted = dig(environment.spec, fact)
        if data.get(key) != wanted:
            message = f"{key} is {_said(data, key)}, the environment says {wanted}"
            yield key, message, "let environment/kustomization.yaml set it"
    names = [re.escape(str(name)) for name in each(environment.spec, "targets")]
    for key, value in data.items():
        response, _, short = key.rpartition(".")
        if short not in KEYS and not (response and short == "lane"):
            yield key, f"{key} is no setting", suggest(short, KEYS)
        elif short == "mode" and value not in MODES:
            yield key, f"{key} is {value}", f"write {', '.join(MODES[:-1])} or {MODES[-1]}"
        elif short in _NUMBERS and not re.fullmatch(r"[0-9]{1,9}", value):
            yield key, f"{key} is {value or 'empty'}", "write a number"
        elif response and short == "targets" and not _narrows(value, names):
            yield key, f"{key} is {value}, which reaches beyond the targets", "name some of them, as ^(a|b)$"


def _narrows(pattern: str, names: list[str]) -> bool:
    """Whether a pattern matches some of these targets (each as a pattern of its own) and nothing else."""
    inner = re.fullmatch(r"\^\((.*)\)\$", pattern)
    known = {name.replace(r"\-", "-") for name in names}
    return pattern == NEVER or (inner is not None and set(inner[1].split("|")) <= known)
