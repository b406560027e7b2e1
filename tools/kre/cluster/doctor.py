"""The whole examination: read, judge, and send the test alert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kre.cluster.checks.run import run
from kre.cluster.reading import environment_on, read
from kre.cluster.result import Result
from kre.cluster.sending import not_sent, probe
from kre.cluster.wanted import Wanted
from kre.doors.kubectl import Api, Kubectl
from kre.edit import repository
from kre.load import layout
from kre.load.sources import Sources


def environment_of(root: Path, given: str | None, api: Api, server: str) -> str:
    """The environment to hold a cluster against: as given, else as its Argo CD says. Raises UsageError, ToolError."""
    repository.require_repository(root)
    if given is not None:
        return repository.environment_of(root, given).name
    names = [item.name for item in layout.environments(Sources(root))]
    roots = {name: f"/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/kre-{name}-root" for name in names}
    return environment_on(api, roots, server)


def examine(wanted: Wanted, kubectl: Kubectl, api: Api, server: str, timeout: float | None) -> Iterator[Result]:
    """Every result, as it comes. `timeout` is that of each hop, None to send nothing. Raises ToolError."""
    snapshot = read(wanted, api, server)
    yield from run(snapshot)
    if timeout is None:
        yield from not_sent("--no-send")
    else:
        yield from probe(snapshot, kubectl, api, timeout)
