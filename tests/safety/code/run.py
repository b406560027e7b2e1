"""Runs the tests of the engine's code against every fault that can be made in it: `make mutants`.

Each mutant is a copy of the code with one fault. A first run notes which test runs which lines; a mutant gets the tests
that run its line, short ones first, and is killed by the first that fails. What survives those gets more of them, and
those whose lines are not seen. What survives all needs a test, or a reason in explained.yaml beside this file. Writes a
summary to build/mutants/; ends with 1 where something is left to do.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safety.code.mutants import Mutant, mutants
from safety.explain import Explanations
from support.repository import PROJECT

CODE = PROJECT / "base/responses/manifests/code"
TESTS = "tests/unit/engine"
SEPARATE = ("dispatcher.py", "serve.py")  # run as a process of their own, where no line is seen
NOT = ("test_code.py", "test_after_all_that")  # one reads the text of the code, one sums up those before it
ENOUGH = (5.0, 60.0)  # seconds of tests for one mutant: at first, and for one that has survived them
LOADED = ("pytest", "hypothesis", "hypothesis.strategies", "demo.apiserver", "kre.model.resource", "yaml")

EXPLAINED = Path(__file__).with_name("explained.yaml")
QUIET = "ignore::pytest.PytestAssertRewriteWarning"  # of LOADED, which no test module is


@dataclass
class Test:
    name: str
    seconds: float
    lines: set[tuple[str, int]]

    @property
    def function(self) -> str:
        return self.name.partition("[")[0]


def child(folder: Path, arguments: list[str], environ: dict[str, str], log: Path) -> int:
    """Starts pytest in a fork of this process, which has loaded what takes time; returns its id."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.update(environ)
    code = 70
    try:
        import pytest

        base = [
            "-q",
            "-p",
            "safety.code.plugin",
            "-p",
            "no:cacheprovider",
            "-W",
            QUIET,
            f"--basetemp={folder / 'temp'}",
        ]
        code = int(pytest.main([*base, *arguments]))
    except Exception:  # noqa: BLE001 - whatever it is: this process must end here, and say why
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def traced(scratch: Path) -> list[Test]:
    """What each test runs. Raises SystemExit where one fails without any fault."""
    file = scratch / "trace.json"
    began = time.monotonic()
    environ = {"KRE_TRACE": str(file)}
    process = child(scratch, [TESTS, f"--ignore={TESTS}/test_code.py"], environ, scratch / "trace.log")
    if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]):
        raise SystemExit(f"a test fails without a fault: {(scratch / 'trace.log').read_text()[-2000:]}")
    print(f"traced the tests in {time.monotonic() - began:.0f} s", flush=True)
    return read(file)


def read(file: Path) -> list[Test]:
    notes = json.loads(file.read_text())
    return [Test(name, it["seconds"], {(str(f), int(n)) for f, n in it["lines"]}) for name, it in notes.items()]


def chosen(tests: list[Test], mutant: Mutant, enough: float = ENOUGH[0]) -> list[Test]:
    """The tests for a mutant: of each test function one after another, short ones first, until it is enough."""
    unseen = [test for test in tests if not test.lines]
    near = [test for test in tests if any(file == mutant.file for file, _ in test.lines)]
    seen = [] if " <module>: " in mutant.name else [test for test in near if (mutant.file, mutant.line) in test.lines]
    order = [*turns(unseen), *turns(near)] if mutant.file in SEPARATE else [*turns(seen or near), *turns(unseen)]
    found, total = list[Test](), 0.0
    for test in order:
        total += test.seconds
        if found and total > enough:
            break
        found.append(test)
    return found


def turns(tests: list[Test]) -> list[Test]:
    """Short ones first, and of each function one before another of the same comes again."""
    functions: dict[str, list[Test]] = defaultdict(list)
    for test in sorted(tests, key=lambda test: test.seconds):
        functions[test.function].append(test)
    ranked = [(index, test) for group in functions.values() for index, test in enumerate(group)]
    return [test for _, test in sorted(ranked, key=lambda each: (each[0], each[1].seconds))]


@dataclass
class Job:
    mutant: Mutant
    folder: Path
    process: int
    until: float


def start(mutant: Mutant, tests: list[Test], scratch: Path, number: int) -> Job:
    folder = scratch / str(number)
    shutil.copytree(CODE, folder / "responses/manifests/code", ignore=shutil.ignore_patterns("__pycache__"))
    code = folder / "responses/manifests/code"
    (code / mutant.file).write_text(mutant.source)
    (folder / "chosen.json").write_text(json.dumps([test.name for test in tests]))
    files = sorted({test.name.partition("::")[0] for test in tests})
    environ = {"KRE_ENGINE_CODE": str(code), "KRE_CHOSEN": str(folder / "chosen.json")}
    environ |= {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))}
    process = child(folder, ["-x", "--no-header", "--tb=line", *files], environ, folder / "log")
    return Job(mutant, folder, process, time.monotonic() + 40 + 5 * sum(test.seconds for test in tests))


def ended(jobs: list[Job]) -> Iterator[tuple[Job, str]]:
    """The jobs that are over: killed, survived, or slow (which a test would be, too)."""
    for job in list(jobs):
        process, status = os.waitpid(job.process, os.WNOHANG)
        if process:
            code = os.waitstatus_to_exitcode(status)
            yield job, {0: "survived", 1: "killed", 2: "killed"}.get(code, f"broken ({code})")  # 2: can't be imported
        elif time.monotonic() > job.until:
            os.killpg(job.process, signal.SIGKILL)
            os.waitpid(job.process, 0)
            yield job, "slow"


