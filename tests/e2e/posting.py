"""Posts as Falcosidekick does, from inside of its pod: by one process there, which costs less than one for each."""

from __future__ import annotations

import atexit
import json
import subprocess
from functools import cache
from threading import Lock

# Its content type and agent, its headers split out of one variable at commas and colons (config.go), no retry.
_POSTS = """
import json, os, sys, urllib.error, urllib.request
own = dict(entry.split(":") for entry in os.environ.get("WEBHOOK_CUSTOMHEADERS", "").split(",") if entry)
for line in sys.stdin:
    post = json.loads(line)
    headers = {"Content-Type": post["kind"], "User-Agent": "Falcosidekick"}
    headers |= own if post["header"] == "own" else {"Authorization": post["header"]} if post["header"] else {}
    request = urllib.request.Request(post["to"], post["text"].encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = "unreachable"
    print(status, flush=True)
"""


class Poster:
    """The process in one pod: started when it is needed, and anew when it has ended with its pod."""

    def __init__(self, pod: str, namespace: str = "falco") -> None:
        self._command = ["kubectl", "-n", namespace, "exec", "-i", pod, "--", "python3", "-c", _POSTS]
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None
        atexit.register(self.end)

    def post(self, text: str, kind: str, header: str, to: str) -> str:
        """The HTTP status, or "unreachable". `header` is "own" for those of the pod's environment, "" for none, else
        the Authorization."""
        line = json.dumps({"text": text, "kind": kind, "header": header, "to": to})
        with self._lock:
            for _ in range(2):
                if answer := self._asked(line):
                    return answer
                self.end()
        raise AssertionError(f"nothing is heard of {' '.join(self._command[:6])}")

    def _asked(self, line: str) -> str:
        """The answer; "" from a process that has ended."""
        pipe = subprocess.PIPE
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)
        process = self._process
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        except OSError:
            return ""
        return process.stdout.readline().strip()

    def end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
        self._process = None


@cache
def poster(pod: str) -> Poster:
    """The one of a pod of namespace falco."""
    return Poster(pod)
