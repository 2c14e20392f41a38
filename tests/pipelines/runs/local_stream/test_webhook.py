"""Alerts posted to a real server: taken, tried again, given up, and not too many."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mltox.base.errors import UsageError
from mltox.detection.alerts import Incidents
from mltox.posts.records import HOUR, Anomaly
from pipelines.runs.local_stream.webhook import A_MINUTE, WEBHOOK_TRIES, Webhook, checked_url

ANOMALY = Anomaly(
    "dam", HOUR, "posts", 90.0, 10.0, 5.0, 15.0, 6.0, "warning", "up", "seasonal_1h", "open",
    ("burst",), ("x:1",), None, 0,
)  # fmt: skip


@contextmanager
def answering(*statuses: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that gives these answers in turn, the last one ever after."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = statuses[min(len(bodies), len(statuses) - 1)]
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook?secret=1", bodies
    server.shutdown()
    server.server_close()


def told(url: str, *anomalies: Anomaly) -> Webhook:
    """All of them posted, or given up."""
    made = Webhook(url, Incidents(), sleep=lambda _: None)
    made.tell(anomalies)
    made.close()
    return made


def test_an_incident_is_posted_as_slack_takes_it() -> None:
    with answering(200) as (url, bodies):
        made = told(
            url, ANOMALY, ANOMALY._replace(hour=2 * HOUR), ANOMALY._replace(status="resolved")
        )
    assert [body["text"].partition(";")[0] for body in bodies] == [
        "dam: incident opened, warning",
        "dam: incident resolved, warning",
    ]
    assert "posts 90, expected 10" in bodies[0]["blocks"][0]["text"]["text"]
    assert made.failed() == []


@pytest.mark.parametrize("statuses", [(500, 200), (429, 503, 200)])
def test_what_may_pass_is_tried_again(statuses: tuple[int, ...]) -> None:
    with answering(*statuses) as (url, bodies):
        assert told(url, ANOMALY).failed() == []
    assert len(bodies) == len(statuses)


@pytest.mark.parametrize(("status", "tries"), [(500, WEBHOOK_TRIES), (404, 1), (403, 1)])
def test_what_is_given_up_is_a_dead_letter_without_the_address(status: int, tries: int) -> None:
    with answering(status) as (url, bodies):
        made = told(url, ANOMALY)
    [letter] = made.failed()
    assert len(bodies) == tries
    assert (letter.stage, letter.error_type) == ("alert", "webhook_failed")
    assert str(status) in letter.message
    assert "incident opened" in letter.payload
    assert "secret" not in str(letter)
    assert made.failed() == []


def test_a_server_that_is_not_there_is_given_up_too() -> None:
    [letter] = told("http://127.0.0.1:9/hook", ANOMALY).failed()
    assert "was not reached" in letter.message


def test_a_flood_is_bounded_and_told_as_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(f"{Webhook.__module__}.time.monotonic", lambda: clock[0])
    flood = [ANOMALY._replace(topic=f"topic {i}") for i in range(A_MINUTE + 5)]
    with answering(200) as (url, bodies):
        made = Webhook(url, Incidents(), sleep=lambda _: None)
        for each in flood:
            made._send(made._incidents.take(each))  # type: ignore[arg-type]
        assert len(bodies) == A_MINUTE
        clock[0] = 61.0
        made._send(made._incidents.take(ANOMALY))  # type: ignore[arg-type]
        made.close()
    assert bodies[-1]["text"].endswith("(5 alerts before it were left out)")


@pytest.mark.parametrize(
    "url", ["", "ftp://x/y", "http://example.com/x", "file:///etc/passwd", "x"]
)
def test_the_address_is_https_or_of_this_machine(url: str) -> None:
    with pytest.raises(UsageError, match="--alerts-webhook"):
        checked_url(url)
    assert checked_url("https://hooks.example.com/1")
