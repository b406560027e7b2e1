"""What a Workflow asks of the responder, read from the environment and checked before anything else happens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# RFC 1123, as the API server has it: label for a namespace, subdomain for a pod.
NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
POD = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

MODES = ("observe", "enforce")


class Refused(Exception):
    """The responder will not act. The message says why, for a person, in words of its own (never the alert's)."""


@dataclass(frozen=True)
class Request:
    """One pod to act on, and on whose word.

    Every string is an identifier of the form that its name promises; `targets` is an anchored regular expression.
    """

    response: str
    mode: str
    targets: str
    namespace: str
    pod: str
    uid: str
    alert: str


def facts(environ: Mapping[str, str]) -> dict[str, str]:
    """The raw values by name, each cut to 253 characters: what a record may repeat of a request that is refused."""
    names = ("response", "mode", "targets", "namespace", "pod", "uid", "alert")
    return {name: environ.get(f"KRE_{name.upper()}", "")[:253] for name in names}


def parse(environ: Mapping[str, str]) -> Request:
    """Environment variables KRE_* -> a checked Request; raises Refused at the first value that is not as it must be."""
    value = {name: environ.get(f"KRE_{name.upper()}", "") for name in facts(environ)}
    if value["mode"] not in MODES:
        raise Refused(f"mode is none of {', '.join(MODES)}")
    for name, pattern in (("namespace", NAMESPACE), ("pod", POD), ("uid", UUID), ("alert", UUID)):
        if not pattern.fullmatch(value[name]):
            raise Refused(f"{name} is not a valid {'UUID' if pattern is UUID else 'name'}")
    try:
        re.compile(value["targets"])
    except re.error:
        raise Refused("targets is not a regular expression") from None
    return Request(**value)
