"""Records what Kubernetes' own authorizer says to the generated cases: python -m support.rbac_record PROGRAM."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from support import rbac_faults, rbac_sets

FIXTURES = Path(__file__).parents[1] / "fixtures" / "rbac"
ANSWERS = FIXTURES / "answers.json"
REFUSALS = FIXTURES / "refusals.json"
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


def main(program: str) -> None:
    lines = [line for _, line, _ in sets()]
    FIXTURES.mkdir(exist_ok=True)
    recorded = [f"{mark(line)} {answer}" for line, answer in zip(lines, _asked(program, lines), strict=True)]
    ANSWERS.write_text(json.dumps(recorded, indent=0) + "\n")
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
