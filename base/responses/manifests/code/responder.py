"""The step of a Workflow that acts on a pod, or that records that none did. Ends with 1 when it failed, else with 0."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import record
from act import respond
from api import Client, server
from request import FORMS, Act, Forms, More, Request, facts, parse
from settings import Settings, read_folder


def step(environ: Mapping[str, str], request: Request, act: Act) -> tuple[str, str]:
    """(outcome, reason) of the step, having done what it says. Raises Refused, Gone, ApiError."""
    if request["step"] == "act":
        settings = Settings(read_folder(environ.get("KRE_SETTINGS", "/etc/kre/settings")))
        return act(request, settings, Client(server(environ)), environ.get("KRE_WEBHOOK", ""))
    if request["mode"] == "approve" and r"\"templateName\":\"approval\"" in environ.get("KRE_FAILURES", ""):
        return ("rejected", f"rejected by {request['by']}") if request["by"] else ("timed-out", "nobody approved it")
    return "failed", f"the Workflow ended as {environ.get('KRE_STATUS')}"  # its responder may never have run


def main(environ: Mapping[str, str], act: Act = respond, forms: Forms = FORMS, more: More = ()) -> int:
    """Runs the step that the environment describes, by this `act`; returns the exit code. The record has `more` too."""
    outcome, reason = record.settle(lambda: step(environ, parse(environ, forms), act))
    made = facts(environ) | dict(more) | {"part": "responder", "outcome": outcome, "reason": reason}
    # parse: an Event of anything that it refuses would be refused, or stand where it does not belong
    event, why = record.settle(lambda: record.event(Client(server(environ)), {**parse(environ, forms), **made}))
    line = record.line(made | {"event": f"{event}: {why}"})
    if event != "known" or made["step"] != "record":
        record.write(line)
    out = Path(environ.get("KRE_OUT", "/out"))
    for name, content in (("record", line), ("outcome", outcome)) if out.is_dir() else ():
        (out / name).write_text(content)
    return int(outcome == "failed")


if __name__ == "__main__":
    sys.exit(main(os.environ))
