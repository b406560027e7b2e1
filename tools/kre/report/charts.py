"""Which charts' RBAC is in what is reported, and which is not, said plainly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kre.report.printable import printable


def lines(left: Iterable[tuple[str, str]], brought: Iterable[tuple[str, str, bool]]) -> Iterator[str]:
    """One line for all charts that nobody asked to render, one for each that can't be, one for each that is in.

    `left` are charts with why they are left out ("": nobody asked); `brought` are charts, the SHA-256 of their archive,
    and whether kre.yaml pins that.
    """
    known = sorted(set(left))
    if unasked := [chart for chart, why in known if not why]:
        yield printable(f"not in this: whatever RBAC these charts bring: {', '.join(unasked)} (--charts renders them)")
    for chart, why in known:
        if why:
            yield printable(f"not in this: whatever RBAC chart {chart} brings: {why}")
    for chart, digest, pinned in sorted(set(brought)):
        how = "as pinned" if pinned else "as seen, for kre.yaml pins none"
        yield printable(f"with the RBAC of chart {chart}, sha256:{digest} ({how})")
