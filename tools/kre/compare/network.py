"""Who may reach whom: NetworkPolicies, Services, and whatever opens a way in from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kre.compare.pair import Pair, change, turned, within
from kre.model.comparison import Change, Delta, Kind
from kre.model.resource import dig, each

_DOORS = ("Ingress", "HTTPRoute", "TLSRoute", "TCPRoute", "GRPCRoute", "Gateway", "VirtualService", "IngressRoute")


def policies(pair: Pair) -> Iterator[Change]:
    """A NetworkPolicy that lets more through, or is gone; one that lets less through may cut off alerts."""
    for delta in pair.deltas:
        kind, group = delta.key.kind, delta.key.group
        if kind == "NetworkPolicy" and group == "networking.k8s.io":
            yield from _policy(delta)
        elif kind.endswith("NetworkPolicy") and delta.before is not None:  # of a CNI: nobody here reads it
            yield change(Kind.NETWORK, delta, f"this policy is {delta.what}")
        elif kind in _DOORS:
            yield change(Kind.NETWORK, delta, f"a way in from outside is {delta.what}")


def _policy(delta: Delta) -> Iterator[Change]:
    if delta.after is None:
        yield change(Kind.NETWORK, delta, "this policy is gone: whom it selected is open")
        return
    if delta.before is None:
        allows = [word for word in ("ingress", "egress") if each(delta.new, "spec", word)]
        if allows:
            yield change(Kind.NETWORK, delta, f"policies add up: this new one allows {' and '.join(allows)}")
        else:
            yield from _cut(delta)
        return
    for field in ("podSelector", "policyTypes"):
        for at in within(delta, "spec", field):
            narrower = field == "policyTypes" and at.before is None
            yield change(Kind.NETWORK if not narrower else Kind.DETECTION, delta, turned(at), at)
    for word, peer in (("ingress", "from"), ("egress", "to")):
        then, now = each(delta.old, "spec", word), each(delta.new, "spec", word)
        wider = [index for index, rule in enumerate(now) if not any(_inside(rule, wide, peer) for wide in then)]
        for index in wider:
            yield change(Kind.NETWORK, delta, f"{word} rule {index + 1} lets more through", None, ("spec", word, index))
        if then != now and not wider:
            yield change(
                Kind.DETECTION, delta, f"{word} lets less through: alerts may not arrive", None, ("spec", word)
            )


def _cut(delta: Delta) -> Iterator[Change]:
    """A new policy that allows nothing. What cuts off isolated pods is no way of alerts."""
    if dig(delta.new, "spec", "podSelector", "matchLabels") != {"kre/quarantine": "true"}:
        yield change(Kind.DETECTION, delta, "this new policy cuts pods off: alerts may not arrive")


def _inside(rule: Any, wide: Any, peer: str) -> bool:  # noqa: ANN401 - YAML
    """Whether every connection that `rule` allows is one that `wide` allows. No list means all."""
    peers, ports = each(wide, peer), each(wide, "ports")
    mine, doors = each(rule, peer), each(rule, "ports")
    return (not peers or (bool(mine) and all(entry in peers for entry in mine))) and (
        not ports or (bool(doors) and all(entry in ports for entry in doors))
    )


def services(pair: Pair) -> Iterator[Change]:
    """Behind which address whose pods answer."""
    for delta in pair.of("Service", "Endpoints", "EndpointSlice"):
        if delta.before is None:
            kind = str(dig(delta.new, "spec", "type") or "ClusterIP")
            outside = kind != "ClusterIP" or dig(delta.new, "spec", "externalIPs") or delta.key.kind != "Service"
            if outside or not pair.released(delta):
                yield change(Kind.NETWORK, delta, f"a new address of type {kind}")
        elif delta.after is None:
            yield change(Kind.DETECTION, delta, "this address is gone: who posts to it is not answered")
        elif delta.key.kind != "Service":
            yield change(Kind.NETWORK, delta, "other addresses stand behind it")
        else:
            for at in within(delta, "spec"):
                yield change(Kind.NETWORK, delta, turned(at), at)
