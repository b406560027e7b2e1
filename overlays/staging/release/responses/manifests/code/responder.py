"""delete-pod: deletes the pod that an alert names, if it is still that pod and may be touched.

Ends with 0 when the outcome is decided (deleted, would-delete, gone, refused), with 1 when it failed.
"""

from __future__ import annotations

import os
import sys

import record
from api import ApiError, Client, server
from guard import check_namespace, check_pod
from request import Refused, Request, facts, parse


def respond(request: Request, client: Client) -> tuple[str, str]:
    """Acts on the pod of `request`; returns (outcome, reason). Raises Refused or ApiError."""
    check_namespace(request)
    pod = client.get_pod(request.namespace, request.pod)
    if pod is None:
        return "gone", "there is no such pod"
    check_pod(request, pod)
    if request.mode == "observe":
        return "would-delete", "mode is observe"
    if not client.delete_pod(request.namespace, request.pod, request.uid):
        return "gone", "the pod went away or was replaced"
    return "deleted", "the pod was deleted"


def main() -> int:
    """Reads the request from the environment, responds, writes the record; returns the exit code."""
    try:
        outcome, reason = respond(parse(os.environ), Client(server(os.environ)))
    except Refused as refusal:
        outcome, reason = "refused", str(refusal)
    except ApiError as error:
        outcome, reason = "failed", str(error)
    record.write(outcome, reason, facts(os.environ))
    return 1 if outcome == "failed" else 0


if __name__ == "__main__":
    sys.exit(main())
