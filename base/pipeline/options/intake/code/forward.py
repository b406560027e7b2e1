"""The way on, to the EventSource: kept connections, and the patience that Falcosidekick does not have."""

import http.client
import os
import queue
import ssl
import time
from collections.abc import Mapping

TIMEOUT, PAUSE, PATH = 3.0, 0.1, "/falco"  # seconds for one attempt, between two
AGAIN = (429, 500, 502, 503, 504)


class Forward:
    """Posts to the EventSource at `host`, by TLS where `tls` has its authority; until it is taken, for `patience`
    seconds at most. Any number of threads may ask."""

    def __init__(self, host: str, port: int, tls: str, patience: float) -> None:
        self._host, self._port, self._patience = host, port, patience
        self._idle = queue.LifoQueue[http.client.HTTPConnection]()
        authority = os.path.join(tls, "ca.crt")
        self._tls = ssl.create_default_context(cafile=authority) if os.path.exists(authority) else None

    def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, int]:
        """(the EventSource's status, how many attempts). 503 where it could not be reached in time."""
        until, attempts = time.monotonic() + self._patience, 0
        while True:
            attempts += 1
            status = self._attempt(body, headers)
            if status not in AGAIN or time.monotonic() + PAUSE > until:
                return 503 if status in AGAIN else status, attempts
            time.sleep(PAUSE)

    def _attempt(self, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._open()
        try:
            connection.request("POST", PATH, body, dict(headers))
            answer = connection.getresponse()
            answer.read(65536)
        except (OSError, http.client.HTTPException):
            connection.close()
            return 503
        if answer.isclosed() and not answer.will_close:
            self._idle.put(connection)
        else:
            connection.close()
        return answer.status

    def _open(self) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
