"""The function under functions-framework, against the Pub/Sub emulator and an X of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import SubscriberClient

import ingest.main
from commands.emulator import free_port
from tests.ingest.x_server import TOKEN, XServer, serving, tweet
from tests.integration.pubsub import SUBSCRIPTION, TOPIC, emulated, environment, need_emulator

TOPICS = "topics:\n  - name: politics\n    keywords: [vote]\n"
EVENT = {
    "ce-id": "1",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "ce-source": "//pubsub.googleapis.com/projects/p/topics/tick",
    "ce-specversion": "1.0",
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        yield address


@pytest.fixture
def x() -> Iterator[XServer]:
    with serving([tweet(60 * n, f"go and vote {n}") for n in range(1, 4)]) as server:
        yield server


class Function(NamedTuple):
    url: str
    log: Path

    def call(
        self, headers: dict[str, str] | None = None, method: str = "POST"
    ) -> tuple[int, Any, str]:
        """Status, JSON if it is some, and all that was said."""
        request = urllib.request.Request(
            self.url,
            data=b"{}" if method == "POST" else None,
            headers={"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                status, body = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read().decode()
        found = json.loads(body) if body.startswith("{") else body
        return status, found, body + self.log.read_text()


@contextmanager
def started(folder: Path, target: str, **variables: str) -> Iterator[Function]:
    """The function as a process of its own, answering."""
    address = variables.pop("address")
    port, log = free_port(), folder / f"{target}.log"
    command = [
        *(sys.executable, "-m", "functions_framework", "--source", str(ingest.main.__file__)),
        *("--target", target, "--port", str(port), "--host", "127.0.0.1"),
    ]
    (folder / "topics.yaml").write_text(TOPICS)
    more = {
        "MLTOX_TOPIC": TOPIC,
        "MLTOX_TOPICS": str(folder / "topics.yaml"),
        "MLTOX_STATE": str(folder / "state"),
        "MLTOX_SOURCES": "x-search",
        **variables,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment(address) | more, stdout=output, stderr=output
        )
    try:
        function = Function(f"http://127.0.0.1:{port}/", log)
        deadline = time.monotonic() + 240
        while not answers(function.url):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield function
    finally:
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def pulled() -> list[str]:
    """The texts of the posts on the subscription, in order of their ids; none is left there."""
    found: dict[str, str] = {}
    with SubscriberClient() as subscriber:
        while True:
            request = {"subscription": SUBSCRIPTION, "max_messages": 100}
            try:
                answer = subscriber.pull(request=request, timeout=1, retry=None)
            except DeadlineExceeded:
                break
            for each in answer.received_messages:
                post = json.loads(each.message.data)
                assert each.message.attributes["post_id"] == post["post_id"]
                found[post["post_id"]] = post["text"]
            ids = [each.ack_id for each in answer.received_messages]
            if not ids:
                break
            subscriber.acknowledge(request={"subscription": SUBSCRIPTION, "ack_ids": ids})
    return [found[post_id] for post_id in sorted(found)]


def test_a_call_reads_what_is_new_and_another_call_nothing(
    emulator: str, x: XServer, tmp_path: Path
) -> None:
    variables = {
        "address": emulator,
        "X_BEARER_TOKEN": TOKEN,
        "MLTOX_OPTIONS_X_SEARCH": f"--x-api {x.address}",
    }
    with started(tmp_path, "poll", **variables) as function:
        assert function.call(method="GET")[:2] == (200, {"up": True})
        status, body, said = function.call()
        assert status == 200, said
        assert body["counts"]["x-search"]["published"] == 3
        assert pulled() == ["go and vote 3", "go and vote 2", "go and vote 1"]
        status, body, said = function.call()
        assert (status, body["counts"]["x-search"].get("published", 0)) == (200, 0)
        assert TOKEN not in said and "Traceback" not in said
    assert pulled() == []


def test_a_source_that_is_refused_is_told_without_its_token_and_the_other_one_is_polled(
    emulator: str, x: XServer, tmp_path: Path
) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"id": "1", "text": "a vote", "created_at": "2026-03-02T12:00:00Z"}\n')
    wrong = "a-token-that-x-does-not-know"
    variables = {
        "address": emulator,
        "X_BEARER_TOKEN": wrong,
        "MLTOX_SOURCES": "x-search file",
        "MLTOX_OPTIONS_X_SEARCH": f"--x-api {x.address}",
        "MLTOX_OPTIONS_FILE": f"--input {posts}",
    }
    with started(tmp_path, "poll", **variables) as function:
        status, body, said = function.call()
        assert status == 500 and "X_BEARER_TOKEN" in body["error"], said
        assert wrong not in said and "Traceback" not in said
    assert pulled() == ["a vote"]


def test_an_event_of_a_pubsub_trigger_polls_as_well(
    emulator: str, x: XServer, tmp_path: Path
) -> None:
    variables = {
        "address": emulator,
        "X_BEARER_TOKEN": TOKEN,
        "MLTOX_OPTIONS_X_SEARCH": f"--x-api {x.address}",
    }
    with started(tmp_path, "poll_on_message", **variables) as function:
        status, _, said = function.call(EVENT)
        assert status == 200, said
        assert len(pulled()) == 3


def test_reading_stops_in_time_and_goes_on_at_the_next_call(
    emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose rows come an hour apart would take two."""
    from ingest.poll import poll_all

    posts = tmp_path / "posts.jsonl"
    posts.write_text(
        "".join(
            f'{{"id": "{n}", "text": "vote {n}", "created_at": "2026-03-02T1{n}:00:00Z"}}\n'
            for n in range(3)
        )
    )
    (tmp_path / "topics.yaml").write_text(TOPICS)
    monkeypatch.setenv("MLTOX_AUTHOR_KEY", "a long enough key for tests")
    variables = {
        "MLTOX_TOPIC": TOPIC,
        "MLTOX_TOPICS": str(tmp_path / "topics.yaml"),
        "MLTOX_STATE": str(tmp_path / "state"),
        "MLTOX_SOURCES": "file",
        "MLTOX_POLL_SECONDS": "2",
        "MLTOX_OPTIONS_FILE": f"--input {posts} --speed 1",
    }
    assert poll_all(variables)["file"]["published"] == 1
    rest = poll_all(variables | {"MLTOX_OPTIONS_FILE": f"--input {posts}"})
    assert rest["file"]["published"] == 2
    assert pulled() == ["vote 0", "vote 1", "vote 2"]
