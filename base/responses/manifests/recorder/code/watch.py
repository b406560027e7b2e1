"""The Workflows of the engine, as they are and as they change: list, then watch, through whatever breaks on the way."""

import http.client
import json
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

from api import ACCOUNT, ApiError, Client, Object, path

WORKFLOWS = path("workflows", "kre-responses", group="argoproj.io/v1alpha1")
SECONDS, SILENCE = 60, 75.0  # how long the server keeps a watch open; how long to wait for a word of it
LONGEST = 1 << 23  # bytes of an event: an object in etcd has 1.5 MiB at most


class Expired(Exception):
    """The server has forgotten what came after this version: list again."""


class Watcher(Client):
    """Reads Workflows. What is called of it is called from one thread."""

    def listed(self) -> tuple[list[Object], str]:
        """Every Workflow, and the version from which to watch on. Raises ApiError, also where a page has expired."""
        found, token, version = list[Object](), "", ""
        while True:
            _, answer = self.call("GET", f"{WORKFLOWS}?{urlencode({'limit': 200, 'continue': token})}")
            metadata = answer["metadata"]
            found += answer["items"]
            version = version or str(metadata["resourceVersion"])  # the first page's: what came since is told twice
            token = metadata.get("continue") or ""
            if not token:
                return found, version

    def changes(self, version: str) -> Iterator[tuple[str, Object]]:
        """(ADDED, MODIFIED, DELETED or BOOKMARK, object) since `version`, until the server ends it. Raises Expired,
        ApiError, ValueError, OSError, HTTPException: then go on from the last version that was told."""
        query: dict[str, object] = {"watch": 1, "allowWatchBookmarks": "true", "resourceVersion": version}
        connection = self._stream()
        try:
            connection.request(
                "GET", f"{WORKFLOWS}?{urlencode({**query, 'timeoutSeconds': SECONDS})}", None, _signed(connection)
            )
            response = connection.getresponse()
            if response.status == http.HTTPStatus.GONE:
                raise Expired
            if response.status != http.HTTPStatus.OK:
                raise ApiError(f"{response.status}: no watch")
            while line := response.readline(LONGEST):
                if not line.endswith(b"\n"):
                    raise ApiError("no answer: an event was cut off")
                event = json.loads(line)
                if event["type"] == "ERROR":
                    if event["object"].get("code") == http.HTTPStatus.GONE:
                        raise Expired
                    raise ApiError(f"{event['object'].get('code')}: the watch ended")
                yield str(event["type"]), dict(event["object"])
        finally:
            connection.close()

    def _stream(self) -> http.client.HTTPConnection:
        kind = partial(http.client.HTTPSConnection, context=self._tls) if self._tls else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=SILENCE)


def _signed(connection: http.client.HTTPConnection) -> dict[str, str]:
    if not isinstance(connection, http.client.HTTPSConnection):
        return {}
    return {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}"}
