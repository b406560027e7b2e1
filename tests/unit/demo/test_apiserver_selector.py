"""Label selectors: what they choose, and which are malformed."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from demo.apiserver import ApiServer, pod
from demo.apiserver.selector import parse
from demo.apiserver.status import Refusal
from unit.demo.calls import PODS, call

LABELLED = {
    "web-1": {"app": "web", "tier": "front", "weight": "3"},
    "web-2": {"app": "web", "tier": "back"},
    "db-1": {"app": "db", "kre/quarantine": "true", "weight": "10"},
    "bare": {},
}


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("", "bare db-1 web-1 web-2"),
        ("app=web", "web-1 web-2"),
        ("app==web,tier=front", "web-1"),
        (" app = web , tier = front ", "web-1"),
        ("app!=web", "bare db-1"),
        ("app in (web, db)", "db-1 web-1 web-2"),
        ("app notin (web)", "bare db-1"),
        ("app in (web),tier notin (front)", "web-2"),
        ("tier", "web-1 web-2"),
        ("!tier", "bare db-1"),
        ("app,!tier", "db-1"),
        ("kre/quarantine=true", "db-1"),
        ("kre/quarantine!=true,app", "web-1 web-2"),
        ("weight>3", "db-1"),
        ("weight<10", "web-1"),
        ("app=", ""),
        ("app in ()", ""),
        ("app notin (,db)", "bare web-1 web-2"),
        ("app=web,app=db", ""),
        ("app=Web", ""),
    ],
)
def test_chooses(selector: str, names: str) -> None:
    chosen = parse(selector)
    assert sorted(name for name, own in LABELLED.items() if all(one.fits(own) for one in chosen)) == names.split()


BAD = [
    *("app in web", "app in (web", "app=web,", ",app=web", "app=web tier=front", "=web", "!", "!app=web", "app=!web"),
    *("a b", "app=wéb", "-app=web", "app=web/", "kre/x/y=1", "app>web", "app in (a b)", "app=" + 64 * "x", "a=b=c"),
]


@pytest.mark.parametrize("selector", BAD)
def test_refuses_what_is_malformed(selector: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse(selector)
    assert (refusal.value.code, refusal.value.status["reason"]) == (400, "BadRequest")


def test_lists_by_selector() -> None:
    with ApiServer([pod("shop", name, labels=own) for name, own in LABELLED.items()]) as server:
        _, found = call(server.url, "GET", f"{PODS}?labelSelector={quote('app in (web),tier!=back')}")
        assert [one["metadata"]["name"] for one in found["items"]] == ["web-1"]
        assert call(server.url, "GET", f"{PODS}?labelSelector={quote('app in web')}")[0] == 400
        assert server.state.requests[0].query == {"labelSelector": "app in (web),tier!=back"}
