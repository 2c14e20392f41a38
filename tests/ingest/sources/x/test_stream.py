from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest.cursors.store import LocalStore
from ingest.sources.handover import Handover
from ingest.sources.source import Batch, SourceError
from ingest.sources.x import backoff as x_backoff
from ingest.sources.x import follower as x_follower
from ingest.sources.x.budget import Budget, BudgetSpent
from ingest.sources.x.client import Endpoint, XClient
from ingest.sources.x.gap import backfill_minutes
from ingest.sources.x.position import Position
from ingest.sources.x.rule_keeper import RuleKeeper
from ingest.sources.x.stream import XStream
from mltox.posts.topics import Topic
from tests.ingest.sources.contract import Case, SourceContract, opened, posts_of, read_until
from tests.ingest.x_server import (
    RULES,
    SEARCH,
    STREAM,
    TOKEN,
    Refusal,
    Stream,
    XServer,
    cut,
    end,
    end_after,
    id_at,
    listen,
    now_ms,
    serving,
    stall,
    tweet,
)

VOTES, RAIN = Topic("votes", keywords=("vote",)), Topic("rain", keywords=("rain",))


def posts(count: int, text: str = "they vote") -> list[dict[str, Any]]:
    """A second apart, the last one a second ago."""
    return [tweet(count - n, text, n) for n in range(count)]


def ids(*found: dict[str, Any]) -> list[str]:
    return [f"x:{post['id']}" for post in found]


def seen(batches: list[Batch]) -> list[str]:
    return posts_of(payload for batch in batches for payload in batch.payloads)


def until(*wanted: dict[str, Any]) -> Callable[[list[Batch]], bool]:
    return lambda found: {*ids(*wanted)} <= {*seen(found)}


def cursor_of(batches: list[Batch]) -> int:
    return max((int(batch.cursor["stream"]) for batch in batches if batch.cursor), default=0)


class Waits(list[float]):
    """In place of waiting: what was to be waited for."""

    def __call__(self, hand: Handover, seconds: float) -> None:
        self.append(seconds)
        hand.rest(0.01)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture(autouse=True)
def _search_knows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_follower, "SEARCH_LAG_MS", 0)
    monkeypatch.setattr(x_follower, "LOOK_SECONDS", 0.0)


Open = Callable[..., XStream]


@pytest.fixture
def stream(tmp_path: Path, waits: Waits) -> Open:
    def make(
        x: XServer,
        *topics: Topic,
        current: Callable[[], list[Topic]] | None = None,
        token: str = TOKEN,
        most: int | None = None,
        backfill: int | None = None,
        stall_seconds: float = 20.0,
    ) -> XStream:
        endpoint = Endpoint(token, x.address)
        client = XClient(endpoint)
        return XStream(
            endpoint,
            client,
            RuleKeeper(client, current or (lambda: list(topics or (VOTES,))), 512, 25, waits),
            Budget(LocalStore(tmp_path), "x", most),
            512,
            backfill,
            stall_seconds,
            waits,
        )

    return make


