"""As little as looks like a dispatcher from outside: token, Workflow, empty answer, a line for each."""

import http.server
import json
import os
import pathlib
import urllib.error
import urllib.request

TOKENS = {path.read_text(): path.name for path in pathlib.Path(os.environ["KRE_TOKENS"]).iterdir()}
PATH = "/apis/argoproj.io/v1alpha1/namespaces/kre-responses/workflows"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        response = TOKENS.get(self.headers.get("Authorization", ""))
        code = self.start(response, payload) if response else 401
        print(json.dumps({"outcome": code, "path": self.path, **payload}), flush=True)
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def start(self, response, payload):
        mode = (pathlib.Path(os.environ["KRE_SETTINGS"]) / "mode").read_text()
        given = {key: payload[key] for key in ("namespace", "pod", "uid", "rule", "alert")}
        given |= {"received": "1", "mode": mode}
        parameters = [{"name": name, "value": value} for name, value in given.items()]
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": f"{response}-{payload['uid']}"},
            "spec": {"workflowTemplateRef": {"name": response}, "arguments": {"parameters": parameters}},
        }
        asked = urllib.request.Request(
            os.environ["KRE_API"] + PATH, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            urllib.request.urlopen(asked, timeout=5).close()
        except urllib.error.HTTPError as error:
            return 200 if error.code == 409 else 503
        return 200

    def log_message(self, *_):
        return


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["KRE_PORT"])), Handler)
print(json.dumps({"outcome": "listening", "port": server.server_port, "health_port": 1}), flush=True)
server.serve_forever()
