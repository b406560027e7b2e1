"""What identities may do, and why: `kre rbac`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from kre.model.finding import Place
from kre.rbac.atlas import Atlas, Runs
from kre.rbac.model import Grant, Question, Rule, Step, User
from kre.rbac.words import full
from kre.report import charts
from kre.report.printable import printable

if TYPE_CHECKING:
    from kre.compare.spending import Spending


def rule(found: Rule) -> str:
    """A rule in words: verbs, then resources with their groups, then the only names."""
    if found.urls:
        return f"{', '.join(found.verbs)} {', '.join(found.urls)}"
    of = [full(name, group) for group in found.groups for name in found.resources]
    only = f" named {', '.join(name or 'nothing' for name in found.names)}" if found.names else ""
    return f"{', '.join(found.verbs)} {', '.join(of)}{only}"


Where = Callable[[Step], Place | None]  # where a link of a chain is written; None for what comes with Kubernetes


def chain(where: Where, steps: Iterable[Step]) -> str:
    """The links of a chain with their lines."""
    return " -> ".join(f"{step} ({where(step) or 'comes with Kubernetes'})" for step in steps)


def chain_json(where: Where, steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [{"object": str(step), "place": str(at) if (at := where(step)) else None} for step in steps]


def show_text(atlas: Atlas, title: str, user: User, runs: Iterable[Runs], *, everything: bool) -> Iterator[str]:
    """The lines about one identity: what runs as it, and what it may where."""
    yield printable(title)
    for one in runs:
        why = ", which names nobody" if one.implied else ""
        yield printable(f"  runs {one.by}{why} ({one.place})")
    left = 0
    found: dict[str, list[Grant]] = {}
    for grant in atlas.policy.grants(user):
        if everything or atlas.ours(grant.chain):
            found.setdefault(grant.namespace, []).append(grant)
        else:
            left += 1
    if not found:
        yield "  may do nothing" + (" but what every cluster lets it" if left else "")
    for namespace in sorted(found):
        yield printable(f"  in {namespace}:" if namespace else "  everywhere:")
        for grant in found[namespace]:
            yield printable(f"    {rule(grant.rule)}")
            yield printable(f"      {chain(atlas.place, grant.chain)}")


def show_json(atlas: Atlas, title: str, user: User, runs: Iterable[Runs], *, everything: bool) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "identity": title,
        "user": user.name,
        "groups": sorted(user.groups),
        "runs": [{"by": one.by, "place": one.place, "implied": one.implied} for one in runs],
        "grants": [
            grant_json(atlas, grant) for grant in atlas.policy.grants(user) if everything or atlas.ours(grant.chain)
        ],
    }


def grant_json(atlas: Atlas, grant: Grant) -> dict[str, Any]:
    """A rule that somebody has; `namespace` is null where it holds everywhere."""
    return {
        "namespace": grant.namespace or None,
        "verbs": list(grant.rule.verbs),
        "apiGroups": list(grant.rule.groups),
        "resources": list(grant.rule.resources),
        "resourceNames": list(grant.rule.names),
        "nonResourceURLs": list(grant.rule.urls),
        "chain": chain_json(atlas.place, grant.chain),
    }


def asked(question: Question) -> str:
    """A question in words."""
    if question.path:
        return f"{question.verb} {question.path}"
    name = f" {question.name}" if question.name else ""
    where = f"in {question.namespace}" if question.namespace else "in no namespace, or in all"
    return f"{question.verb} {full(question.whole, question.group)}{name} {where}"


def budget_text(environment: str, found: Spending | None) -> Iterator[str]:
    """What is beyond a budget (+), and what is in it for nothing (-)."""
    if found is None:
        yield f"# {environment}: there is no budget; kre rbac budget --env {environment} --write drafts one"
        return
    fits = "" if found.over or found.unused else ": all that is granted is in the budget, and no more"
    yield f"# {environment}{fits}"
    yield from (printable(f"+ {grant}, which is not in the budget") for grant in found.over)
    yield from (printable(f"- {entry.rights[0]} is in the budget, and not granted") for entry in found.unused)


def budget_json(environment: str, found: Spending | None) -> dict[str, Any]:
    """The same as JSON; `budget` is false where there is none."""
    return {
        "environment": environment,
        "budget": found is not None,
        "over": [str(grant) for grant in found.over] if found else [],
        "unused": [str(entry.rights[0]) for entry in found.unused] if found else [],
    }


def charts_json(atlas: Atlas) -> dict[str, Any]:
    """The charts whose RBAC is not in this, and those whose is."""
    return {
        "charts": [name for name, _ in atlas.charts],
        "chartsIncluded": [{"chart": name, "sha256": digest, "pinned": pin} for name, digest, pin in atlas.brought],
    }


def unseen(atlases: Iterable[Atlas]) -> list[str]:
    """What this does not know, said plainly, and once; and which charts it knows."""
    known = list(atlases)
    told = charts.lines(
        (one for atlas in known for one in atlas.charts), (one for atlas in known for one in atlas.brought)
    )
    found: dict[str, None] = {}
    for atlas in known:
        found.update((printable(line), None) for line in atlas.refused)
        if atlas.policy.unsettled:
            names = ", ".join(sorted(atlas.policy.unsettled))
            line = f"ClusterRoles that aggregate each other without end, all that they may hold counts: {names}"
            found[printable(line)] = None
    return [*found, *told]
