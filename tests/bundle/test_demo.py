"""`make demo`, as its reader sees it."""

from __future__ import annotations

import os
import subprocess
import sys

from support.repository import PROJECT

SHOP, DNS = "kre-demo/shop-5d8f7c9b6", "kube-system/coredns-6f8b9c7d5-q4zlm"
TOLD = {
    "capture-evidence": [
        ("1-cleared-logs", f"{SHOP}-x2x7k", "captured"),
        ("2-traced", f"{SHOP}-q7w2r", "captured"),
        ("3-opted-out", f"{SHOP}-m9n4p", "refused"),
    ],
    "contain-pod": [
        ("1-reverse-shell", f"{SHOP}-x2x7k", "deleted"),
        ("2-opted-out", f"{SHOP}-m9n4p", "refused"),
        ("3-not-a-target", DNS, "filtered"),
    ],
    "delete-pod": [
        ("1-shell", f"{SHOP}-x2x7k", "deleted"),
        ("2-same-alert-again", f"{SHOP}-x2x7k", "deduplicated"),
        ("3-not-a-target", DNS, "filtered"),
        ("4-replaced-since", "kre-demo/shop-db-0", "refused"),
        ("5-opted-out", f"{SHOP}-m9n4p", "refused"),
        ("6-not-a-name", "kre-demo/shop;reboot", "filtered"),
    ],
    "isolate-pod": [
        ("1-new-binary", f"{SHOP}-x2x7k", "isolated"),
        ("2-no-uid", f"{SHOP}-x2x7k", "deduplicated"),
        ("3-opted-out", f"{SHOP}-m9n4p", "refused"),
        ("4-replaced-since", "kre-demo/shop-db-0", "refused"),
    ],
    "label-pod": [
        ("1-sensitive-file", f"{SHOP}-x2x7k", "labelled"),
        ("2-private-keys", f"{SHOP}-x2x7k", "deduplicated"),
        ("3-opted-out", f"{SHOP}-m9n4p", "refused"),
    ],
    "notify": [
        ("1-api-server", f"{SHOP}-x2x7k", "notified"),
        ("2-packet-socket", f"{SHOP}-x2x7k", "deduplicated"),
        ("3-not-a-target", DNS, "filtered"),
        ("4-drill", f"{SHOP}-q7w2r", "notified"),
    ],
    "scale-down": [
        ("1-shared-memory", f"{SHOP}-x2x7k", "scaled-down"),
        ("2-opted-out", f"{SHOP}-m9n4p", "refused"),
        ("3-kept-by-git", "kre-demo/shop-front-7c6d5b4f8-h4j2k", "refused"),
    ],
}
# An alert's name -> what is said of it: one refusal looks like another.
WHY = {
    "opted-out": "annotated kre/protected",
    "replaced-since": "another pod has this name now",
    "kept-by-git": "Argo CD keeps its owner as Git has it",
}


def test_each_alert_is_answered_in_its_own_way() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "tools")},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no findings in" in done.stdout
    told: dict[str, list[tuple[str, ...]]] = {}
    for block in done.stdout.split("2. Recorded alerts")[1].strip().split("\n\n")[1:-1]:
        response, *lines = block.splitlines()
        words = [line.split(maxsplit=3) for line in lines]
        assert all(len(line) == 4 for line in words), "each says why"
        told[response.strip()] = [tuple(line[:3]) for line in words]
        for name, _, _, why in words:
            assert next((said for what, said in WHY.items() if name.endswith(what)), "") in why, f"{name}: {why}"
    assert told == TOLD
