"""What a responder does to a pod that it may act on."""

import http.client
import json
from urllib.request import HTTPDefaultErrorHandler, HTTPErrorProcessor, HTTPSHandler, OpenerDirector, ProxyHandler
from urllib.request import Request as Post

import isolate
from api import ApiError, Client, Object, path
from guard import check_namespace, check_pod, find
from names import MARKED, MODES, Refused
from request import Request
from settings import Settings


def respond(request: Request, settings: Settings, client: Client, webhook: str) -> tuple[str, str]:
    """Acts on the pod of `request` if all allows it; returns (outcome, reason). Raises Refused, Gone, ApiError."""
    response, action = request["response"], request["action"]
    check_namespace(settings, response, request["namespace"])
    pod = find(client, request)
    undo = action == "release"  # a person's wish: what isolation was allowed to do, it may undo
    if not undo:
        check_pod(client, settings, response, pod, disruptive=action in ("delete", "isolate"))
    if not allowed(request, "enforce" if undo else settings.choice(response, "mode")):
        return f"would-{action}", "mode is observe"
    if undo or action == "isolate":
        return (isolate.release if undo else isolate.isolate)(client, request, pod)
    if action == "label":
        client.patch(request, {"labels": {MARKED: request["rule"]}})
        return "labelled", f"labelled {MARKED}={request['rule']}"
    if action == "notify":
        return notify(webhook, request)
    options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": request["uid"]}}
    options["gracePeriodSeconds"] = 1  # an intruder has no use for a graceful end; 0 would not wait for the kubelet
    if client.call("DELETE", path("pods", request["namespace"], request["pod"]), options, take=(404, 409))[0] >= 400:
        find(client, request)  # raises if the pod went away or was replaced
        raise ApiError("409: Conflict")
    return "deleted", "the pod was deleted"


def allowed(request: Request, mode: str) -> bool:
    """Whether to act, or only to say so. What is asked never goes beyond `mode`, what is allowed. Raises Refused."""
    if "observe" in (request["mode"], mode):
        return False
    if MODES.index(request["mode"]) > MODES.index(mode):
        raise Refused(f"mode is {mode}: a person must approve")
    if not request["by"] and (request["mode"] == "approve" or request["action"] == "release"):
        raise Refused("nobody approved it, or asked for it")
    return True


def notify(webhook: str, request: Request) -> tuple[str, str]:
    """Posts the request to `webhook`, an https URL; "" leaves it at the Event. Raises ApiError."""
    if not webhook:
        return "notified", "noted as an Event; there is no webhook"
    if not webhook.startswith("https://"):
        raise ApiError("the webhook is no https URL")
    body, headers = json.dumps(dict(request)).encode(), {"Content-Type": "application/json"}
    opener = OpenerDirector()  # follows no redirect: the POST would become a GET without its body
    for handler in (ProxyHandler, HTTPSHandler, HTTPErrorProcessor, HTTPDefaultErrorHandler):
        opener.add_handler(handler())
    try:
        opener.open(Post(webhook.strip(), body, headers), timeout=10).close()  # noqa: S310 - https, as above
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ApiError(f"the webhook has not taken it: {getattr(error, 'code', type(error).__name__)}") from None
    return "notified", "noted as an Event, and the webhook has taken it"
