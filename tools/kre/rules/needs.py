"""E03, E10, E20: what each identity is granted is what it needs (kre.rbac.require), no less, and no more.

An excess is found once: E20 has Secrets that Argo Events mounts, E10 the verbs of people who look around and of those
who clear away everything, E03 the rest. Where not all needs are known there is no excess: a budget has to say it then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kre.compare.spending import holders
from kre.load.provenance import place
from kre.model.bundle import Bundle, Environment
from kre.model.finding import Place, Related, Severity
from kre.model.once import once
from kre.rbac.budget import file_of
from kre.rbac.model import Step
from kre.rbac.require.model import Act, Level
from kre.rbac.require.verdict import Piece, Verdict, verdicts
from kre.rbac.words import full
from kre.rules.registry import Hit, rule

_READS, _WRITES = ("get", "list", "watch", "*"), ("create", "update", "patch")
_EVENTS = ("Sensor", "EventSource")


@once
def _judged(bundle: Bundle) -> list[tuple[Environment | None, tuple[str, ...], Verdict]]:
    """Every verdict, with its environment and the name of that, where there is one."""
    return [
        (environment, (environment.name,) if environment else (), verdict)
        for environment, _ in bundle.worlds
        for verdict in verdicts(bundle, environment)
    ]


@rule("E03", "every identity is granted what it needs, and nothing else", "world")
def needed(bundle: Bundle) -> Iterator[Hit]:
    for environment, names, verdict in _judged(bundle):
        severity: Severity | None = "warning" if verdict.guessed else None
        if environment is not None or verdict.held:  # else its Roles may stand elsewhere
            yield from _missing(bundle, names, verdict, severity)
        yield from _forbidden(bundle, names, verdict)
        rest = [piece for piece in verdict.excess if not (_secret(verdict, piece) or _around(verdict, piece))]
        yield from _excess(bundle, names, verdict, rest, "which nothing that it does needs", severity)
        if environment is not None and verdict.unknown and verdict.held:
            yield from _unknown(bundle, environment, verdict)


@rule("E10", "nobody lists, watches or deletes in bulk who acts on single objects", "world")
def around(bundle: Bundle) -> Iterator[Hit]:
    for _, names, verdict in _judged(bundle):
        severity: Severity | None = "warning" if verdict.guessed or verdict.unknown else None
        among = verdict.held if verdict.unknown else verdict.excess
        pieces = [piece for piece in among if not _secret(verdict, piece) and _around(verdict, piece)]
        means = "and all that it needs of them is single ones" if not verdict.unknown else "all of them at once"
        yield from _excess(bundle, names, verdict, pieces, means, severity)


@rule("E20", "no Sensor or EventSource reads Secrets, for Argo Events mounts those that it names", "world")
def secrets(bundle: Bundle) -> Iterator[Hit]:
    for _, names, verdict in _judged(bundle):
        severity: Severity | None = "warning" if verdict.unknown else None
        among = verdict.held if verdict.unknown else verdict.excess
        pieces = [piece for piece in among if _secret(verdict, piece)]
        yield from _excess(bundle, names, verdict, pieces, "and those that it names are mounted for it", severity)


def _secret(verdict: Verdict, piece: Piece) -> bool:
    runs = any(act.resource is not None and act.resource.kind in _EVENTS for act in verdict.acts)
    reads = piece.verb in _READS and piece.group == "" and piece.resource == "secrets"
    return runs and reads and not _needs(verdict, piece)


def _needs(verdict: Verdict, piece: Piece, *verbs: str) -> bool:
    """Whether it needs one of some verbs (by default the piece's own) on that resource."""
    wanted = verbs or (piece.verb,)
    needs = [need for act in verdict.acts for need in act.needs if need.level is not Level.FORBIDDEN]
    there = {(need.verb, need.group, need.resource) for need in needs}
    return any((verb, piece.group, piece.resource) in there for verb in wanted)


def _around(verdict: Verdict, piece: Piece) -> bool:
    """list and watch where it acts by name, bulk deletion of pods, changes of pods that it only deletes."""
    pods = piece.group == "" and piece.resource == "pods"
    if pods and piece.verb == "deletecollection":
        return not _needs(verdict, piece)
    if verdict.unknown or _needs(verdict, piece):
        return False
    if piece.verb in ("list", "watch"):
        return _needs(verdict, piece, "get", "create", "update", "patch", "delete")
    evicts = any(need.resource == "pods/eviction" for act in verdict.acts for need in act.needs)
    ends = _needs(verdict, piece, "delete") or evicts
    return pods and piece.verb in _WRITES and ends and not _needs(verdict, piece, *_WRITES)


def _missing(bundle: Bundle, names: tuple[str, ...], verdict: Verdict, severity: Severity | None) -> Iterator[Hit]:
    together: dict[tuple[Place, str, str, str], tuple[Act, list[str]]] = {}
    for lack in verdict.missing:
        need = lack.need
        shown = full(need.resource, need.group)
        key = (_at(bundle, lack.act), lack.act.what, shown, need.namespace)
        together.setdefault(key, (lack.act, []))[1].append(need.verb)
    for (where, what, shown, namespace), (act, verbs) in together.items():
        scope = f"in {namespace}" if namespace else "everywhere"
        message = f"{what}: {verdict.who} may not {', '.join(sorted(verbs))} {shown} {scope}, and has to"
        related = [Related(act.declared, "needs it")] if act.declared and act.declared != where else []
        related += [Related(at, "what it is granted") for at in _granted(bundle, verdict, namespace)]
        hint = f"a Role for {verdict.who} in {namespace}" if namespace else f"a ClusterRole for {verdict.who}"
        yield Hit(where, message, f"grant it: {hint}, and its binding", names, tuple(related), severity)


def _granted(bundle: Bundle, verdict: Verdict, namespace: str) -> list[Place]:
    """Where roles stand that it holds in a namespace."""
    found = [_rule_of(bundle, piece.chain) for piece in verdict.held if piece.namespace in ("", namespace)]
    return list(dict.fromkeys(at for at in found if at is not None))[:3]


def _forbidden(bundle: Bundle, names: tuple[str, ...], verdict: Verdict) -> Iterator[Hit]:
    for one in verdict.forbidden:
        need = one.need
        scope = f"in {need.namespace}" if need.namespace else "everywhere"
        message = f"{verdict.who} may {need} {scope}, and must not for {one.act.what}: {need.why}"
        at = _at(bundle, one.act)
        hint = "take it away; what else needs it should run as another ServiceAccount"
        yield Hit(_rule_of(bundle, one.grant.chain) or at, message, hint, names, (Related(at, "what it does"),))


def _excess(
    bundle: Bundle,
    names: tuple[str, ...],
    verdict: Verdict,
    pieces: Iterable[Piece],
    means: str,
    severity: Severity | None,
) -> Iterator[Hit]:
    """One finding for all that is too much in one rule."""
    together: dict[Step, list[Piece]] = {}
    for piece in pieces:
        ours = [step for step in piece.chain if step.resource is not None]
        together.setdefault(ours[-1], []).append(piece)
    for same in together.values():
        where = _rule_of(bundle, same[0].chain)
        if where is None:
            continue
        shown = ", ".join(dict.fromkeys(map(str, same)))
        spaces = ", ".join(dict.fromkeys(piece.namespace or "every namespace" for piece in same))
        message = f"{verdict.who} may {shown} in {spaces}, {means}"
        related = [Related(at, "by this") for at in dict.fromkeys(_bindings(bundle, same)) if at != where]
        related += [Related(at, "what it does") for at in dict.fromkeys(_at(bundle, act) for act in verdict.acts)][:3]
        hint = f"take it away: kre rbac need '{verdict.who.partition(' ')[2]}' shows what it needs"
        yield Hit(where, message, hint, names, tuple(related), severity)


def _bindings(bundle: Bundle, pieces: Iterable[Piece]) -> Iterator[Place]:
    for piece in pieces:
        step = piece.chain[0]
        if step.resource is not None:
            yield place(bundle, step.resource, step.pointer)


def _unknown(bundle: Bundle, environment: Environment, verdict: Verdict) -> Iterator[Hit]:
    """Somebody of whom nobody knows what they need stands in the budget, or is said to stand nowhere."""
    if verdict.who in holders(bundle, environment):
        return
    step = verdict.held[0].chain[0]
    if step.resource is not None:
        message = f"nobody can tell what {verdict.who} needs, and no budget says what it may hold: {verdict.unknown[0]}"
        hint = f"list it in {file_of(environment.folder)}: kre rbac budget --env {environment.name} --write drafts it"
        yield Hit(place(bundle, step.resource, step.pointer), message, hint, (environment.name,), severity="warning")


def _rule_of(bundle: Bundle, chain: tuple[Step, ...]) -> Place | None:
    """Where the last thing of a chain stands that is written here."""
    ours = [step for step in chain if step.resource is not None]
    return place(bundle, ours[-1].resource, ours[-1].pointer) if ours and ours[-1].resource is not None else None


def _at(bundle: Bundle, act: Act) -> Place:
    if act.resource is not None:
        return place(bundle, act.resource, act.pointer)
    return act.declared or Place("")
