"""`make bench`: kre validate beside the same work by hand and beside checkov, in one run; writes its
section of docs/benchmarks.md.

Each contender runs as a process of its own, in turn, ROUNDS times; the median counts. checkov is installed into the
cache, away from the project.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import page
from rounds import cells, machine, measure

from kre.doors import cache, tools
from kre.load.layout import build_units, environments
from kre.load.sources import Sources
from kre.schema import store

ROOT = Path(__file__).resolve().parents[2]
TITLE = "kre validate"
ROUNDS = 7
CHECKOV = "3.3.30"
LIMIT = 0.3  # seconds, for a warm run
COLD, WARM, HAND, PEER = "kre validate, cold", "kre validate, warm", "by hand", "checkov"

HEAD = """`kre validate` on this whole repository, beside what one would do without it. Made by `make bench`.

{machine}.

| what | median, s | from to, s |
|---|---:|---:|
"""
TAIL = """
**By hand** is `kubectl kustomize` of each root and leaf, one after the other, and one kubeconform over the results,
with the same schemas. It reads the rendered stream alone: no layout, no references, no Helm values, no source lines.
**checkov** {checkov} renders too (its framework kustomize); it checks other things, hardening of pods mostly, and knows
the kinds of Argo not at all. **Cold** is the first run after a change: nothing is taken from a
cache. **Warm** is a run with nothing changed since the last.

Required: cold no longer than by hand, and at most a third of checkov; warm under {warm} s.
"""


def run(
    *argv: str, codes: tuple[int, ...] = (0,), out: int = subprocess.DEVNULL, env: dict[str, str] | None = None
) -> None:
    done = subprocess.run(
        argv, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}, check=False
    )
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stderr}")


def render(build: list[str], into: str) -> None:
    names = [environment.name for environment in environments(Sources(ROOT))]
    for folder, _, _ in build_units(ROOT, names):
        with open(f"{into}/{folder.replace('/', '_')}.yaml", "w", encoding="utf-8") as file:
            run(*build, folder, out=file.fileno())


def by_hand(build: list[str], kubeconform: str) -> None:
    location = f"{store.FOLDER}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
    with tempfile.TemporaryDirectory() as into:
        render(build, into)
        run(kubeconform, "-summary", "-n", str(os.cpu_count()), "-schema-location", location, into)


def checkov() -> str:
    """The path of checkov, installed if it must be."""
    home = cache.folder() / "bench" / f"checkov-{CHECKOV}"
    if not (home / "bin/checkov").exists():
        run(sys.executable, "-m", "venv", str(home))
        run(str(home / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", f"checkov=={CHECKOV}")
    return str(home / "bin/checkov")


def contenders(scratch: str) -> dict[str, Callable[[], None]]:
    """Each a program to its end, which raises if it does not do what it should."""
    kre, kubectl = str(Path(sys.executable).parent / "kre"), shutil.which("kubectl") or "kubectl"
    kustomize, kubeconform = tools.require(tools.KUSTOMIZE)[1], tools.require(tools.KUBECONFORM)[1]
    rendered, bare = f"{scratch}/rendered", f"{scratch}/bare"
    os.makedirs(rendered)
    os.makedirs(bare)
    render([kustomize, "build"], rendered)
    for name in ("kubectl", "git"):
        os.symlink(shutil.which(name) or name, f"{bare}/{name}")
    plain = {"PATH": bare, "XDG_CACHE_HOME": f"{scratch}/cache"}  # kre finds no kustomize there
    peer = [checkov(), "--compact", "--quiet", "--framework"]
    offline = {"LOG_LEVEL": "ERROR", "BC_SKIP_MAPPING": "TRUE"}
    return {
        COLD: lambda: run(kre, "validate", "--no-cache"),
        "kre validate, cold, where there is only kubectl": lambda: run(kre, "validate", "--no-cache", env=plain),
        "kre validate --engine both, cold": lambda: run(kre, "validate", "--no-cache", "--engine", "both"),
        WARM: lambda: run(kre, "validate"),
        HAND: lambda: by_hand([kubectl, "kustomize"], kubeconform),
        "by hand, with kustomize": lambda: by_hand([kustomize, "build"], kubeconform),
        PEER: lambda: run(*peer, "kustomize", "--directory", ".", codes=(0, 1), env=offline),
        "checkov, of what was rendered before": lambda: run(
            *peer, "kubernetes", "--directory", rendered, codes=(0, 1), env=offline
        ),
    }


def section(times: dict[str, list[float]]) -> str:
    rows = [f"| {name} | {cells(taken)}" for name, taken in times.items()]
    return HEAD.format(machine=machine(ROUNDS)) + "\n".join(rows) + "\n" + TAIL.format(checkov=CHECKOV, warm=LIMIT)


def main() -> int:
    """Returns 1 where a requirement is not met."""
    with tempfile.TemporaryDirectory() as scratch:
        times = measure(contenders(scratch), ROUNDS)
    text = section(times)
    page.write(TITLE, text)
    print(text)
    median = {name: statistics.median(taken) for name, taken in times.items()}
    met = median[COLD] <= median[HAND] and median[COLD] <= median[PEER] / 3 and median[WARM] < LIMIT
    print("met" if met else "NOT MET")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
