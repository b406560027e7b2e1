"""An HTTPS server on this machine, with a certificate that openssl has just made."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from support.serving import listening, serving

LOCAL = "DNS:localhost,IP:127.0.0.1"


def certificate(folder: Path, whose: str = LOCAL) -> tuple[Path, Path]:
    """(certificate, key) of these names, its own authority."""
    made, key = folder / "ca.crt", folder / "ca.key"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", f"subjectAltName={whose}", "-keyout", str(key), "-out", str(made)]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    return made, key


@dataclass
class Site:
    """What it answers, by path: a status, and headers; and what it was asked: (method, path, headers, body)."""

    port: int = 0
    pages: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    body: bytes = b"{}"
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"


@contextlib.contextmanager
def site(pair: tuple[Path, Path] | None) -> Iterator[Site]:
    """Serves a Site; plain HTTP without a pair of certificate and key. A status of 0 is no answer at all."""
    made = Site()
    server = listening(_handler(made))
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        # The handshake is the handler's, so that a client that hangs up in it stops nobody else.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # a client that does not trust us
    with serving(server) as made.port:
        try:
            yield made
        finally:
            made.stopping.set()


def _handler(made: Site) -> type[BaseHTTPRequestHandler]:
    def answer(self: BaseHTTPRequestHandler) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        made.asked.append((self.command, self.path, dict(self.headers.items()), content))
        status, headers = made.pages.get(self.path, (404, {}))
        if not status:
            made.stopping.wait(30)
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(made.body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(made.body)

    methods: dict[str, Callable[..., None]] = {f"do_{name}": answer for name in ("GET", "POST", "PUT", "HEAD")}
    return type("Handler", (BaseHTTPRequestHandler,), {**methods, "log_message": lambda *_: None})
