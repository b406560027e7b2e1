"""The commands of the docs take an environment away."""

from __future__ import annotations

import pytest

from e2e.argocd import stage
from e2e.argocd.argo import ArgoCD
from e2e.argocd.forge import Fork

pytestmark = pytest.mark.e2e


def test_removal_removes_everything(dev: ArgoCD, fork: Fork) -> None:
    stage.remove(dev, fork)
