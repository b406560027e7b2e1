"""A small API server: what the dispatcher and the responder ask, answered as Kubernetes answers it.

`tests/unit/demo/conversations.yaml` is played against it and against a real one (`tests/e2e/api/test_double.py`).
"""

from __future__ import annotations

from demo.apiserver.faults import Fault, given, hang, mangled, reset, short, slow, trouble, truncated
from demo.apiserver.kinds import (
    daemonset,
    deployment,
    lease,
    namespace,
    networkpolicy,
    node,
    replicaset,
    service,
    statefulset,
)
from demo.apiserver.objects import pod
from demo.apiserver.request import Change, Request
from demo.apiserver.rights import by_rules
from demo.apiserver.server import ApiServer
from demo.apiserver.state import State

__all__ = [
    "ApiServer",
    "Change",
    "Fault",
    "Request",
    "State",
    "by_rules",
    "daemonset",
    "deployment",
    "given",
    "hang",
    "lease",
    "mangled",
    "namespace",
    "networkpolicy",
    "node",
    "pod",
    "replicaset",
    "reset",
    "service",
    "short",
    "slow",
    "statefulset",
    "trouble",
    "truncated",
]
