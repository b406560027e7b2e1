"""Records what Kubernetes' own authorizer says to the generated cases: python -m support.rbac_record PROGRAM."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from support import rbac_counts, rbac_faults, rbac_sets

FIXTURES = Path(__file__).parents[1] / "fixtures" / "rbac"
ANSWERS = FIXTURES / "answers.json"
REFUSALS = FIXTURES / "refusals.json"
COUNTS = Path(__file__).parents[1] / "authorizer/counts.md"
DEFAULTS = Path(__file__).parents[2] / "tools/kre/rbac/data"
SETS, FEWER, FAULTS = 300, 60, 6000


def sets() -> Iterator[tuple[str, str, list[str]]]:
    """(feature, line, the feature of each question) of every recorded set. Those with the defaults take longer."""
    for feature in rbac_sets.FEATURES:
        for number in range(FEWER if feature == "defaults" else SETS):
            line, features = rbac_sets.case(Random(f"{feature} {number}"), feature)
            yield feature, json.dumps(line, sort_keys=True), features


def faults() -> Iterator[str]:
    """The lines with one object that may have to be refused."""
    return (json.dumps(rbac_faults.case(Random(f"fault {number}")), sort_keys=True) for number in range(FAULTS))


def mark(line: str) -> str:
    """Tells whether a generator still makes what was recorded."""
    return hashlib.sha256(line.encode()).hexdigest()[:8]


def shown(answer: dict) -> str:
    """An answer in short: 1 and 0 for yes and no, or ! for an error."""
    return "!" if "error" in answer else "".join("01"[allowed] for allowed in answer["allowed"])


def counted(answers: Iterable[tuple[list[str], str]]) -> rbac_counts.Counts:
    """Of (the features of a set's questions, the answer in short)."""
    return rbac_counts.counts(
        (feature, answer == "1") for features, said in answers for feature, answer in zip(features, said, strict=True)
    )


def report(found: rbac_counts.Counts) -> str:
    """The page that says how often Kubernetes allowed and denied each feature."""
    text = (
        f"{sum(found.values())} questions about generated roles and bindings, as Kubernetes' authorizer answers them."
    )
    return f"# What the evaluator is held to\n\n{text}\nMade by `make rbac-answers`.\n\n{rbac_counts.table(found)}"


def main(program: str) -> None:
    made = list(sets())
    lines = [line for _, line, _ in made]
    FIXTURES.mkdir(exist_ok=True)
    answers = _asked(program, lines)
    recorded = [f"{mark(line)} {answer}" for line, answer in zip(lines, answers, strict=True)]
    ANSWERS.write_text(json.dumps(recorded, indent=0) + "\n")
    COUNTS.write_text(report(counted((made[index][2], answer) for index, answer in enumerate(answers))))
    lines = list(faults())
    recorded = [f"{mark(line)} {answer}" for line, answer in zip(lines, _asked(program, lines), strict=True)]
    REFUSALS.write_text(json.dumps(recorded, indent=0) + "\n")
    _defaults(program)


def _asked(program: str, lines: list[str]) -> list[str]:
    done = subprocess.run([program], input="\n".join(lines), capture_output=True, text=True, check=True)
    return [shown(json.loads(line)) for line in done.stdout.splitlines()]


def _defaults(program: str) -> None:
    known = json.loads((DEFAULTS / "lock.json").read_bytes())
    made = subprocess.run([program, "-defaults"], capture_output=True, check=True).stdout
    (DEFAULTS / known["file"]).write_bytes(made)
    (DEFAULTS / "lock.json").write_text(
        json.dumps({**known, "sha256": hashlib.sha256(made).hexdigest()}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1])
