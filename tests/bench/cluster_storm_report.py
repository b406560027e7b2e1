"""The part of the section that is about storms."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from bench.cluster_storm import PROBES, Storm

TITLE = "A storm on a cluster"
NOT_PASSED = ("kept back", "lost")
INTAKE, STRAIGHT, RUNNING = "intake", "as before", "intake, Workflows run"
HEAD = f"""{{machine}}. Made by `make bench-e2e`, or by that alone with `KRE_BENCH_ONLY=storms`.

Alerts about one pod, or about fifty in turn, at so many a second or as fast as eight connections have them taken;
meanwhile {PROBES} alerts about other pods for the same response and {PROBES} for another one, spread over the storm.
The last two columns are p50, p95 and the slowest of these, from the POST till the API server has taken the Workflow
(delete-pod) or has the label (isolate-pod). Asked for: p50 under 1 s for the same response, under 0.5 s for another.

- **{INTAKE}** is the way as dev has it, **{STRAIGHT}** that without the intake: each alert crosses the bus and is read
  by every Sensor. For both the workflow controller is stopped: its pods would share two CPUs with the API server.
- **{RUNNING}** is with all of it on that one machine. An action takes an API server that is so busy a second or two,
  and a Sensor hands over one alert after the other: those behind fifty actions wait for all of them.

The cap is out of the way. **Lost** were those that were taken and of which neither a dispatcher nor an intake has a
record; **passed on** is what reached the bus.

| storm | way | taken a second | passed on | lost | Workflows | drained, s | same response, s | another, s |
|---|---|---:|---:|---:|---:|---:|---:|---:|
"""
PEERS = """
**Peers** with the same storms, in namespaces of their own. **A Sensor that makes the Workflow** is the posts' way
([On a cluster](#on-a-cluster)), its workflow controller stopped too: every alert becomes a Workflow. **Falco Talon**
labels, and deletes for the other alerts; what it kept back or lost it has no record of.

| storm | way | taken a second | passed on | lost | Workflows | drained, s | same response, s | another, s |
|---|---|---:|---:|---:|---:|---:|---:|---:|
"""
MEMORY = """
Memory at the end of the largest ones, MiB (at the beginning):

| storm | way | {parts} |
|---|---|{lines}|
"""


def section(machine: str, found: dict[str, list[Storm]], peers: dict[str, list[Storm]]) -> str:
    """All tables."""
    pairs = [(way, each) for both in zip(*found.values(), strict=True) for way, each in zip(found, both, strict=True)]
    rows = "\n".join(_row(way, each) for way, each in pairs)
    most = max(each.alerts for _, each in pairs)
    parts = sorted({part for _, each in pairs for part in each.memory})
    memory = "\n".join(_memory(way, each, parts) for way, each in pairs if each.alerts == most)
    beside = "\n".join(_row(way, each) for way, storms in peers.items() for each in storms)
    return (
        HEAD.format(machine=machine)
        + rows
        + "\n"
        + (PEERS + beside + "\n" if peers else "\nPeers: not run.\n")
        + MEMORY.format(parts=" | ".join(parts), lines="|".join("---:" for _ in parts))
        + memory
        + "\n"
    )


def _name(each: Storm) -> str:
    return f"{each.response}, {each.alerts:,} about {each.pods}" + (
        f", {each.asked:.0f} a second" if each.asked else ""
    )


def _row(way: str, each: Storm) -> str:
    passed = each.taken - sum(each.outcomes.get(key, 0) for key in NOT_PASSED)
    cells = (
        f"{each.rate:.0f}",
        f"{passed:,}" if each.outcomes else "-",
        each.outcomes.get("lost", "-"),
        "-" if each.workflows is None else f"{each.workflows:,}",
        "-" if each.drained is None else f"{each.drained:.1f}",
        _three(each.same),
        _three(each.other) if each.other else "-",
    )
    return f"| {_name(each)} | {way} | {' | '.join(map(str, cells))} |"


def _three(times: Iterable[float]) -> str:
    listed = sorted(times)
    cuts = statistics.quantiles(listed, n=100, method="inclusive")
    return f"{cuts[49]:.2f}, {cuts[94]:.2f}, {listed[-1]:.2f}"


def _memory(way: str, each: Storm, parts: list[str]) -> str:
    cells = [
        f"{each.memory[part][1]:.0f} ({each.memory[part][0]:.0f})" if part in each.memory else "-" for part in parts
    ]
    return f"| {_name(each)} | {way} | {' | '.join(cells)} |"
