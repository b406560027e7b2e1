"""The record as the cluster has it: logs of the pods that are there, and of their containers' last lives."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from kre.doors.kubectl import Api
from kre.errors import ToolError
from kre.model.resource import dig, each

_PODS = "/api/v1/namespaces/kre-pipeline/pods"
_WHOSE = "app.kubernetes.io/name in (intake,dispatcher,recorder)"
_OK, _BAD_REQUEST = 200, 400  # the latter: there was no life before


def lines(api: Api) -> Iterator[str]:
    """Every line of them. Raises ToolError where one can't be read: a record with a hole would close."""
    reply = api.get(f"{_PODS}?{urlencode({'labelSelector': _WHOSE})}")
    if reply.status != _OK:
        raise ToolError(f"the pods of kre-pipeline can't be listed: {reply.status} {reply.message}")
    for pod in each(reply.body, "items"):
        name = str(dig(pod, "metadata", "name"))
        for life in ("true", "false"):
            log = api.get(f"{_PODS}/{name}/log?{urlencode({'previous': life})}")
            if log.status == _OK:
                yield from log.text.splitlines()
            elif (life, log.status) != ("true", _BAD_REQUEST):
                raise ToolError(f"the log of kre-pipeline/{name} can't be read: {log.status} {log.message}")
