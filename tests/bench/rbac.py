"""`make bench`: the evaluator of RBAC beside Kubernetes' own authorizer, on 1,000 identities and 5,000 rules, and
`kre rbac can` on this repository; writes its section of docs/benchmarks.md.

Both evaluators are programs of their own, which get the same line on standard input and answer it (docs/rbac.md).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import page
from rounds import cells, machine, measure

from kre.doors import tools

ROOT = Path(__file__).resolve().parents[2]
TITLE = "kre rbac"
ROUNDS = 7
IDENTITIES, RULES = 1000, 5000
API = "rbac.authorization.k8s.io/v1"
EACH, ALL = "rules of their own, 5 each", "all 5,000 rules, in 10 ClusterRoles"
KRE, PEER, CAN, COLD = "kre", "Kubernetes' authorizer", "kre rbac can", "kre rbac can, first after a change"
ASKED = "rbac can kre-responses/delete-pod delete pods -n kre-demo --env dev"
EVALUATE, ANSWER = 2.0, 0.5  # seconds

HEAD = """{identities:,} identities and {rules:,} rules, a question about each identity, as one line of the
[line protocol](rbac.md#line-protocol): from the start of the program to its end. Made by `make bench`.

{machine}.

| identities have | who answers | median, s | from to, s |
|---|---|---:|---:|
"""
TAIL = """
**Kubernetes' authorizer** is the API server's own code ([tests/authorizer](../tests/authorizer/README.md)), compiled,
which checks and takes in the same objects. Both have to give the same answers, half of them yes.

`kre {asked}` on this repository:

| what | median, s | from to, s |
|---|---:|---:|
{can}

Required: evaluated under {evaluate:g} s; `kre rbac can` under {answer:g} s.
"""


def role(number: int, namespace: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": f"r{number}"} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "rules": rules}


def binding(number: int, namespace: str, people: list[int]) -> dict[str, Any]:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": f"b{number}"} | ({"namespace": namespace} if namespace else {})
    subjects = [{"kind": "ServiceAccount", "name": f"s{one}", "namespace": space(one)} for one in people]
    reference = {"apiGroup": API.partition("/")[0], "kind": kind, "name": f"r{number}"}
    return {
        "apiVersion": API,
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": subjects,
    }


def space(identity: int) -> str:
    return f"n{identity % 50}"


def rules(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {"verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": [f"things{index}", "pods/log"]}
        for index in range(first, first + count)
    ]


def own() -> list[dict[str, Any]]:
    """A Role and a RoleBinding for each identity."""
    few = RULES // IDENTITIES
    return [
        body
        for one in range(IDENTITIES)
        for body in (role(one, space(one), rules(one * few, few)), binding(one, space(one), [one]))
    ]


def shared() -> list[dict[str, Any]]:
    """ClusterRoles with everything, each bound to everybody."""
    many = RULES // 10
    return [
        body
        for number in range(10)
        for body in (role(number, "", rules(number * many, many)), binding(number, "", list(range(IDENTITIES))))
    ]


def line(objects: list[dict[str, Any]]) -> str:
    """With a question about each identity's last rule: every other one asks for what it may not."""
    asked = [
        {
            "user": f"system:serviceaccount:{space(one)}:s{one}", "groups": ["system:serviceaccounts"], "group": "apps",
            "verb": ("get", "delete")[one % 2], "resource": f"things{one * 5 + 4}", "namespace": space(one),
        }
        for one in range(IDENTITIES)
    ]  # fmt: skip
    return json.dumps({"objects": objects, "questions": asked})


def answered(argv: list[str], asked: str) -> list[bool]:
    done = subprocess.run(argv, input=asked, capture_output=True, text=True, check=True, cwd=ROOT)
    found: list[bool] = json.loads(done.stdout)["allowed"]
    return found


def can(cold: bool) -> None:
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, **({"XDG_CACHE_HOME": empty} if cold else {})}
        argv = [str(Path(sys.executable).parent / "kre"), *ASKED.split()]
        subprocess.run(argv, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def contenders() -> dict[tuple[str, str], Callable[[], object]]:
    """Each once around, which raises where an answer is not as it has to be."""
    wanted = [one % 2 == 0 for one in range(IDENTITIES)]
    programs = {KRE: [sys.executable, "-m", "kre.rbac.lines"]}
    peer = tools.folder() / "kre-authorizer"
    if peer.exists():
        programs[PEER] = [str(peer)]

    def run(argv: list[str], asked: str) -> None:
        if answered(argv, asked) != wanted:
            raise SystemExit(f"{argv[0]}: other answers than they have to be")

    runs: dict[tuple[str, str], Callable[[], object]] = {
        (title, who): lambda argv=argv, asked=asked: run(argv, asked)
        for title, asked in ((EACH, line(own())), (ALL, line(shared())))
        for who, argv in programs.items()
    }
    runs["", CAN] = lambda: can(cold=False)
    runs["", COLD] = lambda: can(cold=True)
    return runs


def section(times: dict[tuple[str, str], list[float]]) -> str:
    figures = {name: cells(taken) for name, taken in times.items()}
    rows = [f"| {title} | {who} | {shown}" for (title, who), shown in figures.items() if title]
    if not any(who == PEER for _, who in times):
        rows.append(f"| | {PEER} | not built: `make rbac-answers` | |")
    alone = "\n".join(f"| {who} | {shown}" for (title, who), shown in figures.items() if not title)
    tail = TAIL.format(asked=ASKED, can=alone, evaluate=EVALUATE, answer=ANSWER)
    return HEAD.format(identities=IDENTITIES, rules=RULES, machine=machine(ROUNDS)) + "\n".join(rows) + "\n" + tail


def main() -> int:
    """Returns 1 where a requirement is not met."""
    times = measure(contenders(), ROUNDS)
    text = section(times)
    page.write(TITLE, text)
    print(text)
    median = {name: statistics.median(taken) for name, taken in times.items()}
    met = all(median[title, KRE] < EVALUATE for title in (EACH, ALL)) and median["", CAN] < ANSWER
    print("met" if met else "NOT MET")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
