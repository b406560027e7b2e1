"""dev with every response that there is: those that it ships with, and cordon-node as its page says."""

from __future__ import annotations

import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from kre.load.bundle import load
from kre.model.bundle import Bundle
from support.cli import kre
from support.repository import PROJECT, git

CORDON = "cordon-node"
REASON = '"it closes a node; policy kre-engine-nodes lets it change nothing else"'
BINDING = {"group": "rbac.authorization.k8s.io", "kind": "ClusterRoleBinding", "name": "kre-cordon-node-nodes"}


def copied(folder: Path, but: str = "$.") -> Path:
    """What an environment is rendered from, and what Git is told of it, copied there, without what the pattern `but`
    begins with; returns the folder."""
    places = ("apps/", "base/", "overlays/", "kre.yaml", ".git")
    for file in git(PROJECT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if file.startswith(places) and (PROJECT / file).exists() and not re.match(but, file):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / file, folder / file)
    return folder


def edit(path: Path, before: str, after: str) -> None:
    """Replaces a text that is in the file."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def with_cordon(folder: Path) -> Path:
    """A copy in which dev has it: by the command, by an admin's line in the project, and by the budget's reason."""
    copied(folder)
    done = kre("response", "enable", CORDON, "--env", "dev", cwd=folder)
    assert done.code == 0, done.err
    project = folder / "apps/dev/kre-dev-appproject.yaml"
    edit(project, "  clusterResourceWhitelist:\n", f"  clusterResourceWhitelist:\n  - {BINDING}\n")
    done = kre("rbac", "budget", "--env", "dev", "--write", cwd=folder)
    assert done.code == 0, done.err
    rights = "    resources: [nodes]\n    verbs: [get, list, patch]\n"
    edit(folder / "overlays/dev/rbac-budget.yaml", rights, f"{rights}    reason: {REASON}\n")
    return folder


@cache
def whole() -> Bundle:
    """That dev, rendered."""
    folder = Path(tempfile.mkdtemp(prefix="kre-whole-"))
    try:
        return load(with_cordon(folder), ["dev"])
    finally:
        shutil.rmtree(folder)


@cache
def everything() -> dict[tuple[str, str], dict[str, Any]]:
    """Its objects by kind and name; the dispatcher's settings are those that are kept."""
    return {
        (item.kind, item.name): dict(item.body)
        for item in whole().resources
        if (item.kind, item.name, item.namespace) != ("ConfigMap", "settings", "kre-responses")
    }
