"""What is asked, checked before anything else happens: a Sensor's alert, and a Workflow's wish to the responder."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

import names
from names import Refused

# One pod, and on whose word: values by the keys below, each of its form; `by` is who approved or asked, "" for nobody.
Request: TypeAlias = Mapping[str, str]
Act: TypeAlias = Callable[..., tuple[str, str]]  # does what is asked; returns (outcome, reason)
Forms: TypeAlias = Mapping[str, re.Pattern[str]]
More: TypeAlias = Iterable[tuple[str, object]]  # facts for the record, which there are when `act` has ended

FORMS = {"response": names.NAMESPACE, "workflow": names.POD, "namespace": names.NAMESPACE, "pod": names.POD}
FORMS |= {"uid": names.UUID, "rule": names.NAMESPACE, "alert": names.UUID, "received": names.SECONDS}
FORMS |= {"action": names.ACTION, "step": names.STEP, "mode": names.MODE}
FIELDS = ("namespace", "pod", "uid", "container", "rule", "alert", "time")


def parse_alert(body: Mapping[str, object], now: float, max_age: int) -> dict[str, str]:
    """The JSON object of a Sensor -> its fields, each of its form: of `uid` and `container` one may be "", `rule` is a
    slug, `received` is when the EventSource took it in epoch seconds, as in a redelivery. Raises Refused."""
    text = {key: value for key in FIELDS if isinstance(value := body.get(key), str)}
    if missing := [key for key in FIELDS if key not in text]:
        raise Refused(f"{missing[0]} is missing or no text")
    # Argo Events writes a null as this text, and a missing field as "".
    text |= {key: "" for key in ("uid", "container") if text[key] == "null"}
    identity = {"uid": names.UUID} if text["uid"] else {"container": names.CONTAINER}
    names.check(text, {**identity, **{key: FORMS[key] for key in ("namespace", "pod", "alert")}})
    try:
        received = datetime.fromisoformat(text["time"]).timestamp()
    except (ValueError, OverflowError):
        received = -1
    if not now - max_age <= received <= now + 60:
        raise Refused("the alert is too old, or from the future")
    return text | {"rule": names.slug(text["rule"]), "received": str(int(received))}


def facts(environ: Mapping[str, str]) -> dict[str, str]:
    """The raw values: what a record may repeat of a request that is refused."""
    return {key: environ.get(f"KRE_{key.upper()}", "") for key in FORMS} | {"by": _by(environ)}


def parse(environ: Mapping[str, str], forms: Forms = FORMS) -> Request:
    """Environment variables KRE_* -> a checked Request; raises Refused at the first value that is not as it must be."""
    return names.check(facts(environ), forms)


def _by(environ: Mapping[str, str]) -> str:
    """The user that the Workflow's annotations name: an admission policy lets nobody write another's name there."""
    whose = names.APPROVED_BY if environ.get("KRE_MODE") == "approve" else names.REQUESTED_BY
    try:
        found = str(json.loads(environ.get("KRE_ANNOTATIONS") or "{}").get(whose) or "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return found if names.USER.fullmatch(found) else ""
