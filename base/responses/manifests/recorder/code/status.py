"""What probes and Prometheus ask."""

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HELP = {
    "workflows_total": ("counter", "Workflows that it has met."),
    "records_total": ("counter", "Lines written for an end."),
    "open": ("gauge", "Workflows that have not ended."),
    "oldest_open_seconds": ("gauge", "Age of the oldest Workflow that has not ended."),
    "late": ("gauge", "Workflows of which no pod has run for two minutes, and which wait for no person."),
    "gap": ("gauge", "Workflows whose record does not close."),
    "unsent": ("gauge", "Lines that the sink has not taken yet."),
    "sink_total": ("counter", "Posts to the sink."),
    "watch_total": ("counter", "What became of lists and watches."),
    "last_contact_timestamp_seconds": ("gauge", "When the API server last said something."),
}


def text(values: Mapping[str, float]) -> str:
    """`values` (name with labels, without prefix) in Prometheus' text format."""
    lines = []
    for name, (kind, told) in HELP.items():
        mine = sorted(key for key in values if key.partition("{")[0] == name)
        if mine:
            lines += [f"# HELP kre_recorder_{name} {told}", f"# TYPE kre_recorder_{name} {kind}"]
            lines += [f"kre_recorder_{key} {values[key]:.15g}" for key in mine]
    return "".join(f"{line}\n" for line in lines)


def serve(port: int, healthy: Callable[[], bool], metrics: Callable[[], Mapping[str, float]]) -> int:
    """Answers GET /healthz and /metrics from a thread of its own. Returns the port, which is chosen where it is 0."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0  # for whoever does not get on

        def do_GET(self) -> None:
            code = {"/metrics": 200, "/healthz": 200 if healthy() else 503}.get(self.path, 404)
            body = text(metrics()).encode() if self.path == "/metrics" else b""
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            with suppress(OSError):  # the client went away
                super().handle()

        def log_message(self, *_: object) -> None:
            """Nothing: records are what is printed."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        daemon_threads = True

    made = Server(("", port), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return int(made.server_port)
