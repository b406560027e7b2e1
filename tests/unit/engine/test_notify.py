"""The word to a webhook: over HTTPS alone, to the one that is meant, and taken or a failure."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from support.engine import ENVIRON, UID, Engine, code, engine, shop
from support.https import Site, certificate, site

WAY = {"KRE_ACTION": "notify"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def hook(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A webhook that is trusted, as by a pod that is given its authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    with site(pair) as made:
        made.pages = {"/take": (200, {}), "/made": (201, {}), "/none": (204, {"Content-Length": "0"})}
        yield made


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Engine]:
    with engine(tmp_path, shop()) as made:
        yield made


def test_without_a_webhook_it_is_an_event(it: Engine) -> None:
    assert it.run(**WAY).said == (0, "notified", "noted as an Event; there is no webhook")
    assert it.events[0]["reason"] == "KreNotified"
    assert it.touched == set()


@pytest.mark.parametrize("path", ["/take", "/made"])
def test_the_webhook_takes_it(it: Engine, hook: Site, path: str) -> None:
    ran = it.run(**WAY, KRE_WEBHOOK=f" {hook.url(path)}\n".lstrip())
    assert ran.said == (0, "notified", "noted as an Event, and the webhook has taken it")
    ((method, asked, headers, body),) = hook.asked
    assert (method, asked, headers["Content-Type"]) == ("POST", path, "application/json")
    told = json.loads(body)
    assert (told["namespace"], told["pod"], told["uid"], told["rule"]) == ("shop", "web-1", UID, ENVIRON["KRE_RULE"])
    assert "Authorization" not in headers


def test_as_a_process(it: Engine, hook: Site, pair: tuple[Path, Path]) -> None:
    ran = it.process(**WAY, KRE_WEBHOOK=hook.url("/take"), SSL_CERT_FILE=str(pair[0]))
    assert (ran.code, ran.record["outcome"], len(hook.asked)) == (0, "notified", 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 429, 500, 503, 304])
def test_the_webhook_says_no(it: Engine, hook: Site, status: int) -> None:
    hook.pages["/no"] = (status, {})
    assert it.run(**WAY, KRE_WEBHOOK=hook.url("/no")).said == (1, "failed", f"the webhook has not taken it: {status}")
    assert len(hook.asked) == 1
    assert it.events[0]["reason"] == "KreFailed"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["https", "http"])
def test_the_webhook_sends_elsewhere(it: Engine, hook: Site, status: int, to: str) -> None:
    with site(None) as plain:
        plain.pages["/take"] = (200, {})
        there = hook.url("/take") if to == "https" else f"http://127.0.0.1:{plain.port}/take"
        hook.pages["/away"] = (status, {"Location": there})
        ran = it.run(**WAY, KRE_WEBHOOK=hook.url("/away"))
        assert ran.said == (1, "failed", f"the webhook has not taken it: {status}")
        assert (len(hook.asked), plain.asked) == (1, [])


def test_the_webhook_hangs(it: Engine, hook: Site) -> None:
    hook.pages["/hang"] = (0, {})
    opener = code().act.OpenerDirector
    started = time.monotonic()

    def soon(self, post, timeout):
        assert timeout == 10
        return opener.open(self, post, timeout=0.2)

    with mock.patch.object(code().act, "OpenerDirector", type("Soon", (opener,), {"open": soon})):
        ran = it.run(**WAY, KRE_WEBHOOK=hook.url("/hang"))
    assert ran.said == (1, "failed", "the webhook has not taken it: TimeoutError")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "url",
    [
        "http://{}/take",
        "HTTP://{}/take",
        "ftp://{}/x",
        "file:///etc/passwd",
        "{}",
        "//{}/take",
        " https://{}/take",
        "x",
    ],
)
def test_https_only(it: Engine, url: str) -> None:
    with site(None) as plain:
        plain.pages["/take"] = (200, {})
        ran = it.run(**WAY, KRE_WEBHOOK=url.format(f"127.0.0.1:{plain.port}"))
        assert ran.said == (1, "failed", "the webhook is no https URL")
        assert plain.asked == []


@pytest.mark.parametrize(
    "url", ["https://", "https:///x", "https://a b/", "https://localhost:port/", "https://[/", "https://x\n.example/"]
)
def test_a_url_that_is_none_is_a_failure_and_stays_out_of_the_record(it: Engine, url: str) -> None:
    ran = it.run(**WAY, KRE_WEBHOOK=url + "?token=secret")
    assert (ran.code, ran.record["outcome"]) == (1, "failed")
    assert "secret" not in ran.text + json.dumps(it.events)


def test_who_cannot_show_who_it_is_gets_nothing(it: Engine, pair: tuple[Path, Path], monkeypatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with site(pair) as stranger:
        stranger.pages["/take"] = (200, {})
        ran = it.run(**WAY, KRE_WEBHOOK=stranger.url("/take"))
        assert (ran.code, ran.record["outcome"], stranger.asked) == (1, "failed", [])


def test_nobody_is_there(it: Engine, hook: Site) -> None:
    ran = it.run(**WAY, KRE_WEBHOOK="https://localhost:9/")
    assert ran.said == (1, "failed", "the webhook has not taken it: URLError")


@pytest.mark.parametrize("changes", [{"KRE_MODE": "observe"}, {"KRE_MODE": "approve"}, {"KRE_UID": "0" + UID[1:]}])
def test_no_word_where_none_is_to_be_said(it: Engine, hook: Site, changes: dict[str, str]) -> None:
    assert it.run(**WAY, **changes, KRE_WEBHOOK=hook.url("/take")).record["outcome"] in ("would-notify", "refused")
    assert hook.asked == []
