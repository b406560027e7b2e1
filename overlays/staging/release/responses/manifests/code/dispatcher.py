"""Takes alerts from Sensors, decides which of them act, and makes their Workflows."""

import os
import signal
import threading
import time

import record
from api import Client, server
from decide import Dispatcher
from serve import Handler, Server
from settings import watched


def main() -> None:
    """Serves until SIGTERM, and then until Endpoints have followed and what is under way is done."""
    client = Client(server(os.environ), patience=1.5, timeout=2.0)  # seconds: a Sensor waits 5, then delivers again
    Handler.dispatcher = Dispatcher(client, watched(os.environ.get("KRE_SETTINGS", "/etc/kre/settings")))
    Handler.tokens = staticmethod(watched(os.environ.get("KRE_TOKENS", "/etc/kre/tokens")))
    ports = (os.environ.get("KRE_PORT", "8080"), os.environ.get("KRE_HEALTH_PORT", "8081"))
    front, back = (Server(("", int(port)), Handler) for port in ports)
    front.paths, back.paths = ("/respond",), ("/healthz", "/metrics")
    for each in (front, back):
        threading.Thread(target=each.serve_forever, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: Handler.stopping.set())
    known = {"port": front.server_port, "health_port": back.server_port}
    record.write(record.line({"part": "dispatcher", "outcome": "listening", **known}))
    Handler.stopping.wait()
    time.sleep(float(os.environ.get("KRE_DRAIN", "3")))
    front.shutdown()
    until = time.monotonic() + 10
    while front.busy and time.monotonic() < until:
        time.sleep(0.05)
    record.write(record.line({"part": "dispatcher", "outcome": "stopped"}))


if __name__ == "__main__":
    main()
