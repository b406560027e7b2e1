"""The register of rules: id, severity, where it applies, what peers call it, and the function that checks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Literal, TypeAlias

from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Finding, Place, Related, Severity
from kre.model.resource import Pointer, Resource

# object: looks at one object alone. world: at objects that live side by side. layout: at a whole repository.
Scope: TypeAlias = Literal["object", "world", "layout"]

FAMILIES = (
    "accounts",
    "applications",
    "budget",
    "dangling",
    "delivery",
    "drift",
    "facts",
    "hops",
    "idle",
    "layout",
    "locks",
    "needs",
    "pins",
    "powers",
    "radius",
    "rbac",
    "reasoned",
    "references",
    "responses",
    "restrictions",
    "risks",
    "spread",
    "targets",
    "walls",
    "workflows",
)


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule found, before it is known under which id and how severe."""

    place: Place
    message: str
    hint: str = ""
    environments: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    severity: Severity | None = None  # the rule's own, where None


Check: TypeAlias = Callable[[Bundle], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule. `check` is None where another part of validation finds it (YAML, Kustomize, schemas).

    `aliases` are ids under which lists of RBAC checks have the same: `kre explain` takes them too.
    """

    id: str
    title: str
    scope: Scope
    severity: Severity
    peers: tuple[str, ...] = ()
    check: Check | None = None
    aliases: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """The rule's page in Markdown: why, a bad and a good example, the fix."""
        return (files("kre.rules") / "pages" / f"{self.id}.md").read_text(encoding="utf-8")

    def apply(self, bundle: Bundle) -> Iterator[Finding]:
        """Runs the check. Outside of a repository with environments the rest of a world may run in the cluster
        unseen: what a world rule finds there is a warning, and layout rules do not apply."""
        if self.check is None or (self.scope == "layout" and not bundle.environments):
            return
        severity: Severity = self.severity if bundle.environments or self.scope == "object" else "warning"
        for hit in self.check(bundle):
            grave = hit.severity or severity
            yield Finding(self.id, grave, hit.place, hit.message, hit.hint, hit.environments, hit.related)


_RULES: dict[str, Rule] = {}


def rule(
    name: str,
    title: str,
    scope: Scope,
    severity: Severity = "error",
    peers: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Callable[[Check], Check]:
    """Registers the decorated function as the check of rule `name`. Raises ValueError where the id is taken."""

    def register(check: Check) -> Check:
        _add(Rule(name, title, scope, severity, peers, check, aliases))
        return check

    return register


def _add(made: Rule) -> None:
    taken = {name for known in _RULES.values() for name in (known.id, *known.aliases)}
    if taken & {made.id, *made.aliases}:
        raise ValueError(f"two rules are called {made.id}")
    _RULES[made.id] = made


for _id, _title, _peers in (
    ("Y01", "a file can be read, and is UTF-8", ()),
    ("Y02", "a file is valid YAML", ()),
    ("Y03", "no key stands twice in a mapping", ("kubeconform -strict",)),
    ("Y04", "no YAML bombs: aliases and nesting are limited", ()),
    ("K01", "every root builds", ()),
    ("K02", "a kustomization names what is there", ()),
    ("K03", "a kustomization has no unknown field", ()),
    ("K04", "a kustomization fetches nothing over the network", ()),
    ("S01", "an object follows the schema of its kind", ("kubeconform",)),
    ("S02", "the kind of every object is known", ("kubeconform",)),
    ("S03", "an object inside a Sensor's trigger follows the schema of its kind", ()),
    ("S04", "a chart knows every key of its values files", ()),
    ("S05", "kre's own files follow their schemas", ()),
    ("S06", "names and labels are such as the API server takes", ()),
):
    _add(Rule(_id, _title, "object", "error", _peers))


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id: letters first, then the number."""
    for family in FAMILIES:
        import_module(f"kre.rules.{family}")
    return tuple(sorted(_RULES.values(), key=lambda known: (known.id.rstrip("0123456789"), len(known.id), known.id)))


def get(name: str) -> Rule | None:
    """The rule of this id or alias in any case, None where there is none."""
    wanted = name.upper()
    return next((known for known in all_rules() if wanted in (known.id, *known.aliases)), None)


def hit(
    bundle: Bundle,
    resource: Resource,
    pointer: Pointer,
    message: str,
    hint: str = "",
    related: tuple[Related, ...] = (),
) -> Hit:
    """A Hit at the source of a value of a rendered object, in the object's environment."""
    environments = (resource.environment,) if resource.environment else ()
    return Hit(place(bundle, resource, pointer), message, hint, environments, related)