def run(
    work: list[tuple[Mutant, list[Test]]], budget: float, parallel: int, scratch: Path, kept: Path | None = None
) -> dict[str, str]:
    """Mutant name -> how it ended; `kept` gets a line of each. What the budget (seconds) does not reach is left out."""
    jobs, results, waiting = list[Job](), dict[str, str](), list(reversed(work))
    until = time.monotonic() + budget
    while jobs or (waiting and time.monotonic() < until):
        while waiting and len(jobs) < parallel and time.monotonic() < until:
            mutant, tests = waiting.pop()
            jobs.append(start(mutant, tests, scratch, len(work) - len(waiting)))
        for job, how in ended(jobs):
            jobs.remove(job)
            results[job.mutant.name] = how
            if kept is None and how != "survived":
                print((job.folder / "log").read_text()[-3000:])
            shutil.rmtree(job.folder, ignore_errors=True)
            if kept is not None:
                with kept.open("a") as file:
                    file.write(json.dumps({job.mutant.name: how}) + "\n")
                if how == "survived" or len(results) % 100 == 0:
                    print(f"{len(results)} of {len(work)}: {how}: {job.mutant.name}", flush=True)
        time.sleep(0.02)
    return results


def sound(tests: list[Test], parallel: int, scratch: Path) -> None:
    """Raises SystemExit where a file fails without a fault, only for being written anew: nothing would survive."""
    same = [
        Mutant(path.name, path.name, 0, ast.unparse(ast.parse(path.read_text()))) for path in sorted(CODE.glob("*.py"))
    ]
    ended = run([(each, chosen(tests, each)) for each in same], float("inf"), parallel, scratch)
    if wrong := sorted(name for name, how in ended.items() if how != "survived"):
        raise SystemExit(f"killed without a fault: {', '.join(wrong)}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--budget", type=float, default=3600.0, help="seconds, after which it stops")
    parser.add_argument("--parallel", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="mutants with this in their names")
    parser.add_argument("--resume", action="store_true", help="go on where a run with the same --out was broken off")
    parser.add_argument("--trace", type=Path, help="what an earlier run noted")
    parser.add_argument("--out", type=Path, default=PROJECT / "build/mutants")
    options = parser.parse_args(arguments)
    for name in LOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="kre-mutants-") as folder:
        scratch = Path(folder)
        tests = read(options.trace) if options.trace else traced(scratch)
        tests = [test for test in tests if not any(name in test.name for name in NOT)]
        made = [each for path in sorted(CODE.glob("*.py")) for each in mutants(path.name, path.read_text())]
        made = [each for each in made if options.only in each.name]
        random.Random(1).shuffle(made)  # where the budget ends, every file has had its share
        sound(tests, options.parallel, scratch)
        until = time.monotonic() + options.budget
        options.out.mkdir(parents=True, exist_ok=True)
        results, explanations = dict[str, str](), Explanations(EXPLAINED)
        for enough in ENOUGH:
            kept = options.out / f"code-{enough:g}.jsonl"
            if not options.resume:
                kept.unlink(missing_ok=True)
            known = ended_before(kept)
            left = [each for each in made if results.get(each.name, "survived") == "survived"]
            todo = [each for each in left if each.name not in known]
            if enough > ENOUGH[0]:  # of what is explained no more needs to be known
                todo = [each for each in todo if not explanations.of(each.name)]
            print(f"{len(todo)} mutants, {enough:g} s of tests for each", flush=True)
            work = [(each, chosen(tests, each, enough)) for each in todo]
            results |= {each.name: known[each.name] for each in left if each.name in known}
            results |= run(work, until - time.monotonic(), options.parallel, scratch, kept)
    return report(results, len(made), options.out, explanations, whole=not options.only)


def ended_before(kept: Path) -> dict[str, str]:
    """How mutants ended in a run that was broken off."""
    found: dict[str, str] = {}
    for line in kept.read_text().splitlines() if kept.exists() else ():
        found |= json.loads(line)
    return found


def report(results: dict[str, str], total: int, out: Path, explanations: Explanations, *, whole: bool) -> int:
    """Writes the summary and says what is left to do."""
    survivors = sorted(name for name, how in results.items() if how == "survived")
    bare = [name for name in survivors if not explanations.of(name)]
    counts: dict[str, Any] = {"mutants": total, "run": len(results), **Counter(results.values())}
    counts |= {"explained": len(survivors) - len(bare), "unexplained": len(bare)}
    idle = explanations.idle() if whole and len(results) == total else []
    text = json.dumps(
        {"counts": counts, "unexplained": bare, "idle": idle, "results": dict(sorted(results.items()))}, indent=1
    )
    (out / "code.json").write_text(text + "\n")
    print(json.dumps(counts), *[f"needs a test or a reason: {name}" for name in bare], sep="\n")
    print(*[f"explains nothing: {pattern}" for pattern in idle], sep="\n")
    broken = [name for name, how in results.items() if how.startswith("broken")]
    print(*[f"did not run: {name}" for name in broken], sep="\n")
    return int(bool(bare or idle or broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
