"""`mltox ingest` as people run it, against the real emulator."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient

from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.publisher import Publisher
from tests.integration.pubsub import (
    PROJECT,
    SUBSCRIPTION,
    TOPIC,
    Drill,
    drill,
    emulated,
    environment,
    need_emulator,
)

DELETIONS = f"projects/{PROJECT}/topics/deletions"
GONE = f"projects/{PROJECT}/subscriptions/gone"
SECONDS = 300.0
"""A machine under load is no failure."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        with PublisherClient() as publisher, SubscriberClient() as subscriber:
            publisher.create_topic(request={"name": DELETIONS})
            subscriber.create_subscription(request={"name": GONE, "topic": DELETIONS})
        yield address


@pytest.fixture
def topics(tmp_path: Path) -> Path:
    path = tmp_path / "topics.yaml"
    path.write_text("- {name: all, keywords: [good, you, what, shut, lovely]}\n")
    return path


class Run:
    """`mltox ingest` as a process of its own."""

    def __init__(self, address: str, folder: Path, *arguments: str) -> None:
        self.log = folder / "ingest.log"
        command = [sys.executable, "-m", "mltox", "ingest", *arguments,
                   "--state", str(folder / "state")]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment(address), stdout=log, stderr=log
            )

    def said(self) -> str:
        return self.log.read_text()

    def wait(self) -> int:
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def pulled(subscription: str = SUBSCRIPTION) -> list[tuple[bytes, dict[str, str]]]:
    """Everything that is on a subscription, acknowledged."""
    found: list[tuple[bytes, dict[str, str]]] = []
    with SubscriberClient() as subscriber:
        while True:
            request = {"subscription": subscription, "max_messages": 1000,
                       "return_immediately": True}  # fmt: skip
            messages = subscriber.pull(request=request, timeout=30).received_messages
            if not messages:
                return found
            ids = [each.ack_id for each in messages]
            subscriber.acknowledge(request={"subscription": subscription, "ack_ids": ids})
            found += [(bytes(m.message.data), dict(m.message.attributes)) for m in messages]


def ids_of(messages: Sequence[tuple[bytes, dict[str, str]]]) -> list[str]:
    return [attributes["post_id"] for _, attributes in messages]


def written(path: Path, expected: Drill) -> Path:
    path.write_bytes(b"".join(payload + b"\n" for payload in expected.payloads))
    return path


def saved(folder: Path) -> int:
    """Rows that the cursor has passed."""
    path = folder / "state" / "cursor-file.json"
    if not path.exists():
        return 0
    return sum(map(int, json.loads(path.read_bytes())["value"].values()))


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.drill)])
def test_killed_mid_way_nothing_is_lost(
    emulator: str, topics: Path, tmp_path: Path, kills: int
) -> None:
    """The file takes some seconds at this speed; each run is killed a little way behind where its
    cursor was, so that much of it is on its way."""
    expected = drill(6_000, seed=4)
    path = written(tmp_path / "posts.jsonl", expected)
    arguments = [
        "file",
        "--input",
        str(path),
        "--output-topic",
        TOPIC,
        "--topics-file",
        str(topics),
    ]
    generator = random.Random(4)
    places = [0]
    for _ in range(kills):
        before = saved(tmp_path)
        run = Run(emulator, tmp_path, *arguments, "--speed", "5000")
        deadline = time.monotonic() + SECONDS
        while saved(tmp_path) <= before + generator.randrange(300):
            assert run.process.poll() is None and time.monotonic() < deadline, run.said()
            time.sleep(0.05)
        run.kill()
        places.append(saved(tmp_path))
    assert places == sorted(set(places)) and places[-1] < len(expected.payloads)
    run = Run(emulator, tmp_path, *arguments)
    assert run.wait() == 0, run.said()
    messages = pulled()
    posts = [each for each in ids_of(messages) if not each.startswith("reject:")]
    assert set(posts) == set(expected.posts)
    rejects = {each for each in ids_of(messages) if each.startswith("reject:")}
    malformed = {payload for payload in expected.payloads if not payload.endswith(b"}")}
    assert len(rejects) == len(malformed) == expected.malformed
    run = Run(emulator, tmp_path, *arguments)
    assert run.wait() == 0
    assert not pulled()


