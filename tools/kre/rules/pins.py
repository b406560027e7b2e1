"""R4: what runs today runs tomorrow. Charts and foreign repositories at an exact version, images by digest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kre.model.bundle import Bundle
from kre.model.resource import Pointer, Resource, dig, each, sources, walk
from kre.rules.registry import Hit, hit, rule

_SEMVER = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_CONTAINERS = frozenset(("containers", "initContainers", "ephemeralContainers", "sidecars"))


@rule(
    "R4",
    "charts, tags and images are exact",
    "layout",
    peers=("trivy KSV-0013", "kube-linter latest-tag", "checkov CKV_K8S_43"),
)
def exact(bundle: Bundle) -> Iterator[Hit]:
    excused = {str(dig(entry, "image")) for entry in each(bundle.config, "images")}
    for environment in bundle.environments:
        own = str(dig(environment.spec, "repository", "url"))
        for resource in bundle.of(environment.name):
            if resource.kind == "Application":
                yield from _sources(bundle, resource, own)
            for pointer, image in images(resource):
                if not _DIGEST.fullmatch(image) and (image not in excused or not _tagged(image)):
                    hint = "pin it as name:tag@sha256:..., or list an exact tag with its reason in kre.yaml"
                    yield hit(bundle, resource, pointer, f"image {image} may be another one tomorrow", hint)


def _sources(bundle: Bundle, application: Resource, own: str) -> Iterator[Hit]:
    for pointer, source in sources(application):
        revision = str(dig(source, "targetRevision") or "")
        at = (*pointer, "targetRevision")
        if dig(source, "chart"):
            if not _SEMVER.fullmatch(revision):
                message = f'chart {dig(source, "chart")} at "{revision}": a range or nothing lets it change by itself'
                yield hit(bundle, application, at, message, "name one version, such as 1.2.3")
        elif dig(source, "repoURL") != own and not (_SEMVER.fullmatch(revision) or _COMMIT.fullmatch(revision)):
            message = f'{dig(source, "repoURL")} at "{revision}": a branch moves'
            yield hit(bundle, application, at, message, "name a tag such as v1.2.3, or a commit")


def images(resource: Resource) -> Iterator[tuple[Pointer, str]]:
    """Every image that a container of an object names, with its pointer. Template tags are no names."""
    if resource.kind in ("CustomResourceDefinition", "ConfigMap", "Secret"):
        return
    for pointer, value in walk(resource.body):
        inside = pointer[-3:-1] if len(pointer) > 2 else ()  # noqa: PLR2004 - containers, 0, image
        in_list = len(inside) == 2 and inside[0] in _CONTAINERS  # noqa: PLR2004
        in_template = pointer[-2:-1] in (("container",), ("script",))
        if pointer[-1:] == ("image",) and isinstance(value, str) and (in_list or in_template) and "{{" not in value:
            yield pointer, value


def _tagged(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return bool(tag) and tag != "latest"
