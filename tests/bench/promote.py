"""`make bench`: kre promote and kre status beside the same work by hand; writes its section of docs/benchmarks.md.

On a clone of this repository whose environments are filled, with a change in base/; and on a made-up one of a hundred
components in ten environments. Each contender runs as a process of its own, in turn; the median counts.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import page
from rounds import cells, machine, measure

from kre.doors import tools
from kre.load.layout import build_units, environments
from kre.load.sources import Sources

ROOT = Path(__file__).resolve().parents[2]
TITLE = "kre promote and kre status"
ROUNDS = 5
COMPONENTS, ENVIRONMENTS = 100, 10
PLAN, STATUS, HAND = "kre promote dev staging --dry-run", "kre status", "by hand, dev to staging"
LARGE, LARGE_STATUS = "kre promote --dry-run, 100 components x 10 environments", "kre status, the same"
LIMITS = {PLAN: 2.0, STATUS: 0.5, LARGE: 10.0}  # seconds
GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.com")

TEXT = """{machine}.

| what | median, s | from to, s |
|---|---:|---:|
{rows}

The plan of the whole repository renders staging before and after, asks every rule, and prints files, objects, rights
and risks line by line. **By hand** is `cp -r` of each component, `git diff`, one `kustomize build` of each root and
leaf of staging before and after, and `diff -u`: no gates, no lock, no drift, no rules, and nothing says whose bytes
they are.
The large repository is made up: {components} components of two files each, all of them changed in `base/`,
{environments} environments in a row. Its plan has {hops} hops.

