"""Sinks: what a line looks like there. While one is away or refuses, no line is lost, and no Workflow is let go."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.recorder import MODULES, once, recorder, until
from support.workflow_api import Api, ended, node, said, uid, workflow

DONE = ended("Succeeded", node(record=said()))
LINE: dict[str, Any] = {"part": "recorder", "time": "2026-01-02T03:04:05.678+00:00", "key": "k", "steps": ["x"]}
LINE |= {
    "outcome": "deleted",
    "response": "delete-pod",
    "reason": "the pod was deleted",
    "namespace": "shop",
    "pod": "web-1",
}


class Sink:
    """Something that takes posts: `answers` of the next ones (then 204); `store` has the bodies of those taken."""

    def __init__(self, port: int = 0) -> None:
        self.answers: deque[int] = deque()
        self.store: list[tuple[str, dict[str, str], Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                code = outer.answers.popleft() if outer.answers else 204
                if code < 300 or code == 1000:  # the latter: it has it, and nobody knows
                    outer.store.append((self.path, dict(self.headers), body))
                if code == 1000:
                    self.connection.close()
                    return
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/loki/api/v1/push"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def keys(self) -> list[str]:
        return [body["key"] for _, _, body in self.store]


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as made:
        yield made


def settings(folder: Path, **values: str) -> str:
    folder.mkdir(exist_ok=True)
    for name, value in values.items():
        (folder / name).write_text(value)
    return str(folder)


def taken(sink: Sink, **values: str) -> bool:
    made: bool = MODULES.sink.Sink(lambda: {"url": sink.url, **values}, lambda _: None).take(LINE)
    return made


def test_without_a_setting_there_is_none() -> None:
    assert MODULES.sink.Sink(dict, lambda _: None).take(LINE)


def test_json_and_a_token(sink: Sink) -> None:
    assert taken(sink, authorization="Bearer x")
    ((_, headers, body),) = sink.store
    assert body == LINE
    assert headers["Authorization"] == "Bearer x"
    assert headers["Content-Type"] == "application/json"


def test_loki(sink: Sink) -> None:
    """Its push API: nanoseconds as text, few labels, the line as text; a copy of a line is the same entry."""
    assert taken(sink, format="loki")
    assert taken(sink, format="loki")
    (path, _, body), (_, _, again) = sink.store
    assert path == "/loki/api/v1/push"
    (stream,) = body["streams"]
    assert stream["stream"] == {"job": "kre", "part": "recorder", "outcome": "deleted"}
    ((stamp, text),) = stream["values"]
    assert stamp == "1767323045678000000"
    assert json.loads(text) == LINE
    assert again == body


def test_falcosidekick(sink: Sink) -> None:
    """What Falco sends (types.FalcoPayload): all fields of its types, none that Falcosidekick would refuse."""
    assert taken(sink, format="falcosidekick")
    ((_, _, body),) = sink.store
    assert set(body) == {"rule", "priority", "source", "output", "tags", "time", "output_fields"}
    assert (body["rule"], body["priority"]) == ("kre record", "Notice")
    assert body["output_fields"]["kre.key"] == "k"
    assert body["output_fields"]["k8s.ns.name"] == "shop"
    assert all(isinstance(value, str) for value in body["output_fields"].values())
    assert MODULES.sink.as_falco(LINE | {"outcome": "never-started"})["priority"] == "Warning"


@pytest.mark.parametrize("code", [302, 400, 401, 429, 500, 503])
def test_what_is_not_taken_is_told_so(sink: Sink, code: int) -> None:
    sink.answers.append(code)
    assert not taken(sink)
    assert sink.store == []
    assert taken(sink)


@pytest.mark.parametrize(
    "values", [{"url": "file:///etc/passwd"}, {"url": "nonsense"}, {"url": "http://127.0.0.1:9"}, {"format": "none"}]
)
def test_a_setting_that_is_wrong_takes_nothing(sink: Sink, values: dict[str, str]) -> None:
    assert not taken(sink, **values)
    assert sink.store == []


def test_while_it_is_away_nothing_is_let_go_and_then_it_has_all(tmp_path: Path, api: Api) -> None:
    first = Sink()
    first.close()  # an address where nobody listens, for now
    folder = settings(tmp_path / "sink", url=first.url)
    with recorder(tmp_path / "one", api, KRE_SINK=folder) as process:
        for number in range(1, 6):
            api.put(workflow(number, **DONE))
        until("lines", lambda: len(process.records()) == 5)
        until("a metric", lambda: "kre_recorder_unsent 5\n" in process.ask("/metrics")[1])
        assert len(api.held()) == 5
        process.kill()  # and with it what it had in memory
        process.start()
        until("lines again", lambda: len(process.records()) == 10)
        back = Sink(first.port)
        try:
            until("all let go", lambda: not api.held(), 40)
            assert set(back.keys()) == {uid(number) for number in range(1, 6)}
            text = process.ask("/metrics")[1]
        finally:
            back.close()
    assert "kre_recorder_unsent 0\n" in text
    assert 'kre_recorder_sink_total{result="taken"} 5\n' in text
    assert len(once(process.records())) == 5


def test_it_refuses_for_a_while_and_its_answers_are_lost(tmp_path: Path, api: Api, sink: Sink) -> None:
    sink.answers.extend([500, 1000, 429, 204, 1000])
    folder = settings(tmp_path / "sink", url=sink.url)
    with recorder(tmp_path / "one", api, KRE_SINK=folder):
        for number in range(1, 4):
            api.put(workflow(number, **DONE))
        until("all let go", lambda: not api.held(), 40)
    assert set(sink.keys()) == {uid(1), uid(2), uid(3)}
    assert len(sink.store) == 5, "those whose answer was lost are there twice, with the same key"


def test_a_setting_that_comes_later_is_seen(tmp_path: Path, api: Api, sink: Sink) -> None:
    with recorder(tmp_path / "one", api, KRE_SINK=str(tmp_path / "sink")) as process:
        api.put(workflow(1, **DONE))
        until("let go", lambda: not api.held() and process.records())
        settings(tmp_path / "sink", url=sink.url)
        time.sleep(1.2)  # they are read once a second
        api.put(workflow(2, **DONE))
        until("it has it", lambda: sink.keys() == [uid(2)])
