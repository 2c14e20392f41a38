"""Turns of a live run on one machine: the real graph and tables, without Pub/Sub."""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope
from mltox.posts.records import DAY, SECOND, Message, Post
from mltox.posts.topics import TopicMatcher
from mltox.scoring import DEFAULT_BUNDLE, BundleError
from mltox.warehouse import WarehouseBroken, WarehouseError
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.graph import Settings
from pipelines.runs.local_stream import unpublished
from pipelines.runs.local_stream.isolate import run_isolating
from pipelines.runs.local_stream.state import LocalState
from pipelines.runs.local_stream.turn import TurnDefect, TurnError, Turns
from pipelines.transforms.parse import posts_by_topic

T0 = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp())
TEXTS = ("good morning", "you are a stupid idiot", "what a game", "lovely weather today")


def settings() -> Settings:
    return Settings(
        matcher=TopicMatcher([]),
        authors=AuthorKeys(b"a long enough key for tests"),
        bundle=str(DEFAULT_BUNDLE),
        threshold=0.4,
        default_topic="t",
    )


def message(number: int, seconds: int) -> Message:
    moment = datetime.fromtimestamp(T0 + seconds, UTC)
    row = {"id": str(number), "text": TEXTS[number % 4], "created_at": moment.isoformat(),
           "lang": "en", "author": f"a{number % 7}"}  # fmt: skip
    return Message(json.dumps(row).encode(), f"pubsub:{number}")


def opened(path: Path, disorder: int = 600, *, alerting: bool = False, span: int = 0) -> LocalState:
    warehouse = DuckDBWarehouse(path)
    warehouse.create()
    state = LocalState(warehouse, 0.4, disorder * SECOND, alerting=alerting, span=span)
    state.open()
    return state


_turns: dict[int, Turns] = {}
"""By the state's id; each is built once and run again and again, as in a live run."""


def turn(state: LocalState, messages: Sequence[Message]) -> dict[str, int]:
    turns = _turns.setdefault(id(state), Turns(settings(), state, PipelineOptions([])))
    return dict(turns.run(messages))


