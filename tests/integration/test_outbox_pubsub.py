"""Publishing and putting back, against the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from google.pubsub_v1 import SubscriberClient

from commands.replay_dead_letters import main
from mltox.google.pubsub.publisher import Publisher, PublishError
from mltox.posts.authors import AuthorKeys
from mltox.posts.letters import origin_of
from mltox.posts.records import SECOND, DeadLetter, Message
from mltox.posts.topics import TopicMatcher
from mltox.scoring import DEFAULT_BUNDLE
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.graph import Settings
from pipelines.runs.local_stream.notices import Notices
from pipelines.runs.local_stream.state import LocalState
from pipelines.runs.local_stream.turn import Turns
from tests.integration.pubsub import SUBSCRIPTION, TOPIC, emulated, need_emulator
from tests.pipelines.transforms.test_publish import ANOMALY, LETTER

GOOD = json.dumps({"id": "1", "text": "good morning", "created_at": "2026-03-02T12:00:00Z"})


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        yield address


def pulled(expected: int) -> list[Message]:
    """What is on the subscription, acknowledged, as the graph gets it."""
    found: list[Message] = []
    with SubscriberClient() as subscriber:
        while len(found) < expected:
            answer = subscriber.pull(
                request={"subscription": SUBSCRIPTION, "max_messages": 100}, timeout=20
            )
            ids = [each.ack_id for each in answer.received_messages]
            subscriber.acknowledge(request={"subscription": SUBSCRIPTION, "ack_ids": ids})
            found += [
                Message(
                    bytes(each.message.data),
                    origin_of(each.message.message_id, dict(each.message.attributes)),
                )
                for each in answer.received_messages
            ]
    return found


def test_letters_and_alerts_are_published(emulator: str) -> None:
    with Publisher() as publisher:
        assert Notices(publisher, TOPIC, TOPIC).publish([LETTER], [ANOMALY]) == 2
        assert Notices(publisher, None, None).publish([LETTER], [ANOMALY]) == 0
    kinds = {("letter_id" in json.loads(each.payload)) for each in pulled(2)}
    assert kinds == {True, False}


def test_a_topic_that_is_not_there_is_named(emulator: str) -> None:
    missing = TOPIC + "-none"
    with Publisher() as publisher, pytest.raises(PublishError, match=f"no topic {missing}$"):
        Notices(publisher, missing).publish([LETTER], [])


def test_a_mended_letter_becomes_a_post_and_a_second_time_changes_nothing(
    emulator: str, tmp_path: Path
) -> None:
    """Also a letter that is refused again, which stays one."""
    path = tmp_path / "w.duckdb"
    with DuckDBWarehouse(path) as warehouse:
        warehouse.create()
        warehouse.upsert(
            "dead_letters",
            [
                DeadLetter("mended", "parse", "unknown_shape", "why", GOOD, None, 1),
                DeadLetter("broken", "parse", "malformed_json", "why", "{", None, 1),
            ],
        )
    states = []
    for _ in range(2):
        assert main(["--warehouse", str(path), "--output_topic", TOPIC]) == 0
        states.append(state_after(path, pulled(1)))
    assert states[0] == (["file:1"], [(1, 1)], ["broken", "mended"])
    assert states[0] == states[1]


def state_after(path: Path, messages: list[Message]) -> tuple[object, ...]:
    settings = Settings(
        matcher=TopicMatcher([]),
        authors=AuthorKeys(b"a long enough key for tests"),
        bundle=str(DEFAULT_BUNDLE),
        threshold=0.4,
        default_topic="t",
    )
    with DuckDBWarehouse(path) as warehouse:
        state = LocalState(warehouse, 0.4, 600 * SECOND)
        state.open()
        Turns(settings, state, PipelineOptions([])).run(messages)
        state.close()
        rows = [
            [tuple(row.values()) for row in warehouse.query(sql).to_pylist()]
            for sql in (
                "SELECT post_id FROM scored_posts",
                "SELECT posts, revision FROM hourly_toxicity",
                "SELECT letter_id FROM dead_letters ORDER BY 1",
            )
        ]
    posts, hours, letters = rows
    return [p for (p,) in posts], hours, [each for (each,) in letters]
