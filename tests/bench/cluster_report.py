"""The section of docs/benchmarks.md that `make bench-e2e` writes."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path
from typing import Any

TITLE = "On a cluster"
ENGINE, BLOG, TALON = "this engine", "a Sensor that makes the Workflow", "Falco Talon"
STRAIGHT = "this engine, without the intake"
STEPS = ("label set", "Workflow made", "deletion asked for", "pod gone")
COLUMNS = ("fault", "sent", "refused", "lost", "again", "doubled", "back", "slowest")
HEAD = """From the POST of an alert till the API server's watch tells of what came of it, one alert after the other, all
by one clock. Made by `make bench-e2e`.

{machine}.

| what | until | n | p50, s | p95, s | slowest, s |
|---|---|---:|---:|---:|---:|
"""
PEERS = """
All delete pods without an owner, with a grace period of one second, and have the image at hand. **This engine** has
every guard on: three servers of the bus, dispatcher, admission policies, a record and an Event of each action. Without
the intake it is as it was before there was one. **A Sensor that makes the Workflow** is how posts about Falco with Argo
do it: the same bus, a `k8s` trigger of operation create, a Workflow of one step that deletes the pod by name; no uid,
no limits, no record. **Falco Talon** {talon}
"""
RAN = """0.3.0 is one process that deletes
or labels by itself, run on the node as an administrator: no pod has to start, and there is no second wall behind it."""
NOT_RUN = "was not run: `KRE_BENCH_TALON` named none."
FAULTS = """
**Faults.** {count} alerts at 20 a second for each, while one part fails (`tests/e2e/faults`). Lost is what was taken
and never recorded. **Before** is the same of this engine without the intake, and the last column what the way of the
posts lost of 200 under the same fault, each once with a prototype.

| fault | sent | not taken | lost | delivered again | acted twice | back, s | slowest, s | before | the posts' way |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""
ACCOUNT = """
**The record** of all of them, as `kre record close` has it: {sent:,} sent, {received:,} taken, {triggered:,} triggered,
{dispatched} dispatched, {refused:,} refused by a guard, **{lost} lost**.
"""
# These streams at a time when nothing stood before the EventSource; the edit in three runs, the rest in one.
BEFORE = {
    "Sensor: filter edited": "0, 20 and 79 lost",
    "EventSource: one of two pods killed": "6 not taken",
    "EventSource: both pods killed": "45 not taken",
    "workflow controller: pod killed": "1 not taken",
    "intake: one of two pods killed": "-",
}
# The prototype of the posts' way, one bus server and one EventSource, 200 alerts at 20 a second; atLeastOnce where it
# has two figures, without (which is the default) and with.
PEER = {
    "Sensor: pod killed": "68, with atLeastOnce 0",
    "Sensor: pod deleted": "70, with atLeastOnce 2",
    "Sensor: pod's label edited": "109",
    "Sensor: filter edited": "109",
    "EventSource: both pods killed": "24, not taken",
    "bus: one of three servers killed": "46, not taken",
}


def version(log: str) -> str:
    """The version that a controller says in its log, "" if none."""
    found = re.search(r'"?version"?[=:] ?"?v?(\d+\.\d+\.\d+)', log)
    return found[1] if found else ""


def variable(name: str) -> str:
    """The variable with the version of what doesn't say it: KRE_BENCH_ARGO_EVENTS."""
    return "KRE_BENCH_" + name.upper().replace(" ", "_")


def figures(path: str) -> list[dict[str, Any]]:
    """The newest figures of each fault in the file, if there is one."""
    lines = Path(path).read_text(encoding="utf-8").splitlines() if path and Path(path).exists() else []
    return list({each["fault"]: each for each in map(json.loads, lines) if "fault" in each}.values())


def account(path: str) -> dict[str, int]:
    """The newest account of the same streams in the same file, if there is any."""
    lines = Path(path).read_text(encoding="utf-8").splitlines() if path and Path(path).exists() else []
    found = [each["account"] for each in map(json.loads, lines) if "account" in each]
    return dict(found[-1]) if found else {}


def section(machine: str, taken: dict[str, dict[str, list[float]]], faults: list[dict[str, Any]]) -> str:
    """The whole of it."""
    rows = [_row(name, step, times[step]) for step in STEPS for name, times in taken.items() if step in times]
    text = (
        HEAD.format(machine=machine) + "\n".join(rows) + "\n" + PEERS.format(talon=RAN if TALON in taken else NOT_RUN)
    )
    if not faults:
        return text + "\nFaults: not run. `KRE_E2E_FIGURES` named no figures of `tests/e2e/faults`.\n"
    lines = [
        f"| {' | '.join(str(each[key]) for key in COLUMNS)} | {BEFORE.get(each['fault'], '0')} "
        f"| {PEER.get(each['fault'], '-')} |"
        for each in faults
    ]
    return text + FAULTS.format(count=min(each["sent"] for each in faults)) + "\n".join(lines) + "\n"


def _row(name: str, step: str, times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return f"| {name} | {step} | {len(times)} | {cuts[49]:.3f} | {cuts[94]:.3f} | {max(times):.3f} |"