def hours(state: LocalState) -> dict[int, tuple[int, bool, int]]:
    """Hours after T0 -> (posts, is final, revision)."""
    found = state.warehouse.query(
        "SELECT epoch(hour)::BIGINT, posts, is_final, revision FROM hourly_toxicity"
    ).to_pylist()
    return {(row[0] - T0) // 3600: tuple(row[1:]) for row in (list(r.values()) for r in found)}


def test_an_hour_adds_up_over_turns_and_is_final_when_the_watermark_has_passed(
    tmp_path: Path,
) -> None:
    state = opened(tmp_path / "w.duckdb")
    turn(state, [message(1, 60), message(2, 120)])
    assert hours(state) == {0: (2, False, 1)}
    turn(state, [message(3, 180)])
    assert hours(state) == {0: (3, False, 2)}
    turn(state, [message(4, 3600 + 601)])  # 10:01 into the next hour: the first is over
    assert state.has_due()
    turn(state, [])
    assert hours(state) == {0: (3, True, 3), 1: (1, False, 1)}
    assert not state.has_due()
    turn(state, [message(5, 200)])  # late
    assert hours(state)[0] == (4, True, 4)


def test_a_message_that_comes_again_changes_nothing(tmp_path: Path) -> None:
    state = opened(tmp_path / "w.duckdb")
    turn(state, [message(1, 60), message(2, 120), message(1, 60)])
    counts = turn(state, [message(2, 120), message(1, 60)])
    assert counts["duplicates"] == 2
    assert hours(state) == {0: (2, False, 1)}


def test_a_start_brings_back_what_was_open(tmp_path: Path) -> None:
    state = opened(tmp_path / "w.duckdb")
    turn(state, [message(n, 60 * n) for n in range(5)])
    state.close()
    state.warehouse.close()
    again = opened(tmp_path / "w.duckdb")
    turn(again, [message(n, 60 * n) for n in range(3, 8)])
    assert hours(again) == {0: (8, False, 2)}
    authors = again.warehouse.query("SELECT authors FROM hourly_toxicity").to_pylist()
    assert authors == [{"authors": 7}]


def test_any_split_into_turns_gives_the_tables_of_one(tmp_path: Path) -> None:
    messages = [message(n, random.Random(n).randrange(4 * 3600)) for n in range(120)]
    late_and_twice = messages[20:30]
    tables = []
    for name, parts in {
        "one": [messages],
        "many": [messages[i : i + 17] for i in range(0, 120, 17)] + [late_and_twice],
    }.items():
        state = opened(tmp_path / f"{name}.duckdb", disorder=5 * 3600)
        for part in parts:
            turn(state, part)
        rows = state.warehouse.query(
            "SELECT * EXCLUDE (revision, updated_at) FROM hourly_toxicity ORDER BY hour"
        ).to_pylist()
        posts = state.warehouse.query(
            "SELECT post_id, toxicity FROM scored_posts ORDER BY post_id"
        ).to_pylist()
        tables.append((rows, posts))
    assert tables[0] == tables[1]
    assert len(tables[0][1]) == 120


def test_a_turn_that_fails_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = opened(tmp_path / "w.duckdb")
    turn(state, [message(1, 60)])
    original = DuckDBWarehouse.upsert

    def full(self: DuckDBWarehouse, table: str, rows: Sequence[tuple]) -> int:
        if table == "hourly_toxicity":
            raise WarehouseError("the disk is full")
        return original(self, table, rows)

    with monkeypatch.context() as patched:
        patched.setattr(DuckDBWarehouse, "upsert", full)
        with pytest.raises(TurnError, match=r"^the disk is full$"):
            turn(state, [message(2, 120), message(3, 3 * 3600)])
    assert state.warehouse.query("SELECT post_id FROM scored_posts").num_rows == 1
    assert hours(state) == {0: (1, False, 1)}
    turn(state, [message(2, 120), message(3, 3 * 3600)])
    assert hours(state)[0][0] == 2


def eleven_days() -> Iterator[list[Message]]:
    """Five posts an hour, and forty in the 21st hour of the last day; a day a part, shuffled."""
    number = 0
    for day in range(11):
        part = []
        for hour in range(24):
            busy = 40 if (day, hour) == (10, 20) else 5
            for i in range(busy):
                part.append(message(number, (24 * day + hour) * 3600 + 3600 * i // busy))
                number += 1
        random.Random(day).shuffle(part)
        yield part


def test_hours_are_judged_once_in_order(tmp_path: Path) -> None:
    """Ten quiet days, then forty posts in an hour: one anomaly, however the turns were cut."""
    state = opened(tmp_path / "w.duckdb")
    for part in eleven_days():
        turn(state, part)
    turn(state, [])
    found = state.warehouse.query("SELECT epoch(hour)::BIGINT AS h, metric FROM anomalies")
    assert [((row["h"] - T0) // 3600, row["metric"]) for row in found.to_pylist()] == [
        (260, "posts")
    ]
    final = {hour for hour, (_, is_final, _) in hours(state).items() if is_final}
    assert final == set(range(11 * 24 - 1))
    # No topic for alerts: else a run that has one would begin with those of weeks ago.
    assert unpublished.read_unpublished(state.warehouse) == []


def test_an_anomaly_is_listed_with_its_row_until_it_is_published(tmp_path: Path) -> None:
    """The turn that finds it fails first; then the process ends before it has published."""
    state = opened(tmp_path / "w.duckdb", alerting=True)
    for part in eleven_days():
        turn(state, part)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(unpublished, "note", full_disk)
        with pytest.raises(TurnError, match="disk is full"):
            turn(state, [])
    assert unpublished.read_unpublished(state.warehouse) == []
    assert state.warehouse.query("SELECT * FROM anomalies").num_rows == 0
    turn(state, [])
    state.close()
    state.warehouse.close()
    again = opened(tmp_path / "w.duckdb", alerting=True)
    found = unpublished.read_unpublished(again.warehouse)
    assert [(each.hour // SECOND - T0, each.metric) for each in found] == [(260 * 3600, "posts")]
    unpublished.clear(again.warehouse)
    assert unpublished.read_unpublished(again.warehouse) == []


def full_disk(*_: object) -> None:
    raise WarehouseError("the disk is full")


def test_a_file_that_duckdb_has_given_up_ends_the_run_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "w.duckdb"
    state = opened(path)
    turn(state, [message(1, 60)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        with pytest.raises(WarehouseError, match="can't grow"):
            state.warehouse.execute("CHECKPOINT")
        with pytest.raises(WarehouseBroken, match="start the run again"):
            turn(state, [message(2, 120)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    state.close()
    state.warehouse.close()
    again = opened(path)
    turn(again, [message(2, 120)])
    assert hours(again) == {0: (2, False, 2)}


OLD = T0 - 946_684_800 - 1
"""Seconds from the first moment of the year 2000 to T0."""


def letters(state: LocalState) -> list[tuple[str, str]]:
    rows = state.warehouse.query("SELECT error_type, payload FROM dead_letters").to_pylist()
    return [(row["error_type"], row["payload"]) for row in rows]


def test_a_post_of_another_time_is_put_aside_whole_and_the_stream_goes_on(tmp_path: Path) -> None:
    state = opened(tmp_path / "w.duckdb", span=365 * DAY)
    turn(state, [message(1, 60), message(2, -OLD), message(3, 120)])
    counts = turn(state, [message(4, -400 * 86_400), message(5, -300 * 86_400)])
    assert counts["outside_span"] == counts["dead_letters"] == 1
    turn(state, [message(6, 3600 * 30)])
    turn(state, [])
    found = letters(state)
    assert [kind for kind, _ in found] == ["outside_span"] * 2
    assert {json.loads(payload)["post_id"] for _, payload in found} == {"file:2", "file:4"}
    assert sum(hour[0] for hour in hours(state).values()) == 4
    turn(state, [message(2, -OLD)])
    assert len(letters(state)) == 2


def test_without_a_span_any_time_goes(tmp_path: Path) -> None:
    state = opened(tmp_path / "w.duckdb")
    turn(state, [message(2, -OLD)])
    turn(state, [message(1, 60)])
    turn(state, [message(3, 3600 * 30)])
    turn(state, [])
    assert sum(hour[0] for hour in hours(state).values()) == 3


def test_what_the_tables_hold_says_what_a_topics_time_is(tmp_path: Path) -> None:
    state = opened(tmp_path / "w.duckdb", span=365 * DAY)
    turn(state, [message(1, 60)])
    state.close()
    state.warehouse.close()
    again = opened(tmp_path / "w.duckdb", span=365 * DAY)
    turn(again, [message(2, -OLD)])
    assert [kind for kind, _ in letters(again)] == ["outside_span"]


def test_a_message_that_fails_its_turn_is_set_apart_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(envelope: Envelope, topics: Iterable[str], now: int) -> Iterator[Post]:
        if "idiot" in envelope.text:
            raise ValueError(f"no good: {envelope.text}")
        yield from posts_by_topic(envelope, topics, now)

    monkeypatch.setattr("pipelines.transforms.parse.posts_by_topic", failing)
    state = opened(tmp_path / "w.duckdb")
    counts = run_isolating(
        [message(number, number) for number in range(12)],
        lambda part: turn(state, part),
        settings().authors,
    )
    assert counts["rows_read"] == 12 and counts["posts_kept"] == 9
    assert counts["dead_letters"] == 3
    found = letters(state)
    assert [kind for kind, _ in found] == ["turn_failed"] * 3
    assert "a1" not in json.loads(found[0][1]).get("author")
    assert hours(state)[0][0] == 9


def test_what_a_person_can_mend_is_no_messages_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(envelope: Envelope, topics: Iterable[str], now: int) -> Iterator[Post]:
        raise BundleError("the model is broken")

    monkeypatch.setattr("pipelines.transforms.parse.posts_by_topic", broken)
    with pytest.raises(TurnError, match="the model is broken") as raised:
        turn(opened(tmp_path / "w.duckdb"), [message(1, 60)])
    assert not isinstance(raised.value, TurnDefect)
