"""Logs, which are no JSON. Whoever runs code in the pod writes them: so many bytes are read, for so long, no more."""

import http.client
import time

from api import ACCOUNT, ApiError, Client

PATIENCE, WAIT, ALL = 5.0, 5.0, 90.0  # seconds: for trouble at one request, for an answer, for everything together


class Logs(Client):
    """Asks for what it is better to have than not to have: it soon gives up, so that there is time for the rest."""

    def __init__(self, url: str) -> None:
        super().__init__(url, patience=PATIENCE, timeout=WAIT)
        self._until = time.monotonic() + ALL

    def text(self, where: str, limit: int) -> bytes | None:
        """The first `limit` + 1 bytes of a log; None where that container has none. Raises ApiError."""
        status, why, last = 0, "", time.monotonic() + PATIENCE
        while not why or time.monotonic() < min(last, self._until):
            time.sleep(0.5 if why else 0)
            try:
                status, content = self._once(where, limit)
                why = str(status)
            except (OSError, http.client.HTTPException) as error:
                self._connection().close()  # the next request opens it again
                status, content, why = 0, b"", type(error).__name__
            if status == 200:
                return content
            if status in (204, 400):  # it has no node yet, has not started, or not more than once
                return None
            if status not in (0, 429, 500, 502, 503, 504):
                break
        raise ApiError(why)

    def spent(self) -> bool:
        """Whether there is no time left for anything more."""
        return time.monotonic() > self._until

    def _once(self, where: str, limit: int) -> tuple[int, bytes]:
        connection, headers = self._connection(), {"Accept": "*/*"}
        if self._tls:
            headers["Authorization"] = f"Bearer {(ACCOUNT / 'token').read_text().strip()}"
        connection.request("GET", where, None, headers)
        response = connection.getresponse()
        content = response.read(limit + 1)
        if len(content) <= limit and response.length:  # the connection ended before what was promised did
            raise http.client.IncompleteRead(content)
        if not response.isclosed():  # there is more, which nobody asked for
            connection.close()
        return response.status, content
