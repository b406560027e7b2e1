"""The step of a Workflow that acts on a pod, or that records that none did. Ends with 1 when it failed, else with 0."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import record
from act import respond
from api import ApiError, Client, server
from names import Refused
from request import facts, parse
from settings import Settings, read_folder


def step(environ: Mapping[str, str], client: Client) -> tuple[str, str]:
    """(outcome, reason) of the step, having done what it says. Raises Refused, Gone, ApiError."""
    request = parse(environ)
    if environ.get("KRE_STEP") != "record":
        settings = Settings(read_folder(environ.get("KRE_SETTINGS", "/etc/kre/settings")))
        return respond(request, settings, client, environ.get("KRE_WEBHOOK", ""))
    if request["mode"] != "approve":  # the Workflow did not succeed, and its responder may never have run
        return "failed", f"the Workflow ended as {environ.get('KRE_STATUS')}"
    by = request["by"]
    return ("rejected", f"not approved by {by}") if by else ("timed-out", "nobody approved it in time")


def main(environ: Mapping[str, str]) -> int:
    """Runs the step that the environment describes; returns the exit code."""
    client, fresh = Client(server(environ)), True
    outcome, reason = record.settle(lambda: step(environ, client))
    made = facts(environ) | {"part": "responder", "outcome": outcome, "reason": reason}
    try:
        parse(environ)  # an Event of anything else would be refused, or stand where it does not belong
        fresh = record.event(client, made)
    except (ApiError, Refused) as error:
        made["event"] = f"not written: {error}"
    if fresh or environ.get("KRE_STEP") != "record":
        record.write(record.line(made))
    out = Path(environ.get("KRE_OUT", "/out"))
    for name, content in (("record", record.line(made)), ("outcome", outcome)) if out.is_dir() else ():
        (out / name).write_text(content)
    return int(outcome == "failed")


if __name__ == "__main__":
    sys.exit(main(os.environ))