Required: {limits}.
"""


def run(folder: Path, *argv: str, codes: tuple[int, ...] = (0,), out: int = subprocess.DEVNULL) -> None:
    environ = {**os.environ, "GIT_AUTHOR_EMAIL": "bench@example.com", "GIT_AUTHOR_NAME": "bench"}
    environ |= {"GIT_COMMITTER_EMAIL": "bench@example.com", "GIT_COMMITTER_NAME": "bench"}
    done = subprocess.run(argv, cwd=folder, stdout=out, stderr=subprocess.PIPE, text=True, env=environ, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stderr}")


def kre(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> None:
    run(folder, sys.executable, "-m", "kre", *arguments, codes=codes)


def commit(folder: Path, message: str) -> None:
    run(folder, *GIT, "add", "--all")
    run(folder, *GIT, "commit", "--quiet", "--message", message)


def fill(folder: Path, path: list[str]) -> None:
    """Every environment for the first time, merged at once."""
    for source, target in pairwise(path):
        if not (folder / f"overlays/{target}/release.lock.yaml").exists():
            kre(folder, "promote", source, target, "--initial")
            run(folder, *GIT, "merge", "--quiet", "--ff-only", f"promote/{target}/all")


def bundle(scratch: Path) -> Path:
    """This repository as it is committed, filled, with a change of two components in base/."""
    folder = scratch / "bundle"
    run(scratch, "git", "clone", "--quiet", "--branch", "main", "--no-local", f"file://{_main(scratch)}", str(folder))
    run(folder, "git", "remote", "remove", "origin")
    known = environments(Sources(folder))
    for environment in known:
        if environment.source:  # as if nobody had promoted yet, with budgets for what base/ asks for now
            (folder / environment.folder / "release.lock.yaml").unlink(missing_ok=True)
            shutil.rmtree(folder / environment.folder / "release", ignore_errors=True)
            shutil.copytree(folder / "base", folder / environment.folder / "release")
    kre(folder, "rbac", "budget", "--write")
    commit(folder, "test: start")
    fill(folder, [environment.name for environment in known])
    for name in ("base/falco/values.yaml", "base/pipeline/manifests/default-eventbus.yaml"):
        (folder / name).write_text((folder / name).read_text() + "# a word\n")
    commit(folder, "feat: change")
    return folder


def _main(scratch: Path) -> Path:
    """A bare copy of this repository whose branch main is what is checked out here."""
    bare = scratch / "origin.git"
    run(scratch, "git", "clone", "--quiet", "--bare", str(ROOT), str(bare))
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    run(bare, "git", "update-ref", "refs/heads/main", head.stdout.strip())
    return bare


def large(scratch: Path) -> Path:
    """A hundred components in ten environments, all filled, then all of base/ changed."""
    folder, names = scratch / "large", [f"e{number}" for number in range(ENVIRONMENTS)]
    components = [f"c{number:03}" for number in range(COMPONENTS)]
    files = {
        "overlays/environments.yaml": "environments:\n- name: e0\n"
        + "".join(
            f"- {{name: {name}, from: {before}, gates: {{validate: false, policy: false}}}}\n"
            for before, name in pairwise(names)
        )
    }
    for component in components:
        files[f"base/{component}/kustomization.yaml"] = _kustomization("settings.yaml")
        files[f"base/{component}/settings.yaml"] = _settings(component, 1)
    for name in names:
        up = "../../base" if name == names[0] else "release"
        files[f"overlays/{name}/kustomization.yaml"] = _kustomization(*(f"{up}/{each}" for each in components))
        files[f"overlays/{name}/environment/environment.yaml"] = f"kind: Environment\nmetadata: {{name: {name}}}\n"
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    commit(folder, "test: start")
    fill(folder, names)
    for component in components:
        (folder / f"base/{component}/settings.yaml").write_text(_settings(component, 2))
    commit(folder, "feat: change")
    return folder


def _kustomization(*resources: str) -> str:
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
    return head + "".join(f"- {resource}\n" for resource in resources)


def _settings(name: str, value: int) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: shop\ndata:\n  value: '{value}'\n"


def by_hand(folder: Path, build: list[str]) -> None:
    """What a person would do for a look at a promotion; the work tree is put back in the end."""
    target = environments(Sources(folder))[1].name
    units = [path for path, _, _ in build_units(folder, [target])]
    with tempfile.TemporaryDirectory() as scratch:
        for side in ("before", "after"):
            if side == "after":
                for component in sorted((folder / "base").iterdir()):
                    run(folder, "cp", "-r", f"base/{component.name}", f"overlays/{target}/release/")
                run(folder, "git", "diff", "--stat")
            (Path(scratch) / side).mkdir()
            for unit in units:
                with (Path(scratch) / side / unit.replace("/", "_")).open("w") as file:
                    run(folder, *build, unit, out=file.fileno())
        run(Path(scratch), "diff", "-ru", "before", "after", codes=(0, 1))
    run(folder, "git", "checkout", "--quiet", "--", ".")


def contenders(scratch: Path) -> dict[str, Callable[[], None]]:
    small, big = bundle(scratch), large(scratch)
    tool, path = tools.require(tools.KUSTOMIZE, tools.KUBECTL)
    build = [path, "build"] if tool is tools.KUSTOMIZE else [path, "kustomize"]
    return {
        PLAN: lambda: kre(small, "promote", "dev", "staging", "--dry-run"),
        HAND: lambda: by_hand(small, build),
        STATUS: lambda: kre(small, "status"),
        LARGE: lambda: kre(big, "promote", "e0", f"e{ENVIRONMENTS - 1}", "--dry-run"),
        LARGE_STATUS: lambda: kre(big, "status"),
    }


def section(times: Mapping[str, list[float]]) -> str:
    rows = [f"| {name} | {cells(taken)}" for name, taken in times.items()]
    limits = "; ".join(f"{name.partition(' --')[0]} under {limit} s" for name, limit in LIMITS.items() if name != LARGE)
    return TEXT.format(
        machine=machine(ROUNDS),
        rows="\n".join(rows),
        components=COMPONENTS,
        environments=ENVIRONMENTS,
        hops=ENVIRONMENTS - 1,
        limits=f"{limits}; the large plan under {LIMITS[LARGE]:.0f} s",
    )


def main() -> int:
    """Returns 1 where a requirement is not met."""
    scratch = Path(tempfile.mkdtemp(prefix="kre-bench-"))
    try:
        times = measure(contenders(scratch), ROUNDS, warm=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = section(times)
    page.write(TITLE, text)
    print(text)
    missed = [name for name, limit in LIMITS.items() if statistics.median(times[name]) >= limit]
    for name in missed:
        print(f"not met: {name} under {LIMITS[name]} s", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
