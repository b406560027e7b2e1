"""Posts to an EventSource's webhook, as Falcosidekick does, by a port of this machine that leads there."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to post: the local port, the path, the name in its certificate ("" for plain HTTP), and the CA's
    certificate ("" where none is known: the API server has led to that very pod, so it is taken as it is)."""

    port: int
    path: str
    name: str = ""
    authority: str = field(default="", repr=False)


def post(to: Webhook, body: bytes, token: str, timeout: float) -> tuple[int, str]:
    """(HTTP status, ""), or (0, why there is none). The token is in no message: it must be of kre.edit.token's form."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Falcosidekick",
        "Authorization": f"Bearer {token}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", to.port, timeout=timeout)
    try:
        if to.name:
            plain = socket.create_connection(("127.0.0.1", to.port), timeout)
            connection.sock = _context(to.authority).wrap_socket(plain, server_hostname=to.name)
        connection.request("POST", to.path, body, headers)
        answer = connection.getresponse()
        answer.read(4096)
    except ssl.SSLCertVerificationError as error:
        return 0, f"its certificate: {error.verify_message}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return 0, type(error).__name__
    finally:
        connection.close()
    return answer.status, ""


def _context(authority: str) -> ssl.SSLContext:
    if authority:
        return ssl.create_default_context(cadata=authority)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
