"""The responder of capture-evidence: keeps what is known of a pod, before somebody or something takes it away."""

import os
import re
import sys
from pathlib import Path

import responder
from act import allowed
from api import Client, server
from guard import check_namespace, check_pod, find
from keep import keep, write
from logs import Logs
from pieces import gather
from request import FORMS, Request
from settings import Settings

# Bytes of it all: an object at the API server holds 1 MiB, and it is base64 on its way there; an artifact more.
OBJECT, ARTIFACT = 900_000, 8 << 20
# "upload" is what the exit handler records of an artifact that was made and never arrived.
ACTIONS = FORMS | {"action": re.compile("capture|upload")}
told: dict[str, object] = {}  # what the record has besides: where it is, and the sha256 of each piece


def respond(request: Request, settings: Settings, client: Client, _: str) -> tuple[str, str]:
    """Keeps what there is of the pod of `request`, if all allows it; returns (outcome, reason). Raises Refused, Gone,
    ApiError."""
    check_namespace(settings, request["response"], request["namespace"])
    pod = find(client, request)
    check_pod(client, settings, request["response"], pod, disruptive=False)
    if not allowed(request, settings.choice(request["response"], "mode")):
        return "would-capture", "mode is observe"
    artifact = os.environ.get("KRE_EVIDENCE") == "artifact"
    found = gather(Logs(server(os.environ)), request, pod, ARTIFACT if artifact else OBJECT)
    index, digest = found.index(request, pod)
    if artifact:
        where = write(Path(os.environ.get("KRE_OUT", "/out")) / "evidence", index, found)
    else:
        where = keep(client, request, index, digest, found)
    told["evidence"] = {"in": where, "index": digest, "sha256": found.hashes()}
    cut = f", {len(found.cut)} cut" if found.cut else ""
    lacking = f", {len(found.missing)} missing" if found.missing else ""
    said = f"{len(found.pieces)} pieces{cut}{lacking} in {where}; sha256 of index.json {digest}"
    return ("partly-captured", said) if found.missing else ("captured", said)


if __name__ == "__main__":
    sys.exit(responder.main(os.environ, respond, ACTIONS, told.items()))
