"""What there is to see on a cluster when a test on it has failed: the report is all that whoever reads it has."""

from __future__ import annotations

import subprocess

LINES = 30
LOOKS = {
    "Workflows": ("-n", "kre-responses", "get", "workflows", "--sort-by=.metadata.creationTimestamp"),
    "pods": ("get", "pods", "--all-namespaces", "--no-headers"),
    "warnings": ("get", "events", "--all-namespaces", "--field-selector=type=Warning", "--sort-by=.lastTimestamp"),
    # Any label will do: the cluster and the chart name the controller differently.
    "Argo Workflows": ("-n", "argo-workflows", "logs", "--selector=!none", f"--tail={LINES}"),
}


def look() -> str:
    """The last lines of each look, or why there are none. It takes seconds, and fails for nothing."""
    parts = []
    for name, arguments in LOOKS.items():
        try:
            done = subprocess.run(["kubectl", *arguments], capture_output=True, text=True, timeout=20, check=False)
            lines = (done.stdout or done.stderr).splitlines()[-LINES:]
        except (OSError, subprocess.SubprocessError) as error:
            lines = [str(error)]
        parts += [f"# {name}", *lines]
    return "\n".join(parts)
