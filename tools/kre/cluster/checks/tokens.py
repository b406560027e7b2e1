"""The Secrets that `kre token` makes. A Snapshot has of each value its form and a digest, nothing to give away."""

from __future__ import annotations

from kre.cluster.result import Trouble, Verdict
from kre.cluster.snapshot import Snapshot
from kre.cluster.wanted import PIPELINE, dispatch_secret, webhook
from kre.edit.token import FALCOSIDEKICK
from kre.model.resource import dig

ALL = "kre token | kubectl apply -f -; then: kubectl -n falco rollout restart deployment falcosidekick"
HEADERS = "WEBHOOK_CUSTOMHEADERS"


def webhook_token(snapshot: Snapshot) -> Verdict:
    """What the EventSource asks for is what Falcosidekick sends."""
    source = snapshot.wanted.eventsource
    named = dig(webhook(source), "authSecret") if source else None
    if not named:
        found = "it asks for no token: whoever reaches it can send alerts"
        return Verdict("", (Trouble("failed", str(source or "EventSource"), found, "give it an authSecret"),))
    asks, trouble = _value(snapshot, (PIPELINE, named["name"]), named["key"], "bare", ALL)
    sends, other = _value(snapshot, FALCOSIDEKICK, HEADERS, "header", ALL)
    troubles = [one for one in (trouble, other) if one]
    if not troubles and asks != sends:
        where = f"Secrets {PIPELINE}/{named['name']} and {'/'.join(FALCOSIDEKICK)}"
        found = "they hold different tokens: each post of Falcosidekick is refused with 401"
        troubles.append(Trouble("failed", where, found, ALL))
    both = f"{PIPELINE}/{named['name']} and {'/'.join(FALCOSIDEKICK)} hold the same"
    return Verdict(both, tuple(troubles))


def dispatch_tokens(snapshot: Snapshot) -> Verdict:
    """Each response has one, and no two are alike."""
    troubles: list[Trouble] = []
    known: dict[str, str] = {}
    for response, sensor in snapshot.wanted.sensors.items():
        name, key = dispatch_secret(sensor)
        remedy = f"kre token --response {response} | kubectl apply -f -"
        digest, trouble = _value(snapshot, (PIPELINE, name), key, "bearer", remedy)
        if trouble:
            troubles.append(trouble)
        elif (other := known.setdefault(digest, name)) != name:
            found = f"it holds the token of {other}: the dispatcher can't tell their responses apart"
            troubles.append(Trouble("failed", f"Secret {PIPELINE}/{name}", found, remedy))
    return Verdict(f"of {', '.join(snapshot.wanted.sensors) or 'no response'}: there, no two alike", tuple(troubles))


def _value(snapshot: Snapshot, where: tuple[str, str], key: str, form: str, remedy: str) -> tuple[str, Trouble | None]:
    """The digest of a token, or what is wrong with it."""
    namespace, name = where
    live, place = snapshot.get("Secret", name, namespace), f"Secret {namespace}/{name}"
    if live is None:
        return "", Trouble("failed", place, "there is none", remedy)
    found, _, digest = str(dig(live, "data", key) or "").partition(":")
    if not digest:
        return "", Trouble("failed", place, f"it has no token under key {key}", remedy)
    if found != form:
        wants = {"bare": "the token alone", "bearer": "`Bearer <token>`", "header": "`Authorization:Bearer <token>`"}
        return "", Trouble("failed", place, f"key {key} is not of the form {wants[form]}", remedy)
    return digest, None
