"""A whole live run against a Pub/Sub server of this process: what ends it and what does not."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from grpc import StatusCode

from mltox.google.pubsub import EMULATOR
from mltox.google.pubsub.subscription import Subscription, SubscriptionError
from mltox.posts.records import SECOND
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.runs.local_stream import loop
from pipelines.runs.local_stream.deletions import Deletions
from pipelines.runs.local_stream.loop import LocalStream
from pipelines.runs.local_stream.state import LocalState
from tests.mltox.google.pubsub.server import Server, serving
from tests.pipelines.streams import SETTINGS

POSTS = [
    json.dumps(
        {"id": str(n), "text": "good morning", "created_at": f"2026-03-02T12:0{n}:00Z"}
    ).encode()
    for n in range(3)
]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server(POSTS)
    with serving(made) as address:
        monkeypatch.setenv(EMULATOR, address)
        yield made


class Failing(Subscription):
    """One whose every pull ends with an error, as the optional one of deletions may."""

    pulls = 0

    def pull(self, at_most: int, wait: float) -> list[object]:  # type: ignore[override]
        self.pulls += 1
        raise SubscriptionError("there is no subscription of deletions")


def test_deletions_that_cannot_be_had_end_nothing(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stopping = threading.Event()
    server.fails("Pull", [StatusCode.ABORTED, None, StatusCode.INTERNAL])
    with (
        DuckDBWarehouse(tmp_path / "w.duckdb") as warehouse,
        closing(Subscription("projects/p/subscriptions/posts", stopping)) as posts,
        closing(Failing("projects/p/subscriptions/deletions", stopping, give_up_after=0)) as gone,
    ):
        warehouse.create()
        state = LocalState(warehouse, SETTINGS.threshold, 600 * SECOND)
        state.open()
        live = LocalStream(
            posts,
            SETTINGS,
            state,
            PipelineOptions([]),
            deletions=Deletions(gone, warehouse, stopping),
            stopping=stopping,
        )
        live._forget_pause = 0.01

        def after_turn(counts: Mapping[str, int]) -> None:
            if live.totals["posts_kept"] == len(POSTS):
                threading.Timer(2.0, stopping.set).start()

        with caplog.at_level(logging.ERROR, loop.__name__):
            live.run(after_turn)
        state.close()
        assert warehouse.query("SELECT post_id FROM scored_posts").num_rows == len(POSTS)
    assert sorted(server.acknowledged) == sorted(f"ack {payload!r}" for payload in POSTS)
    told = [each for each in caplog.records if "the deletions wait" in each.getMessage()]
    assert gone.pulls == len(told) > 1


def test_pauses_between_looks_for_deletions_double_and_begin_anew(
    tmp_path: Path, server: Server
) -> None:
    with DuckDBWarehouse(tmp_path / "w.duckdb") as warehouse:
        warehouse.create()
        with closing(Failing("projects/p/subscriptions/deletions")) as failing:
            state = LocalState(warehouse, SETTINGS.threshold, 600 * SECOND)
            state.open()
            deletions = Deletions(failing, warehouse)
            live = LocalStream(failing, SETTINGS, state, PipelineOptions([]), deletions=deletions)
            pauses = []
            for _ in range(8):
                live._forget_at = 0.0
                pauses.append(live._forget_pause)
                live._forget()
            assert pauses == [10, 20, 40, 80, 160, 320, 600, 600]
            server.waiting = []
            with closing(Subscription("projects/p/subscriptions/deletions")) as working:
                live.deletions = Deletions(working, warehouse)
                live._forget_at = 0.0
                live._forget()
            assert live._forget_pause == 10
            state.close()
