"""100,000 payloads that nobody would send, through the whole graph: each is accounted for."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from mltox.base.clock import now_micros
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import DELETION, Envelope
from mltox.posts.formats import decode
from mltox.posts.letters import letter_id
from mltox.posts.records import HOUR, Message
from mltox.posts.topics import TopicMatcher
from mltox.scoring import DEFAULT_BUNDLE
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.graph import Settings
from pipelines.runs.local_stream.state import LocalState
from pipelines.runs.local_stream.turn import Turns
from tests.integration.fuzz import payloads, seeds

SETTINGS = Settings(
    matcher=TopicMatcher([]),
    authors=AuthorKeys(b"a long enough key for tests"),
    bundle=str(DEFAULT_BUNDLE),
    threshold=0.4,
    default_topic="t",
)
TURN = 5_000


def unmarked(post_id: str) -> str:
    return re.sub(r"~[0-9a-f]{8}$", "", post_id)


@pytest.mark.parametrize(
    "count", [1_000, pytest.param(100_000, marks=pytest.mark.drill)], ids=lambda count: f"{count}"
)
@pytest.mark.parametrize("seed", [31])
def test_every_payload_is_a_post_or_a_dead_letter(count: int, seed: int, tmp_path: Path) -> None:
    """What decodes is in `scored_posts`, scored or not, or a letter of the stage that refused it;
    what does not is a letter."""
    fuzzed = payloads(seeds(tmp_path, seed), count, seed)
    posts, letters = set[str](), set[str]()
    totals: Counter[str] = Counter()
    with DuckDBWarehouse(tmp_path / "fuzz.duckdb") as warehouse:
        warehouse.create()
        state = LocalState(warehouse, SETTINGS.threshold, HOUR)
        state.open()
        turns = Turns(SETTINGS, state, PipelineOptions([]))
        for start in range(0, count, TURN):
            turn = [
                Message(payload, f"fuzz:{seed}:{start + number}")
                for number, payload in enumerate(islice(fuzzed, TURN))
            ]
            for message in turn:
                found = list(decode(message.payload, authors=SETTINGS.authors, now=now_micros()))
                assert found, f"nothing comes of {message.payload!r}"
                for index, item in enumerate(found):
                    if isinstance(item, Envelope):
                        posts.add(item.post_id)
                    elif item.error_type != DELETION:
                        letters.add(letter_id("parse", message.origin, index))
            totals.update(turns.run(turn))
        state.close()
        keys = warehouse.query("SELECT topic, post_id FROM scored_posts").to_pylist()
        refused = warehouse.query("SELECT letter_id, stage, post_id FROM dead_letters").to_pylist()
    assert len({tuple(key.values()) for key in keys}) == len(keys)
    assert letters <= {row["letter_id"] for row in refused}
    # Another text under a known id is kept apart, under that id with a mark.
    named = [row["post_id"] for row in refused if row["stage"] != "parse"]
    stored = [key["post_id"] for key in keys]
    assert {unmarked(post) for post in posts} == {unmarked(post) for post in (*stored, *named)}
    ends = ("posts_kept", "duplicates", "rows_no_topic", "dead_letters")
    assert totals["rows_read"] + totals["topic_copies"] == sum(totals[name] for name in ends)
    assert totals["posts_scored"] and totals["posts_unscored"] and len(letters) > count / 4
