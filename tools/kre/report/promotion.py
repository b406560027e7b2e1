"""What CI needs of a promotion: title and labels of a pull request, the outputs of a step. No forge is asked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from kre.model.comparison import Comparison
from kre.model.promotion import Hop
from kre.report.difference import level
from kre.report.printable import printable

TITLE, LABEL = 120, 50  # characters that are seen of a title, and that a label may have


def title(hop: Hop) -> str:
    """One line, conventional: `chore(prod): promote falco and pipeline from staging`."""
    names = [printable(each.name) for each in hop.goes]
    shown = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "nothing"
    made = f"chore({printable(hop.target)}): promote {shown} from {printable(hop.source)}"
    if len(made) > TITLE:
        made = f"chore({printable(hop.target)}): promote {len(names)} components from {printable(hop.source)}"
    return made[:TITLE]


def labels(hop: Hop, comparison: Comparison | None = None) -> list[str]:
    """Labels: that it is a promotion, its environment, its components, and how much it asks of a reviewer."""
    found = ["promotion", f"environment/{hop.target}", *(f"component/{each.name}" for each in hop.goes)]
    if comparison is not None:
        found.append(f"risk/{level(comparison)}")
    return [re.sub(r"[^A-Za-z0-9/._ -]", "-", name)[:LABEL] for name in found]


def outputs(hop: Hop, comparison: Comparison | None = None) -> str:
    """Lines for the file that GITHUB_OUTPUT names. A value can end neither its own part nor make another output."""
    values: Mapping[str, str] = {
        "source": hop.source,
        "target": hop.target,
        "branch": hop.branch,
        "base": hop.base,
        "changed": str(bool(hop.goes)).lower(),
        "blocked": str(bool(hop.blocks) or any(each.blocks for each in hop.components)).lower(),
        "components": json.dumps([each.name for each in hop.goes]),
        "title": title(hop),
        "labels": ",".join(labels(hop, comparison)),
        "level": level(comparison) if comparison is not None else "",
    }
    end = f"end-{hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]}"  # in none of them: it depends on all
    return "".join(f"{name}<<{end}\n{printable(value)}\n{end}\n" for name, value in values.items())