class TestXStream(SourceContract):
    @pytest.fixture
    def case(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
        # The server may count a connection that was just closed, and X refuses a second with 429.
        monkeypatch.setattr(x_backoff, "rate_limit_seconds", lambda *_: 0.05)
        found = posts(4)
        with serving([*found, tweet(1, "nothing", 999)]) as x:
            yield Case(
                "x-stream",
                ["--x-api", x.address],
                ids(*found),
                ends=False,
                secrets={"X_BEARER_TOKEN": TOKEN},
                topics=[VOTES],
            )


def test_posts_come_with_the_topics_whose_rules_they_match(stream: Open) -> None:
    both, rain = tweet(2, "vote in the rain"), tweet(1, "rain")
    with serving([both, rain]) as x:
        x.rules.append({"id": "9", "value": "vote", "tag": "campaign of others"})
        batches = read_until(stream(x, VOTES, RAIN), {}, until(both, rain))
    topics = {post_id: batch.topics for batch in batches for post_id in seen([batch])}
    # the rule that says `vote` is not ours: the text will tell
    assert topics == {ids(both)[0]: ("rain",), ids(rain)[0]: ("rain",)}


def test_rules_are_those_of_the_topics_and_others_are_left_alone(stream: Open) -> None:
    theirs = {"id": "8", "value": "snow", "tag": "theirs"}
    stale = {"id": "9", "value": "hail", "tag": "mltox:gone"}
    with serving(posts(1), rules=[theirs, stale]) as x:
        read_until(stream(x, VOTES, RAIN), {}, until(*x.posts))
        assert {(rule["value"], rule["tag"]) for rule in x.rules} == {
            ("snow", "theirs"),
            ("vote", "mltox:votes"),
            ("rain", "mltox:rain"),
        }


def test_topics_that_change_change_the_rules_without_a_new_connection(stream: Open) -> None:
    topics = [VOTES]
    rain = tweet(0, "rain")
    with serving(posts(1)) as x:

        def enough(found: list[Batch]) -> bool:
            if seen(found) and topics == [VOTES]:
                topics[:] = [RAIN]
            if not x.pushed and [rule["value"] for rule in x.rules] == ["rain"]:
                x.pushed.append(rain)
            return until(rain)(found)

        batches = read_until(stream(x, current=lambda: list(topics)), {}, enough)
        assert len(x.asked[STREAM]) == 1
    assert [batch.topics for batch in batches if seen([batch])][-1] == ("rain",)


def test_an_edit_that_x_does_not_take_leaves_the_rules(
    stream: Open, caplog: pytest.LogCaptureFixture
) -> None:
    topics, last = [VOTES], tweet(0, "I vote")
    with serving(posts(1)) as x:

        def enough(found: list[Batch]) -> bool:
            if seen(found) and topics == [VOTES]:
                topics[:] = [Topic("long", keywords=("x" * 600,))]
            if "'long'" in caplog.text and last not in x.posts:
                x.posts.append(last)
                x.pushed.append(last)
            return until(last)(found)

        read_until(stream(x, current=lambda: list(topics)), {}, enough)
        assert [rule["value"] for rule in x.rules] == ["vote"]
        assert len(x.asked[STREAM]) == 1


def test_such_an_edit_does_not_end_the_next_connection_either(stream: Open) -> None:
    topics, last = [VOTES], tweet(0, "I vote")
    with serving(posts(2)) as x:

        def edit_and_cut(connection: Stream) -> None:
            topics[:] = [Topic("long", keywords=("x" * 600,))]
            cut(connection)

        x.acts += [edit_and_cut, listen]
        x.pushed.append(last)
        batches = read_until(stream(x, current=lambda: list(topics)), {}, until(last))
    assert {batch.topics for batch in batches if batch.payloads} == {("votes",)}


def test_another_run_that_takes_the_connection_is_not_fought_over_it(
    stream: Open, waits: Waits
) -> None:
    taken = {"title": "ConnectionException", "connection_issue": "TooManyConnections"}
    with serving(posts(1)) as x:
        x.acts.append(end_after(taken))
        read_until(stream(x), {}, until(*x.posts))
    assert waits == [60]


def test_no_topic_waits_for_one(stream: Open, waits: Waits) -> None:
    with serving(posts(1)) as x:
        source = stream(x, current=lambda: [VOTES] if len(waits) >= 3 else [])
        assert seen(read_until(source, {}, until(*x.posts))) == ids(*x.posts)


@pytest.mark.parametrize("act", [listen, stall])
def test_a_connection_is_given_back_when_it_is_stopped(
    stream: Open, act: Callable[[Stream], None]
) -> None:
    """X allows one connection: another run has to find it free, also if nothing comes on it."""
    with serving(posts(1)) as x:
        x.pushed.append(x.posts[0])
        x.acts.append(act)
        read_until(stream(x, stall_seconds=3_600.0), {}, until(*x.posts))
        deadline = time.monotonic() + 20
        while x.connections and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not x.connections


@pytest.mark.parametrize("act", [cut, stall, end])
def test_after_a_break_the_stream_goes_on_and_what_it_missed_is_searched_for(
    stream: Open, act: Callable[[Stream], None]
) -> None:
    with serving(posts(3)) as x:
        x.acts += [act, listen]
        batches = read_until(stream(x, stall_seconds=0.3), {}, until(*x.posts))
        assert len(x.asked[STREAM]) == 2
        assert all("since_id" in query and "until_id" in query for query in x.asked[SEARCH])
    assert list(dict.fromkeys(seen(batches))) == ids(*x.posts)


def test_a_restart_searches_for_what_was_written_meanwhile(stream: Open) -> None:
    with serving([tweet(100, "vote"), *posts(2)]) as x:
        x.acts.append(listen)
        cursor = {"stream": str(int(x.posts[0]["id"]) + (60_000 << 22))}
        batches = read_until(
            stream(x), cursor, lambda found: cursor_of(found) > int(x.posts[-1]["id"])
        )
    assert seen(batches) == ids(*x.posts[1:])


def test_the_cursor_stays_before_a_gap_until_it_is_filled(
    stream: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x_follower, "SEARCH_LAG_MS", 3_600_000)
    safe = id_at(now_ms() - 60_000)
    with serving(posts(2)) as x:
        batches = read_until(stream(x), {"stream": safe}, until(*x.posts))
    assert cursor_of(batches) == int(safe)


def test_signs_of_life_move_the_cursor(stream: Open) -> None:
    began = int(id_at(now_ms()))
    with serving(posts(1)) as x:
        read_until(stream(x), {}, lambda found: cursor_of(found) > began)


def test_backfill_where_it_is_allowed_and_enough(stream: Open) -> None:
    with serving(posts(2)) as x:
        cursor = {"stream": id_at(now_ms() - 60_000)}
        read_until(
            stream(x, backfill=5), cursor, lambda found: cursor_of(found) > int(cursor["stream"])
        )
        assert x.asked[STREAM][0]["backfill_minutes"] == "2"
        assert x.asked[SEARCH] == []


@pytest.mark.parametrize(
    ("seconds", "allowed", "minutes"),
    [
        (10, None, None),
        (0, 5, None),
        (10, 5, 1),
        (31, 5, 2),
        (269, 5, 5),
        (280, 5, None),
        (31, 1, None),
    ],
)
def test_minutes_of_backfill(seconds: int, allowed: int | None, minutes: int | None) -> None:
    assert backfill_minutes(seconds * 1000, allowed) == minutes


def test_a_gap_that_cannot_be_searched_for_does_not_end_the_stream(
    stream: Open, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(posts(2)) as x:
        x.refusals[SEARCH].append(Refusal(403, "Forbidden"))
        cursor = {"stream": id_at(now_ms() - 60_000)}
        read_until(stream(x), cursor, lambda found: cursor_of(found) > int(x.posts[-1]["id"]))
    assert "stays missing" in caplog.text


def test_rate_limits_and_trouble_of_x_are_waited_for(stream: Open, waits: Waits) -> None:
    with serving(posts(1)) as x:
        reset = {"x-rate-limit-reset": str(now_ms() // 1000 + 300)}
        x.refusals[STREAM] += [Refusal(429, headers=reset), Refusal(503), Refusal(503)]
        x.refusals[STREAM] += [Refusal(429, headers=reset | {"x-rate-limit-remaining": "3"})]
        x.refusals[RULES] += [Refusal(503)]
        assert seen(read_until(stream(x), {}, until(*x.posts))) == ids(*x.posts)
    assert waits[0] == waits[2] == 5
    assert 295 < waits[1] <= 302
    assert waits[3:5] == [10, 120]


@pytest.mark.parametrize("path", [RULES, STREAM])
@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Refusal(401, "Unauthorized"), "refuses the bearer token in X_BEARER_TOKEN"),
        (Refusal(403, "client-not-enrolled"), "X_BEARER_TOKEN.*client-not-enrolled"),
    ],
)
def test_what_no_waiting_mends_ends_it(
    stream: Open, waits: Waits, path: str, refusal: Refusal, said: str
) -> None:
    with serving(posts(2)) as x:
        x.refusals[path].append(refusal)
        with pytest.raises(SourceError, match=said):
            read_until(stream(x), {}, until(*x.posts))
    assert waits == []


DELETION = {"data": {"delete": {"tweet": {"id": "5", "author_id": "77"}}}}
DISCONNECT = {"errors": [{"title": "operational-disconnect", "disconnect_type": "Upstream"}]}


def test_malformed_lines_and_deletions_are_passed_on_and_notices_are_not(
    stream: Open, caplog: pytest.LogCaptureFixture
) -> None:
    broken = b'{"data": {"id": "1"'
    with serving(posts(1)) as x:
        x.acts.append(end_after(broken, DELETION, DISCONNECT))
        found = read_until(stream(x), {}, until(*x.posts))
    payloads = [payload for batch in found for payload in batch.payloads]
    assert payloads[:2] == [broken, orjson.dumps(DELETION)]
    assert len(payloads) == 3
    assert "operational-disconnect" in caplog.text


def test_duplicates_have_the_same_id(stream: Open) -> None:
    with serving(posts(2)) as x:
        x.acts.append(cut)
        found = seen(read_until(stream(x), {}, until(*x.posts)))
    assert found.count(ids(x.posts[0])[0]) >= 2
    assert set(found) == set(ids(*x.posts))


def test_a_slow_reader_loses_nothing(stream: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.x.connection.WAITING_LINES", 3)
    monkeypatch.setattr("ingest.sources.handover.WAITING_MESSAGES", 3)
    with serving(posts(50)) as x:
        assert seen(read_until(stream(x), {}, until(*x.posts))) == ids(*x.posts)


def test_the_budget_ends_the_stream(stream: Open, tmp_path: Path) -> None:
    found: list[Batch] = []
    with serving(posts(9)) as x, pytest.raises(BudgetSpent):
        for batch in stream(x, most=4).read({}, threading.Event()):
            found.append(batch)
    assert seen(found) == ids(*x.posts[:4])
    assert Budget(LocalStore(tmp_path), "x", None).used() == 4


def test_what_a_stream_did_not_use_is_given_back(stream: Open, tmp_path: Path) -> None:
    with serving(posts(3)) as x:
        read_until(stream(x), {}, until(*x.posts))
    assert Budget(LocalStore(tmp_path), "x", None).used() == 3


def test_no_token_is_logged(stream: Open, caplog: pytest.LogCaptureFixture) -> None:
    for name in (None, "tweepy", "tweepy.client", "tweepy.streaming", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    with serving(posts(1)) as x, pytest.raises(SourceError, match="X_BEARER_TOKEN") as raised:
        read_until(stream(x, token="a-wrong-one"), {}, until(*x.posts))
    assert "a-wrong-one" not in caplog.text + str(raised.value)


def test_too_many_rules_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", TOKEN)
    with serving([]) as x:
        arguments = ["--x-api", x.address, "--max-rules", "1"]
        source = opened(Case("x-stream", arguments, (), topics=[VOTES, RAIN]), tmp_path)
        with pytest.raises(SourceError, match="2 rules; X takes 1"):
            read_until(source, {}, lambda _: False)


def test_a_position_never_goes_back() -> None:
    position = Position(0)
    position.broke()
    assert not position.gap  # nothing was read yet, nothing is missing
    position.saw_post(50)
    position.saw_post(40)
    assert position.safe == 50
    position.broke()
    position.saw_post(60)
    assert (position.gap, position.safe) == (True, 50)
    position.filled()
    assert (position.gap, position.safe) == (False, 60)
