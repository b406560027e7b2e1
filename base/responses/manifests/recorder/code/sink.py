"""Where lines go besides standard output: one address that says that it has them. Without a setting, nowhere."""

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.request import (
    BaseHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

Line: TypeAlias = Mapping[str, Any]
ALARMING = ("failed", "never-started", "unrecorded", "late", "timed-out")


def as_json(line: Line) -> object:
    """The line itself: for a collector (Vector, Fluent Bit, ...) that answers when it has stored it."""
    return dict(line)


def as_loki(line: Line) -> object:
    """Loki's push API. The time is the line's, so that a copy is the same entry, and Loki keeps it once."""
    stamp = f"{int(datetime.fromisoformat(str(line['time'])).timestamp() * 1000)}000000"
    stream = {"job": "kre", "part": str(line["part"]), "outcome": str(line["outcome"])}
    return {"streams": [{"stream": stream, "values": [[stamp, json.dumps(line, sort_keys=True)]]}]}


def as_falco(line: Line) -> object:
    """An event as Falco sends it to Falcosidekick, which knows some sixty outputs. It answers before it has passed the
    event on, and does not try again: what takes the line from here may still lose it."""
    priority = "Warning" if line["outcome"] in ALARMING else "Notice"
    fields = {f"kre.{key}": value if isinstance(value, str) else json.dumps(value) for key, value in line.items()}
    place = {"k8s.ns.name": str(line.get("namespace", "")), "k8s.pod.name": str(line.get("pod", ""))}
    output = f"{line.get('response')} {line['outcome']}: {line.get('reason')}"
    told = {"rule": "kre record", "priority": priority, "source": "kre", "output": output, "tags": ["kre"]}
    return told | {"time": str(line["time"]), "output_fields": fields | place}


FORMATS: dict[str, Callable[[Line], object]] = {"json": as_json, "loki": as_loki, "falcosidekick": as_falco}


class Sink:
    """`values` gives the settings as of now: url, format, authorization, ca.crt. `count` is told of each post."""

    def __init__(self, values: Callable[[], Mapping[str, str]], count: Callable[[str], None]) -> None:
        self._values, self._count = values, count

    def take(self, line: Line) -> bool:
        """Whether the line is where it should be: nothing more to be done. False is to be asked again, for ever."""
        known = self._values()
        if not (url := known.get("url", "")):
            return True
        try:
            self._post(url, FORMATS[known.get("format") or "json"](line), known)
        except (OSError, ValueError, LookupError, TypeError, http.client.HTTPException):
            self._count("failed")
            return False
        self._count("taken")
        return True

    def _post(self, url: str, body: object, known: Mapping[str, str]) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("the sink is no URL")
        headers = {"Content-Type": "application/json", "User-Agent": "kre-recorder"}
        if known.get("authorization"):
            headers["Authorization"] = known["authorization"]
        tls = ssl.create_default_context(cadata=known.get("ca.crt") or None)
        opener = OpenerDirector()  # follows no redirect: the POST would become a GET without its body
        handlers: tuple[BaseHandler, ...] = (ProxyHandler({}), HTTPHandler(), HTTPSHandler(context=tls))
        for handler in (*handlers, HTTPErrorProcessor(), HTTPDefaultErrorHandler()):
            opener.add_handler(handler)
        opener.open(Request(url, json.dumps(body).encode(), headers), timeout=10).close()  # noqa: S310 - http, as above