def test_sigterm_flushes_and_tells_what_was_done(
    emulator: str, topics: Path, tmp_path: Path
) -> None:
    path = written(tmp_path / "posts.jsonl", drill(2_000, seed=5))
    run = Run(emulator, tmp_path, "file", "--input", str(path), "--output-topic", TOPIC,
              "--topics-file", str(topics), "--speed", "2000", "--health-port", "0")  # fmt: skip
    deadline = time.monotonic() + SECONDS
    while not saved(tmp_path):
        assert run.process.poll() is None and time.monotonic() < deadline, run.said()
        time.sleep(0.05)
    where = run.said().partition("health at ")[2].split()[0]
    with urllib.request.urlopen(where, timeout=30) as answer:
        assert orjson.loads(answer.read())["healthy"]
    run.process.terminate()
    assert run.wait() == 0, run.said()
    assert "published" in run.said() and "Traceback" not in run.said()
    found = ids_of(pulled())
    rows = path.read_bytes().splitlines()[: saved(tmp_path)]
    assert 0 < len(rows) < 2_000
    assert len(found) == len(rows)


def test_deletions_go_to_a_topic_of_their_own(emulator: str, topics: Path, tmp_path: Path) -> None:
    rows = [{"delete": {"status": {"id_str": "7", "user_id_str": "77"}}}]
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = Run(emulator, tmp_path, "file", "--input", str(path), "--output-topic", TOPIC,
              "--topics-file", str(topics), "--deletions-topic", DELETIONS)  # fmt: skip
    assert run.wait() == 0, run.said()
    assert not pulled()
    ((data, attributes),) = pulled(GONE)
    assert orjson.loads(data) == {"schema": 1, "deleted": "x:7"}
    assert (attributes["post_id"], attributes["source"]) == ("x:7", "x")


def test_a_topic_that_is_not_there_ends_the_run_before_anything_is_read(
    emulator: str, tmp_path: Path
) -> None:
    missing = f"projects/{PROJECT}/topics/nowhere"
    run = Run(emulator, tmp_path, "sample", "--posts", "300", "--output-topic", missing)
    assert run.wait() == 2
    assert run.said() == (
        f"mltox: {missing}: there is no such topic; run: gcloud pubsub topics create nowhere"
        f" --project={PROJECT}\n"
    )
    assert not (tmp_path / "state").exists()


@pytest.mark.usefixtures("emulator")
def test_a_publisher_that_closes_does_not_wait_for_its_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    publisher = Publisher(give_up_after=3600)
    future = publisher.send([Outgoing(TOPIC, b"{}", {})])
    publisher.close()
    assert future.done()


@pytest.mark.drill
def test_an_outage_goes_onto_the_disk_and_from_there_to_pub_sub(
    topics: Path, tmp_path: Path
) -> None:
    """The emulator is there for the check, goes away, and comes back empty at the same port."""
    need_emulator()
    expected = drill(400, seed=6)
    path = written(tmp_path / "posts.jsonl", expected)
    with emulated() as address:
        port = int(address.rpartition(":")[2])
        run = Run(address, tmp_path, "file", "--input", str(path), "--output-topic", TOPIC,
              "--topics-file", str(topics), "--speed", "600")  # fmt: skip
        deadline = time.monotonic() + SECONDS
        while not saved(tmp_path):
            assert run.process.poll() is None and time.monotonic() < deadline, run.said()
            time.sleep(0.05)
        before = ids_of(pulled())
    while "they wait on disk meanwhile" not in run.said():
        assert run.process.poll() is None and time.monotonic() < deadline, run.said()
        time.sleep(0.2)
    with emulated(port):
        assert run.wait() == 0, run.said()
        found = {*before, *ids_of(pulled())}
    assert {each for each in found if not each.startswith("reject:")} == set(expected.posts)
    assert "none waits on disk any more" in run.said()
