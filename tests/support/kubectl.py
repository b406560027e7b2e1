"""A double of kubectl, as a program: `config view`, `proxy` and `port-forward` on a double of a cluster.

A folder has its state: `objects.json` what the cluster has, `plan.json` how it behaves ({"post": an HTTP status,
"record": the facts of the dispatcher's record, or null, "ended": the responder's record, or null}), `alert.json` the
alert that was posted.
"""

from __future__ import annotations

import http.server
import json
import os
import socketserver
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from support.cluster import CANARY, SERVER, WEBHOOK_TOKEN, Double, Object

VERSION = '{"clientVersion": {"gitVersion": "v1.34.4"}, "kustomizeVersion": "v5.7.1"}'
WORKFLOW = "delete-pod-27290ad0627ee6f6fe4c"
ENDED = {"outcome": "gone", "reason": "there is no such pod"}
PLAN: Object = {"post": 200, "record": {"outcome": "dispatched", "mode": "enforce"}, "started": True, "ended": ENDED}


def install(folder: Path, double: Double, **plan: Any) -> dict[str, str]:
    """Puts it into a folder with what it should say; returns the environment in which `kubectl` is this one."""
    program = folder / "bin/kubectl"
    program.parent.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parents[1]
    paths = [str(root), str(root.parent / "tools")]
    script = ["import sys", f"sys.path[:0] = {paths}", "from support import kubectl", "kubectl.main(sys.argv[1:])"]
    program.write_text("\n".join([f"#!{sys.executable}", *script, ""]))
    program.chmod(0o755)
    state = {"objects": double.objects, "forbidden": sorted(double.forbidden), "version": double.version}
    (folder / "objects.json").write_text(json.dumps(state))
    (folder / "plan.json").write_text(json.dumps(PLAN | plan))
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "KRE_DOUBLE": str(folder)}


def main(arguments: list[str]) -> None:
    folder = Path(os.environ["KRE_DOUBLE"])
    if "version" in arguments:
        print(VERSION)  # noqa: T201 - what kubectl prints
    elif "config" in arguments:
        print(SERVER)  # noqa: T201
    elif "proxy" in arguments:
        address = arguments[-1].partition("=")[2]
        _Proxy.folder, _Proxy.double = folder, _double(folder)
        with _UnixServer(address, _Proxy) as server:
            print(f"Starting to serve on {address}", flush=True)  # noqa: T201
            server.serve_forever()
    elif "port-forward" in arguments:
        _Webhook.folder = folder
        with http.server.HTTPServer(("127.0.0.1", 0), _Webhook) as server:
            print(f"Forwarding from 127.0.0.1:{server.server_port} -> 12000", flush=True)  # noqa: T201
            server.serve_forever()
    else:
        sys.exit(f"error: unknown command {arguments}")


def _double(folder: Path) -> Double:
    state = json.loads((folder / "objects.json").read_text())
    double = Double(state["objects"])
    double.forbidden, double.version = set(state["forbidden"]), state["version"]
    return double


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads, request_queue_size = True, 128


class _Handler(http.server.BaseHTTPRequestHandler):
    folder: Path

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def address_string(self) -> str:
        return ""

    def reply(self, code: int, content: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @property
    def plan(self) -> Object:
        found: Object = json.loads((self.folder / "plan.json").read_text())
        return found


class _Webhook(_Handler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.headers["Authorization"] == f"Bearer {WEBHOOK_TOKEN}"
        (self.folder / "alert.json").write_bytes(body)
        self.reply(self.plan["post"] if known else 401, b"")


class _Proxy(_Handler):
    double: Double

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer("POST")

    def do_GET(self) -> None:
        self._answer("GET")

    def _answer(self, method: str) -> None:
        path = urlsplit(self.path).path
        if path.endswith("/log") and "/log" not in self.double.forbidden:
            self.reply(200, self._log().encode())
            return
        code, found = self.double.answer(method, self.path)
        if path.endswith(f"/workflows/{WORKFLOW}") and code == 404:
            code, found = 200, self._workflow()
        if "workflows.argoproj.io" in self.path:
            code, found = 200, {"items": [{"status": {"phase": "Running"}}] if self.plan["started"] else []}
        self.reply(code, json.dumps(found).encode())

    def _log(self) -> str:
        record, sent = self.plan["record"], self.folder / "alert.json"
        if record is None or not sent.exists():
            return f"not JSON {CANARY}\n"
        facts = {"alert": json.loads(sent.read_text())["uuid"], "reason": "", "workflow": WORKFLOW}
        return json.dumps(facts | record) + "\n"

    def _workflow(self) -> Object:
        ended = self.plan["ended"]
        if ended is None:
            return {"status": {"phase": "Running"}}
        outputs = {"parameters": [{"name": "record", "value": json.dumps(ended)}]} if ended else {}
        phase = "Succeeded" if ended else "Error"
        return {"status": {"phase": phase, "message": "", "nodes": {"a": {"outputs": outputs}}}}
