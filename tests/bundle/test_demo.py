"""`make demo`, as its reader sees it."""

from __future__ import annotations

import os
import subprocess
import sys

from support.repository import PROJECT

TOLD = [
    ("1-shell", "kre-demo/shop-5d8f7c9b6-x2x7k", "deleted"),
    ("2-same-alert-again", "kre-demo/shop-5d8f7c9b6-x2x7k", "gone"),
    ("3-not-a-target", "kube-system/coredns-6f8b9c7d5-q4zlm", "refused"),
    ("4-replaced-since", "kre-demo/shop-db-0", "refused"),
    ("5-opted-out", "kre-demo/shop-5d8f7c9b6-m9n4p", "refused"),
    ("6-not-a-name", "kre-demo/shop;reboot", "refused"),
]


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
    alerts, left = done.stdout.split("2. Recorded alerts")[1].split("still running:")
    lines = [line.split(maxsplit=3) for line in alerts.splitlines()[1:] if line.strip()]
    assert [tuple(line[:3]) for line in lines] == TOLD
    assert all(len(line) == 4 for line in lines), "each says why"
    assert "x2x7k" not in left
    assert [pod for _, pod, _ in TOLD[2:5] if pod not in left] == []
