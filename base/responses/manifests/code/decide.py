"""What to do about an alert, and doing it: at most one Workflow for a response, a pod and a cool-down."""

import hashlib
import time
from collections.abc import Callable, Mapping

import guard
import lease
import record
from api import ApiError, Client, Object, path
from names import QUARANTINE, Gone, Refused
from request import FIELDS, parse_alert
from settings import Settings, Values

KNOWN = 20_000  # names that a replica remembers, to spare the API server the rest of a storm
AGAIN = ("deduplicated", "the same was done within the cool-down")


class Dispatcher:
    """Decides on alerts, many at a time. `values` gives the settings as of now, `clock` epoch seconds."""

    def __init__(self, client: Client, values: Values, clock: Callable[[], float] = time.time) -> None:
        self._client, self._values, self._clock = client, values, clock
        self._done: dict[str, int] = {}

    def take(self, response: str, body: object) -> Object:
        """The facts of the record, with an `outcome` and a `reason`. Only after `failed` is it worth asking again."""
        facts: Object = {"response": response}
        outcome, reason = record.settle(lambda: self._take(response, body, facts))
        return facts | {"outcome": outcome, "reason": reason}

    def _take(self, response: str, body: object, facts: Object) -> tuple[str, str]:
        if not isinstance(body, dict):
            raise Refused("the body is no object, or too long")
        facts |= {key: body[key] for key in FIELDS if isinstance(body.get(key), str)}
        settings, now = Settings(self._values()), int(self._clock())
        if f"{response}.lane" not in settings.values:
            raise Refused("the response is not enabled")
        lane, mode = settings.choice(response, "lane", ("workflow", "label")), settings.choice(response, "mode")
        alert = parse_alert(body, now, settings.number(response, "max-age"))
        guard.check_namespace(settings, response, alert["namespace"])
        alert |= {"uid": alert["uid"] or self._uid(alert), "mode": mode}
        cooldown = max(1, settings.number(response, "cooldown"))
        bucket = int(alert["received"]) // cooldown
        name, *near = (workflow(response, alert, bucket + step) for step in (0, -1, 1))  # alerts keep no order
        facts |= alert | {"workflow": name}
        known = name in self._done or any(now - self._done.get(each, -cooldown) < cooldown for each in near)
        if known or (claimed := self._claim(settings, response, alert["namespace"], name, near)) == "done":
            return AGAIN
        if claimed == "new" and lane == "label" and mode == "enforce":
            facts["lane"] = self._label(settings, response, alert)
        created = self._create(name, response, alert)
        self._done[name] = now
        if len(self._done) > KNOWN:
            self._done.clear()
        return ("dispatched", "the Workflow was created") if created else AGAIN

    def _uid(self, alert: Mapping[str, str]) -> str:
        """The uid of the live pod, if one of its containers is the one that the alert names."""
        pod = self._client.get(path("pods", alert["namespace"], alert["pod"]))
        if pod is None:
            raise Gone("there is no such pod")
        lists = [each for key, each in pod["status"].items() if key.lower().endswith("containerstatuses")]
        ids = [str(status.get("containerID")).rpartition("//")[2] for each in lists for status in each]
        if alert["container"] not in ids:
            raise Refused("no container of the pod has this id")
        return str(pod["metadata"]["uid"])

    def _claim(self, settings: Settings, response: str, namespace: str, name: str, near: list[str]) -> str:
        """Counts what is "new" before it is done; "begun" was counted, "done" is one of `near`. Raises Refused."""
        cooldown, cap, window = (settings.number(response, key) for key in ("cooldown", "cap", "window"))
        now, found = int(self._clock()), "begun"

        def change(actions: dict[str, int]) -> bool:
            nonlocal found
            if name in actions:  # a redelivery, or a replica that ended between counting and doing
                return False
            ages = {key: now - then for key, then in actions.items() if key.rpartition("-")[0] == response}
            for old in [key for key, age in ages.items() if age > max(window, cooldown)]:
                del actions[old]
            found = "done" if any(ages.get(each, cooldown) < cooldown for each in near) else "new"
            if found == "new" and sum(age < window for age in ages.values()) >= cap:
                raise Refused(f"cap: {cap} actions of this response in this namespace within {window} s")
            actions[name] = now
            return found == "new"

        lease.claim(self._client, namespace, change)
        return found

    def _label(self, settings: Settings, response: str, alert: Mapping[str, str]) -> str:
        """The fast lane. What it may not do, or can't, is the Workflow's to do, or to refuse, and to record."""
        try:
            guard.check_pod(self._client, settings, response, guard.find(self._client, alert), disruptive=True)
            self._client.patch(alert, {"labels": {QUARANTINE: "true"}})
        except (Refused, ApiError) as end:
            return f"not labelled: {end}"
        return "labelled"

    def _create(self, name: str, response: str, alert: Mapping[str, str]) -> bool:
        """False where the Workflow is there already."""
        passed = ("namespace", "pod", "uid", "rule", "alert", "received", "mode")
        arguments = {"parameters": [{"name": key, "value": alert[key]} for key in passed]}
        made: Object = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
        made["metadata"] = {"name": name, "labels": {"kre/response": response}, "finalizers": ["kre/record"]}
        made["spec"] = {"workflowTemplateRef": {"name": response}, "arguments": arguments}
        where = path("workflows", "kre-responses", group="argoproj.io/v1alpha1")
        return self._client.call("POST", where, made, take=(409,))[0] != 409


def workflow(response: str, alert: Mapping[str, str], bucket: int) -> str:
    """The name of the Workflow: the same for every replica, and for a redelivery."""
    key = "/".join((response, alert["namespace"], alert["pod"], alert["uid"], str(bucket)))
    return f"{response}-{hashlib.sha256(key.encode()).hexdigest()[:20]}"
