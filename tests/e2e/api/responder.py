"""The responder, as its pod runs it, under the identity of its response and against the real API server."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from e2e.api.door import Door
from e2e.api.target import Target
from e2e.engine import RESPONSES
from e2e.kubectl import Object
from support.engine import ENVIRON, PROGRAMS, REQUESTED, SETTINGS, folder_of, settings_folder

# response -> its action, as its WorkflowTemplate has it; contain-pod has two steps.
ACTIONS = {
    "delete-pod": "delete", "isolate-pod": "isolate", "label-pod": "label", "notify": "notify",
    "release-pod": "release", "contain-pod": "isolate", **{name: PROGRAMS[name][1] for name in PROGRAMS if name},
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What a run left: its exit code, the record, the Event on the API server, what it changed there."""

    code: int
    record: Object
    event: Object | None
    changed: set[tuple[str, str]]

    @property
    def said(self) -> tuple[int, str, str]:
        return self.code, self.record["outcome"], self.record["reason"]


class Responder:
    """Runs it about pods of a target."""

    def __init__(self, door: Door, folder: Path) -> None:
        self.door, self.folder = door, folder

    def run(
        self,
        response: str,
        target: Target,
        pod: Object,
        *,
        action: str = "",
        meanwhile: Callable[[], None] | None = None,
        settings: dict[str, str] | None = None,
        account: str = "",
        step: str = "act",
    ) -> Ran:
        """One step; `meanwhile` happens between its look at the pod and its act, `account` is another's identity."""
        self.door.account = (RESPONSES, account or response)
        self.door.before = meanwhile
        action, workflow = action or ACTIONS[response], f"{response}-{secrets.token_hex(10)}"
        mount, out = (self.folder / f"{part}-{workflow}" for part in ("settings", "out"))
        out.mkdir()
        settings_folder(mount, SETTINGS | {"targets": f"^({target.name})$"} | (settings or {}))
        asked = {"KRE_RESPONSE": response, "KRE_ACTION": action, "KRE_WORKFLOW": workflow, "KRE_NAMESPACE": target.name}
        asked |= {"KRE_POD": pod["metadata"]["name"], "KRE_UID": pod["metadata"]["uid"]}
        asked |= REQUESTED if action == "release" else {}
        asked |= {"KRE_STEP": step, "KRE_STATUS": "Failed" if step == "record" else ""}
        own = {"KRE_API": self.door.url, "KRE_SETTINGS": str(mount), "KRE_OUT": str(out), "PATH": os.environ["PATH"]}
        before = target.snapshot()
        option = response if response in PROGRAMS else ""
        command = [sys.executable, "-EsB", str(folder_of(option) / f"{PROGRAMS[option][0]}.py")]
        done = subprocess.run(command, env={**ENVIRON, **asked, **own}, capture_output=True, timeout=90, check=False)
        assert done.stderr == b"", done.stderr
        (line,) = done.stdout.decode("ascii").splitlines()
        assert (out / "record").read_text() == line
        after, events = target.snapshot(), target.events(workflow)
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        return Ran(done.returncode, json.loads(line), events[0] if events else None, changed)
