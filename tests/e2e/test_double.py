"""The table of requests and answers that the API server double is held to, against a real API server.

It needs no node and no controllers. Requests go through `kubectl proxy`, by whoever KUBECONFIG names: an
administrator, who may impersonate. Workflows are asked about where the cluster knows them.
"""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator

import pytest

from e2e.kubectl import Cluster
from support.conversation import conversations, play, setup

pytestmark = pytest.mark.e2e

TALKS = {talk["title"]: talk["steps"] for talk in conversations()}


@pytest.fixture(scope="module")
def proxy(cluster: Cluster) -> Iterator[str]:
    """The URL of `kubectl proxy`. Its default filter keeps some paths of pods back, none that the table asks for."""
    process = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        found = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
        assert found, "kubectl proxy said nothing"
        yield f"http://{found[0]}"
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="module")
def groups(cluster: Cluster) -> set[str]:
    """The groups that the cluster serves, as far as a step may need them."""
    served = cluster.run("api-resources", "--api-group=argoproj.io", "--output=name", check=False)
    return {"argoproj.io"} if "workflows.argoproj.io" in served.split() else set()


@pytest.mark.parametrize("title", TALKS)
def test_a_real_server_answers_as_the_table_says(cluster: Cluster, proxy: str, groups: set[str], title: str) -> None:
    # Never a name again: without controllers a namespace that is deleted stays, and takes nothing new.
    namespace = f"kre-talk-{list(TALKS).index(title)}-{secrets.token_hex(3)}"
    try:
        play(proxy, setup(namespace), namespace)
        play(proxy, TALKS[title], namespace, groups)
    finally:
        cluster.run("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
