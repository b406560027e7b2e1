"""Who is asked to show that they are who they say: tokens, TLS, and the admission policies behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kre.compare.pair import Pair, change, mapping, turned, within
from kre.model.comparison import Change, Delta, Kind
from kre.model.resource import dig, each

_LOGIN = re.compile(r"(?i)(auth|tls|cert|secret|token|insecure|password|username|headers)")
_HARMLESS = re.compile(r"^spec\.(validations\[\d+\]\.(message|messageExpression|reason)|auditAnnotations)")
_ADMISSION = (
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
)
_MUTATING = ("MutatingAdmissionPolicy", "MutatingWebhookConfiguration", "MutatingAdmissionPolicyBinding", "APIService")


def event_sources(pair: Pair) -> Iterator[Change]:
    """The webhook that alerts come in by: its token, its TLS; and any other way in."""
    for delta in pair.of("EventSource"):
        if delta.after is None:
            yield change(Kind.DETECTION, delta, "this EventSource is gone: no alert comes in by it")
            continue
        for at in within(delta, "spec"):
            if at.path.startswith("spec.template"):
                continue  # kre.compare.workloads
            if _LOGIN.search(".".join(str(step) for step in at.pointer)):
                tighter = at.before is None and not at.path.lower().endswith("insecure")
                if not tighter:
                    yield change(Kind.AUTHENTICATION, delta, turned(at), at)
                continue
            kind = Kind.DETECTION if delta.before is not None else None
            if open_ := _open(at.after, at.path):
                yield change(Kind.AUTHENTICATION, delta, f"a way in without a token: {', '.join(open_)}", at)
            elif kind and not (at.path == "spec.replicas" and _more(at.before, at.after)):
                yield change(kind, delta, f"{turned(at)}: alerts may be lost", at)


def _more(before: object, after: object) -> bool:
    return isinstance(after, int) and after >= (before if isinstance(before, int) else 1)


def _open(value: object, path: str) -> list[str]:
    """The names of webhooks in a new part of a spec that ask for no token."""
    depth = path.count(".")
    if depth == 0:
        found = mapping(dig(value, "webhook"))
    elif path == "spec.webhook":
        found = mapping(value)
    else:
        found = {path.rpartition(".")[2]: value} if path.startswith("spec.webhook.") and depth == 2 else {}  # noqa: PLR2004 - spec.webhook.<name>
    return sorted(str(name) for name, entry in found.items() if isinstance(entry, dict) and "authSecret" not in entry)


def sensors(pair: Pair) -> Iterator[Change]:
    """The token that a Sensor shows the dispatcher. What else is in it: kre.compare.pipeline."""
    for delta in pair.of("Sensor"):
        old, new = (_tokens(body) for body in (delta.old, delta.new))
        for name in [name for name in new if name in old and new[name] != old[name]]:
            index = next(i for i, entry in enumerate(each(delta.new, "spec", "triggers")) if _name(entry) == name)
            what = f"trigger {name} shows another token, or none"
            yield change(Kind.AUTHENTICATION, delta, what, None, ("spec", "triggers", index))


def _name(trigger: object) -> str:
    return str(dig(trigger, "template", "name"))


def _tokens(body: object) -> dict[str, object]:
    return {
        _name(entry): [dig(entry, "template", "http", field) for field in ("secureHeaders", "tls", "basicAuth")]
        for entry in each(body, "spec", "triggers")
    }


def secrets(pair: Pair) -> Iterator[Change]:
    """Secrets in Git, tokens that never expire, and the certificates of TLS."""
    for delta in pair.of("Secret"):
        lasting = dig(delta.new, "type") == "kubernetes.io/service-account-token"
        if delta.before is None and lasting:
            account = dig(delta.new, "metadata", "annotations", "kubernetes.io/service-account.name")
            yield change(Kind.AUTHENTICATION, delta, f"a token of ServiceAccount {account} that never expires")
        elif delta.before is None:
            yield change(Kind.AUTHENTICATION, delta, "a Secret whose value stands in Git")
        else:
            yield change(Kind.AUTHENTICATION, delta, f"this Secret is {delta.what}")
    for delta in pair.of("Certificate", "Issuer", "ClusterIssuer"):
        if delta.before is not None:
            yield change(Kind.AUTHENTICATION, delta, f"TLS: this {delta.key.kind} is {delta.what}")


def admission(pair: Pair) -> Iterator[Change]:
    """What the API server refuses. No change of a policy is shown to be tighter here, so each counts."""
    for delta in pair.of(*_ADMISSION):
        mutating = delta.key.kind in _MUTATING
        if delta.before is None:
            if mutating:
                yield change(Kind.ADMISSION, delta, "it sees, and may alter, what others write")
        elif delta.after is None:
            yield change(Kind.ADMISSION, delta, "this policy is gone")
        else:
            yield from _altered(delta)


def _altered(delta: Delta) -> Iterator[Change]:
    if delta.key.kind.endswith("Configuration"):
        for at in within(delta, "webhooks"):
            yield change(Kind.ADMISSION, delta, turned(at), at)
        return
    for at in within(delta, "spec"):
        one_more = at.before is None and re.fullmatch(r"spec\.validations\[\d+\]", at.path)
        if _HARMLESS.match(at.path) or one_more:  # all have to hold
            continue
        yield change(Kind.ADMISSION, delta, turned(at), at)
