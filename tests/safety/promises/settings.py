"""What the environment allows, and the code that reads it: the same in both namespaces, and as Git has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from kre.model.resource import Resource
from safety.promise import World, each, exactly, text, together
from safety.promises.workflows import OWN_CODE
from support.promoted import promoted
from support.repository import PROJECT

MANIFESTS = PROJECT / "base/responses/manifests"
INTAKE = "base/pipeline/options/intake/code"
FOLDERS = ("code", "recorder/code")  # of the second the recorder alone has something
LANES = dict.fromkeys(("contain-pod", "delete-pod", "label-pod", "notify"), "workflow") | {"isolate-pod": "label"}
LANES |= dict.fromkeys(("capture-evidence", "cordon-node", "scale-down"), "workflow")
# What a response is held to from the start, in both namespaces alike.
STRICTER = {
    "cordon-node": {"cap": "1", "min-healthy": "2", "min-healthy-percent": "50"},
    "scale-down": {"cap": "3"},
}
SHIPPED = {
    "protected-namespaces": "",
    "protected-owners": "DaemonSet",
    "min-healthy": "1",
    "min-healthy-percent": "0",
    "min-age": "0",
    "cap": "20",
    "window": "600",
    "cooldown": "300",
    "max-age": "3600",
}


@each("ConfigMap")
def settings_are_the_environments(item: Resource, world: World) -> Iterator[str]:
    if item.name != "settings":
        return
    facts = world.environment.spec
    wanted = {**SHIPPED, "mode": facts.get("mode"), "targets": facts.get("targetPattern")}
    for name in world.responses:
        wanted |= {f"{name}.{key}": value for key, value in STRICTER.get(name, {}).items()}
    if item.namespace == "kre-pipeline":
        wanted |= {f"{name}.lane": LANES[name] for name in world.responses}
    yield from exactly(item.body.get("data"), wanted, "mode, targets, caps and protections as shipped, for all alike")


def needed(module: str) -> dict[str, str]:
    """The files that a program consists of, by name: it and what it imports of the engine's folders, and so on."""
    found, left = dict[str, str](), [module]
    while left:
        name = f"{left.pop()}.py"
        path = next((f"{folder}/{name}" for folder in FOLDERS if (MANIFESTS / folder / name).exists()), "")
        if name in found or not path:
            continue
        found[name] = path
        for node in ast.walk(ast.parse((MANIFESTS / path).read_text())):
            if isinstance(node, ast.ImportFrom):
                left.append(str(node.module))
            elif isinstance(node, ast.Import):
                left += [alias.name for alias in node.names]
    return found


@together("ConfigMap")
def code_is_that_of_git(world: World) -> Iterator[str]:
    for program in ("dispatcher", "recorder", "responder"):
        named = [
            item for item in world.of("ConfigMap") if re.fullmatch(rf"{program}-code(-[a-z0-9]{{10}})?", item.name)
        ]
        if len(named) != 1:
            yield f"{len(named)} ConfigMaps hold the code of the {program}"
        for item in named:
            data = item.body.get("data") or {}
            why = f"the {program} is what was reviewed, whole, and no other file stands beside it"
            folder = "base" if not world.environment.source else f"{world.environment.folder}/release"
            wanted = {file: text(f"{folder}/responses/manifests/{path}") for file, path in needed(program).items()}
            yield from exactly(data, wanted, why, item.name)
    for item in world.of("ConfigMap") if world.intake else ():
        if re.fullmatch("intake-code-[a-z0-9]{10}", item.name):
            yield from exactly(item.body.get("data") or {}, _files(INTAKE), "what was reviewed, whole", item.name)
    for name in OWN_CODE:
        for item in world.of("ConfigMap"):
            if item.name == f"{name}-code":
                folder = f"{'base' if not world.environment.source else f'{world.environment.folder}/release'}"
                wanted = _files(f"{folder}/responses/options/{name}/code")
                yield from exactly(item.body.get("data") or {}, wanted, "what was reviewed, whole", item.name)


def _files(folder: str) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted((promoted() / folder).glob("*.py"))}
