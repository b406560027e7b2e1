"""What was done in a namespace lately, in an annotation of its Lease: where replicas agree, and what survives them."""

import json
import random
import time
from collections.abc import Callable

from api import ApiError, Client, path
from names import ACTIONS, Refused

HOME, ATTEMPTS = "kre-pipeline", 50  # not in the target: whoever owns that could fill the count


def claim(client: Client, namespace: str, change: Callable[[dict[str, int]], bool]) -> None:
    """Lets `change` edit the namespace's actions (Workflow name -> epoch seconds), and stores them if it says so. By
    compare-and-swap: it runs again on what another has stored meanwhile. Raises ApiError, Refused."""
    leases = path("leases", HOME, group="coordination.k8s.io/v1")
    where = f"{leases}/target-{namespace}"
    for _ in range(ATTEMPTS):
        found = client.get(where)
        lease = found or {"metadata": {"name": f"target-{namespace}", "namespace": HOME}}
        annotations = lease["metadata"].get("annotations") or {}
        try:
            actions = {key: value + 0 for key, value in json.loads(annotations.get(ACTIONS) or "{}").items()}
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise Refused(f"annotation {ACTIONS} of the Lease is not as the engine wrote it") from None
        if not change(actions):
            return
        lease["metadata"]["annotations"] = annotations | {ACTIONS: json.dumps(actions)}
        if client.call("PUT" if found else "POST", where if found else leases, lease, take=(409,))[0] != 409:
            return
        time.sleep(random.uniform(0.002, 0.03))  # noqa: S311 - to fall out of step
    raise ApiError("409: others write the Lease all the time")
