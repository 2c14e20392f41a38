"""Deletions out of a subscription, against the emulator."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient, SubscriberClient

from commands.forget import main
from mltox.google.pubsub.subscription import Subscription
from mltox.posts.envelope import encode_deletion
from mltox.posts.records import SECOND
from mltox.warehouse import Warehouse, WarehouseError, open_warehouse
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.runs.local_stream.deletions import Deletions
from pipelines.runs.local_stream.intake import Pace
from pipelines.runs.local_stream.loop import LocalStream
from pipelines.runs.local_stream.state import LocalState
from tests.bigquery_server import serve
from tests.integration.pubsub import PROJECT, SUBSCRIPTION, emulated, need_emulator
from tests.integration.pubsub import publish as publish_posts
from tests.mltox.warehouse.examples import scored_post
from tests.pipelines.runs.local_stream.test_live import message, settings

TOPIC = f"projects/{PROJECT}/topics/posts-deletions"


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        with PublisherClient() as publisher:
            publisher.create_topic(request={"name": TOPIC})
        yield address


@pytest.fixture
def subscription(emulator: str, request: pytest.FixtureRequest) -> str:
    """One of its own for each test, with the shortest deadline."""
    path = f"projects/{PROJECT}/subscriptions/deletions-{abs(hash(request.node.name))}"
    with SubscriberClient() as subscriber:
        subscriber.create_subscription(
            request={"name": path, "topic": TOPIC, "ack_deadline_seconds": 10}
        )
    return path


def publish(*payloads: bytes) -> None:
    with PublisherClient() as publisher:
        messages = [{"data": payload} for payload in payloads]
        publisher.publish(request={"topic": TOPIC, "messages": messages})


def left_on(path: str) -> list[bytes]:
    """What can be pulled at once."""
    with SubscriberClient() as subscriber:
        try:
            answer = subscriber.pull(
                request={"subscription": path, "max_messages": 10}, timeout=1, retry=None
            )
        except DeadlineExceeded:
            return []
    return [bytes(each.message.data) for each in answer.received_messages]


def filled(path: Path) -> str:
    with open_warehouse(str(path)) as warehouse:
        warehouse.create()
        warehouse.upsert("scored_posts", [scored_post(post_id=f"x:{n}") for n in range(4)])
    return str(path)


def remembered(uri: str) -> list[str]:
    with open_warehouse(uri) as warehouse:
        found = warehouse.query(
            "SELECT post_id FROM scored_posts WHERE text IS NOT NULL ORDER BY post_id"
        )
    return list(found["post_id"].to_pylist())


def test_once_forgets_what_is_there_and_acknowledges_it(
    subscription: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = filled(tmp_path / "w.duckdb")
    publish(*(encode_deletion(f"x:{n}") for n in (1, 2, 404)), b"{")
    assert main(["--warehouse", uri, "--subscription", subscription, "--once"]) == 0
    assert remembered(uri) == ["x:0", "x:3"]
    shown = {
        name.strip(): count
        for name, count in (
            line.rsplit(maxsplit=1) for line in capsys.readouterr().out.splitlines()
        )
    }
    assert shown["deletions"] == "3" and shown["rows of posts emptied"] == "2"
    assert shown["messages that are no deletion"] == "1"
    assert left_on(subscription) == []


def test_nothing_is_acknowledged_before_the_warehouse_has_forgotten(
    subscription: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = filled(tmp_path / "w.duckdb")
    publish(encode_deletion("x:1"))

    def full(self: Warehouse, post_ids: object) -> None:
        raise WarehouseError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(DuckDBWarehouse, "forget", full)
        assert main(["--warehouse", uri, "--subscription", subscription, "--once"]) == 2
    assert main(["--warehouse", uri, "--subscription", subscription, "--once"]) == 0
    assert "x:1" not in remembered(uri)


def test_what_bigquery_cannot_forget_yet_is_not_acknowledged(
    subscription: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as (address, backend):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
        monkeypatch.setattr("pipelines.runs.local_stream.deletions.AGAIN_SECONDS", 0)
        with open_warehouse("bq://some-project.mltox") as warehouse:
            warehouse.create()
            warehouse.upsert("scored_posts", [scored_post(post_id="x:1")])
            publish(encode_deletion("x:1"), encode_deletion("x:404"))
            deletions = Deletions(Subscription(subscription), warehouse)
            assert deletions.turn(5, until_empty=True) == 2
            assert deletions.totals["waiting"] == deletions.totals["deletions"] == 1
            backend.flush()
            assert deletions.turn(5, until_empty=True) == 1
            assert deletions.totals["posts"] == 1
            assert deletions.turn(1, until_empty=True) == 0
            deletions.subscription.close()


def test_ctrl_c_ends_a_run_that_waits(subscription: str, tmp_path: Path) -> None:
    uri = filled(tmp_path / "w.duckdb")
    publish(encode_deletion("x:1"))
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mltox", "forget"),
                *("--warehouse", uri, "--subscription", subscription),
            ],
            stdout=output,
            stderr=output,
            env=dict(os.environ),
        )
    try:
        until(lambda: "1 deletions" in log.read_text(), 240, log)
        process.send_signal(2)
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()
    assert "x:1" not in remembered(uri) and "Traceback" not in log.read_text()


def until(condition: Callable[[], bool], seconds: float, log: Path | None = None) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text() if log else "it did not come about")


def test_a_live_run_forgets_between_its_turns(
    subscription: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a post whose deletion comes first, and one that is deleted twice. The warehouse's memory
    is handed back between turns, too."""
    monkeypatch.setattr("pipelines.runs.local_stream.loop.DELETIONS_EVERY", 0.2)
    monkeypatch.setattr("pipelines.runs.local_stream.loop.DROP_CACHE_EVERY", 0.2)
    dropped: list[DuckDBWarehouse] = []
    drop = DuckDBWarehouse.drop_cache

    def drop_and_note(warehouse: DuckDBWarehouse) -> None:
        drop(warehouse)
        dropped.append(warehouse)

    monkeypatch.setattr(DuckDBWarehouse, "drop_cache", drop_and_note)
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    warehouse.create()
    state = LocalState(warehouse, 0.4, 600 * SECOND)
    stopping = threading.Event()
    deletions = Deletions(Subscription(subscription), warehouse, stopping)
    live = LocalStream(
        Subscription(SUBSCRIPTION),
        settings(),
        state,
        PipelineOptions([]),
        deletions=deletions,
        pace=Pace(wait=0.3),
        stopping=stopping,
    )
    publish(encode_deletion("file:3"))
    state.open()
    running = threading.Thread(target=live.run)
    running.start()
    try:
        until(lambda: deletions.totals["deletions"] >= 1, 240)
        publish_posts([message(n, 60 * n).payload for n in range(1, 5)])
        until(lambda: live.totals["posts_kept"] >= 4, 240)
        publish(encode_deletion("file:1"), encode_deletion("file:1"))
        until(lambda: deletions.totals["deletions"] >= 3, 240)
    finally:
        stopping.set()
        running.join(240)
    assert len(dropped) > 2
    state.close()
    rows = warehouse.query("SELECT post_id, text FROM scored_posts ORDER BY post_id").to_pylist()
    assert [row["post_id"] for row in rows if row["text"] is None] == ["file:1", "file:3"]
    assert warehouse.query("SELECT posts FROM hourly_toxicity")["posts"].to_pylist() == [4]
