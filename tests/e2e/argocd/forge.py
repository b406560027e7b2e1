"""The Git server and chart repository beside Argo CD on the test cluster, and a fork of this repository there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import yaml

from e2e.kubectl import PROJECT, Cluster

INSIDE = "http://git.git.svc"  # as Argo CD reads it
FORK, FOREIGN, WORKFLOWS, CHARTS = (
    f"{INSIDE}/{name}" for name in ("kre.git", "foreign.git", "workflows.git", "charts")
)
UPSTREAM = {  # what a user with mirrors writes into environment.yaml
    "https://argoproj.github.io/argo-helm": CHARTS,
    "https://falcosecurity.github.io/charts": CHARTS,
    "https://github.com/argoproj/argo-workflows.git": WORKFLOWS,
}
_NEW = "test -d /srv/{0} || git init -q --bare -b main /srv/{0}; git -C /srv/{0} config http.receivepack true"


def git(folder: Path, *arguments: str) -> str:
    """Runs Git as nobody in particular, with nobody's settings."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    identity = {
        f"GIT_{role}_{field}": "kre@example.org" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")
    }
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | settings | identity
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout


class Forge:
    """Named by its address from here: the Service's own, where the tests run on the cluster's node, or KRE_E2E_GIT."""

    def __init__(self, cluster: Cluster) -> None:
        service = cluster.try_get("service", "git", "git")
        assert service is not None, "there is no Git server on this cluster: see tests/e2e/README.md"
        self.cluster = cluster
        self.host = os.environ.get("KRE_E2E_GIT") or service["spec"]["clusterIP"]

    def create(self, url: str) -> None:
        name = url.removeprefix(f"{INSIDE}/")
        self.cluster.run("-n", "git", "exec", "deployment/git", "--", "sh", "-c", _NEW.format(name))

    def push(self, folder: Path, url: str, *refs: str) -> None:
        git(folder, "push", "--quiet", "--force", url.replace(INSIDE, f"http://{self.host}"), *refs)

    def upload(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            connection = HTTPConnection(self.host, timeout=30)
            connection.request("PUT", f"/charts/{name}", content)
            assert connection.getresponse().status == HTTPStatus.CREATED
            connection.close()


class Fork:
    """This repository as it is checked out here, with `kre init` run in it, pushed to the cluster's Git server."""

    def __init__(self, forge: Forge, folder: Path) -> None:
        self.forge, self.folder = forge, folder
        tracked = git(PROJECT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        for name in filter(None, tracked.split("\0")):
            if (PROJECT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / name, folder / name, follow_symlinks=False)
        git(folder, "init", "--quiet", "--initial-branch=main")
        self.shell(f"kre init --repo-url {FORK}")
        for facts in folder.glob("overlays/*/environment/environment.yaml"):
            text = facts.read_text()
            for upstream, mirror in UPSTREAM.items():
                assert upstream in text, f"{facts}: {upstream} is not there"
                text = text.replace(upstream, mirror)
            facts.write_text(text)
        self.push("as it is, with this cluster's URLs")

    def shell(self, line: str) -> None:
        """One line of the docs, in the fork, as a user would run it."""
        env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        command = ["bash", "-euo", "pipefail", "-c", line]
        done = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{line}: exit code {done.returncode}: {done.stderr}"

    def push(self, message: str) -> str:
        """Commits everything, pushes, and returns the commit."""
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--message", message)
        self.forge.push(self.folder, FORK, "main")
        return self.head()

    @contextmanager
    def pushed(self, message: str, files: dict[str, str]) -> Iterator[str]:
        """A commit that writes these files, and is taken back at the end."""
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(content)
        commit = self.push(message)
        yield commit
        git(self.folder, "revert", "--no-edit", commit)
        self.forge.push(self.folder, FORK, "main")

    def head(self) -> str:
        return git(self.folder, "rev-parse", "HEAD").strip()

    @cache  # noqa: B019 - there is one fork in a run, and no commit of a test changes the list
    def applications(self, environment: str) -> list[str]:
        """The names of an environment's Applications, the root's first."""
        return [f"kre-{environment}-root", *(name for _, name in sorted(self.names(f"overlays/{environment}")))]

    def names(self, folder: str) -> set[tuple[str, str]]:
        """(kind, name) of everything that a folder makes."""
        return {(item["kind"], item["metadata"]["name"]) for item in self.render(folder)}

    def render(self, folder: str) -> list[dict[str, Any]]:
        """What `kubectl kustomize` makes of a folder."""
        return list(yaml.safe_load_all(self.forge.cluster.run("kustomize", str(self.folder / folder))))

    def with_entries(self, kustomization: str, **entries: list[Any]) -> dict[str, str]:
        """The kustomization with more entries in its lists, as `pushed` takes it."""
        body = yaml.safe_load((self.folder / kustomization).read_text())
        return {kustomization: yaml.safe_dump(body | {key: body.get(key, []) + new for key, new in entries.items()})}
