"""Stands before the EventSource: takes each alert, passes it on, and says 200 only when the EventSource has said so."""

import os
import signal
import threading
import time

import record
from again import Again
from forward import Forward
from repeats import Repeats
from serve import Handler, Server, secured


def main() -> None:
    """Serves until SIGTERM, and then until Endpoints have followed and what is under way is done."""
    tls = os.environ.get("KRE_TLS", "/etc/kre/tls")
    host, _, port = os.environ.get("KRE_NEXT", "falco-webhook.kre-pipeline.svc:12000").rpartition(":")
    Handler.forward = Forward(host, int(port), tls=tls, patience=float(os.environ.get("KRE_PATIENCE", "8")))
    Handler.again = again = Again(Handler.forward.post, float(os.environ.get("KRE_AGAIN", "60")))
    Handler.repeats = Repeats(float(os.environ.get("KRE_REPEAT", "10")))
    front = Server(("", int(os.environ.get("KRE_PORT", "12000"))), Handler)
    back = Server(("", int(os.environ.get("KRE_HEALTH_PORT", "8081"))), Handler)
    front.paths, back.paths = ("/falco",), ("/healthz", "/metrics")
    secured(front, tls)
    for work in (front.serve_forever, back.serve_forever, again.run):
        threading.Thread(target=work, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: Handler.stopping.set())
    record.write({"outcome": "listening", "port": front.server_port, "health_port": back.server_port})
    Handler.stopping.wait()
    time.sleep(float(os.environ.get("KRE_DRAIN", "3")))
    front.shutdown()
    until = time.monotonic() + 12
    while front.busy and time.monotonic() < until:
        time.sleep(0.05)
    record.write({"outcome": "stopped", "not_again": again.finish(10)})


if __name__ == "__main__":
    main()
