from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from ingest.cursors.store import LocalStore
from ingest.sources.handover import Handover
from ingest.sources.source import Batch, SourceError
from ingest.sources.x.budget import Budget, BudgetSpent
from ingest.sources.x.client import Endpoint, XClient, XSession
from ingest.sources.x.search import XSearch
from mltox.posts.topics import Topic
from tests.ingest.sources.contract import Case, SourceContract, opened, posts_of, read_until
from tests.ingest.x_server import (
    COUNTS,
    SEARCH,
    TOKEN,
    Refusal,
    XServer,
    id_at,
    now_ms,
    serving,
    tweet,
)

VOTES, RAIN = Topic("votes", keywords=("vote",)), Topic("rain", keywords=("rain",))
HOUR, DAY = 3_600, 86_400


def posts(count: int, text: str = "they vote", every: float = 60.0) -> list[dict[str, Any]]:
    """The newest an age of `every` s, the oldest first."""
    return [tweet(every * (count - n), text, n) for n in range(count)]


def ids(*found: dict[str, Any]) -> list[str]:
    return [f"x:{post['id']}" for post in found]


class Waits(list[float]):
    """In place of waiting: what was to be waited for."""

    def __call__(self, hand: Handover, seconds: float) -> None:
        self.append(seconds)
        hand.rest(0.01)


@pytest.fixture
def waits() -> Waits:
    return Waits()


Open = Callable[..., XSearch]


@pytest.fixture
def search(tmp_path: Path, waits: Waits) -> Open:
    def make(
        x: XServer,
        *topics: Topic,
        token: str = TOKEN,
        every: int | None = None,
        most: int | None = None,
        length: int = 512,
        first_hours: int = 1,
    ) -> XSearch:
        client = XClient(Endpoint(token, x.address))
        budget = Budget(LocalStore(tmp_path), "x", most)
        return XSearch(
            lambda: topics or (VOTES,), client, budget, every, first_hours, length, waits
        )

    return make


def everything(source: XSearch, cursor: Mapping[str, str] | None = None) -> list[Batch]:
    return read_until(source, cursor or {}, lambda _: False)


def seen(batches: list[Batch]) -> list[str]:
    return posts_of(payload for batch in batches for payload in batch.payloads)


class TestXSearch(SourceContract):
    @pytest.fixture
    def case(self) -> Iterator[Case]:
        # over three hours, and one post that is of no topic
        found = posts(9, every=900)
        with serving([*found, tweet(30, "nothing", 999)]) as x:
            yield Case(
                "x-search",
                ["--x-api", x.address, "--first-hours", "3"],
                ids(*found),
                secrets={"X_BEARER_TOKEN": TOKEN},
                topics=[VOTES],
            )


def test_a_page_is_turned_round_and_its_posts_belong_to_their_topic(search: Open) -> None:
    votes, rain = posts(3), posts(2, "it rains: rain")
    with serving([*votes, *rain]) as x:
        batches = everything(search(x, VOTES, RAIN))
    by_topic = {
        name: seen([batch for batch in batches if batch.topics == (name,)])
        for name in ("votes", "rain")
    }
    assert by_topic == {"votes": ids(*votes), "rain": ids(*rain)}


def test_more_posts_than_a_page_holds(search: Open) -> None:
    many = posts(250, every=0.2)
    with serving(many) as x:
        assert seen(everything(search(x))) == ids(*many)
        assert len(x.page_tokens) == 2


def test_a_topic_of_two_queries_gives_each_post_once(search: Open) -> None:
    topic = Topic("t", keywords=("a" * 90, "b" * 90))
    both = tweet(60, "a" * 90 + " " + "b" * 90)
    with serving([both, tweet(30, "b" * 90)]) as x:
        found = seen(everything(search(x, topic, length=128)))
        assert len({query["query"] for query in x.asked[SEARCH]}) == 2
    assert found == ids(*x.posts)


def test_a_retweet_comes_with_its_original(search: Open, decoded: Any) -> None:
    original = tweet(10 * DAY, "the whole text of a vote")
    retweet = tweet(
        60, "RT @a: the whole vo…", referenced_tweets=[{"type": "retweeted", "id": original["id"]}]
    )
    retweet["text"] = "RT @a: vote, the wh…"
    with serving([retweet], originals=[original]) as x:
        (payload,) = [each for batch in everything(search(x)) for each in batch.payloads]
    assert original["text"].encode() in payload
    assert retweet["id"].encode() in payload


def test_it_goes_on_after_the_last_post(search: Open) -> None:
    with serving(posts(3)) as x:
        batches = everything(search(x))
        cursor = {key: at for batch in batches for key, at in (batch.cursor or {}).items()}
        assert int(cursor["votes"]) >= int(x.posts[-1]["id"])
        x.posts.append(later := tweet(0, "I vote"))
        assert seen(everything(search(x), cursor)) == ids(later)


def test_a_quiet_topic_moves_on_too(search: Open) -> None:
    with serving([]) as x:
        batches = everything(search(x, first_hours=2))
    (last,) = [batch.cursor["votes"] for batch in batches if batch.cursor][-1:]
    assert int(last) > int(id_at(now_ms() - 2 * HOUR * 1000))


def test_polling_again(search: Open, waits: Waits) -> None:
    with serving(posts(2)) as x:
        later = tweet(0, "I vote")

        def enough(found: list[Batch]) -> bool:
            if len(x.asked[SEARCH]) >= 5 and later not in x.posts:
                x.posts.append(later)
            return bool({*ids(later)} & {*seen(found)})

        found = read_until(search(x, every=45), {}, enough)
    assert seen(found) == ids(*x.posts)
    assert set(waits) == {45}


def test_a_cursor_older_than_seven_days(search: Open, caplog: pytest.LogCaptureFixture) -> None:
    recent, old = tweet(6.9 * DAY, "a vote"), tweet(7.5 * DAY, "a vote")
    cursor = {"votes": id_at(now_ms() - 9 * DAY * 1000)}
    with caplog.at_level(logging.WARNING), serving([old, recent]) as x:
        batches = read_until(search(x), cursor, lambda found: bool(seen(found)))
        assert seen(batches) == ids(recent)
        assert "start_time" in x.asked[SEARCH][0]
        assert all("since_id" in query for query in x.asked[SEARCH][1:])
    assert len([message for message in caplog.messages if "seven days" in message]) == 1


def test_a_rate_limit_is_waited_for(search: Open, waits: Waits) -> None:
    with serving(posts(2)) as x:
        reset = {"x-rate-limit-reset": str(now_ms() // 1000 + 600)}
        x.refusals[SEARCH] += [Refusal(429, headers=reset), Refusal(429)]
        assert seen(everything(search(x))) == ids(*x.posts)
    assert 590 < waits[0] <= 602
    assert waits[1] == 120


def test_trouble_at_x_is_waited_for(search: Open, waits: Waits) -> None:
    with serving(posts(2)) as x:
        broken = Refusal(200, body=b'{"data": [')
        x.refusals[SEARCH] += [Refusal(503), Refusal(500, body=b"<html>"), broken]
        assert seen(everything(search(x))) == ids(*x.posts)
    assert waits == [5, 10, 20]


ERRORS = orjson.dumps(
    {"errors": [{"title": "Operational Disconnect", "detail": f"try again, {TOKEN}"}]}
)


def test_an_answer_of_errors_alone_is_no_page_without_posts(search: Open, waits: Waits) -> None:
    with serving(posts(2)) as x:
        x.refusals[SEARCH] += [Refusal(200, body=ERRORS)] * 2
        assert seen(everything(search(x))) == ids(*x.posts)
    assert waits == [5, 10]


def test_errors_beside_posts_are_those_of_what_they_refer_to(search: Open, waits: Waits) -> None:
    found = posts(1)
    page = {"data": found, "errors": [{"title": "Not Found"}], "meta": {"result_count": 1}}
    with serving(found) as x:
        x.refusals[SEARCH].append(Refusal(200, body=orjson.dumps(page)))
        assert set(seen(everything(search(x)))) == set(ids(*found))
    assert waits == []


def test_while_x_does_not_answer_the_cursor_stays_and_the_trouble_is_told(
    search: Open, waits: Waits
) -> None:
    with serving(posts(2)) as x:
        x.refusals[SEARCH] += [Refusal(200, body=ERRORS)] * 1_000
        batches = read_until(search(x), {}, lambda batches: bool(batches[-1].trouble))
    assert all(batch.cursor is None and not batch.payloads for batch in batches)
    assert batches[-1].trouble == "X does not answer (200 Operational Disconnect)"


def test_once_x_answers_there_is_no_trouble(search: Open) -> None:
    with serving(posts(2)) as x:
        x.refusals[SEARCH] += [Refusal(503)]
        assert everything(search(x))[-1].trouble is None


def test_nobody_at_the_address(search: Open, waits: Waits) -> None:
    x = XServer([], address="http://127.0.0.1:9")
    read_until(search(x), {}, lambda _: len(waits) >= 3)
    assert waits[:3] == [0, 0.25, 0.5]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Refusal(401, "Unauthorized"), "refuses the bearer token in X_BEARER_TOKEN"),
        (Refusal(403, "client-not-enrolled"), "X_BEARER_TOKEN.*client-not-enrolled"),
        (Refusal(429, "UsageCapExceeded"), "X_BEARER_TOKEN.*this month"),
    ],
)
def test_what_no_waiting_mends_ends_it(
    search: Open, waits: Waits, refusal: Refusal, said: str
) -> None:
    with serving(posts(2)) as x:
        x.refusals[SEARCH].append(refusal)
        with pytest.raises(SourceError, match=said):
            everything(search(x))
    assert waits == []


def test_a_wrong_token_is_neither_logged_nor_shown(
    search: Open, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (None, "tweepy", "tweepy.client", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    with serving([]) as x, pytest.raises(SourceError, match="X_BEARER_TOKEN") as raised:
        everything(search(x, token="a-wrong-one"))
    assert "a-wrong-one" not in caplog.text + str(raised.value) + repr(Endpoint("a-wrong-one"))


def test_no_more_is_read_than_the_budget_allows(search: Open, tmp_path: Path) -> None:
    with serving(posts(500, every=1.0)) as x:
        with pytest.raises(BudgetSpent):
            everything(search(x, most=120))
        assert 0 < x.reads <= 120
    assert Budget(LocalStore(tmp_path), "x", None).used() == x.reads


def test_what_was_read_before_the_budget_ended_is_handed_over(search: Open) -> None:
    old = [tweet(2 * HOUR - n, "a vote") for n in range(20)]
    new = posts(60, every=1)
    found: list[Batch] = []
    with serving([*old, *new]) as x, pytest.raises(BudgetSpent):
        for batch in search(x, most=70, first_hours=3).read({}, threading.Event()):
            found.append(batch)
    assert seen(found)[:20] == ids(*old)
    assert 20 < len(seen(found)) < 80
    # those of the last hour are the newest, so that what lies before them is still to be read
    cursor = {key: at for batch in found for key, at in (batch.cursor or {}).items()}
    assert int(cursor["votes"]) < int(new[0]["id"])


def test_refused_requests_cost_nothing(search: Open, tmp_path: Path) -> None:
    with serving(posts(2)) as x:
        x.refusals[SEARCH] += [Refusal(503)] * 3
        everything(search(x, most=400))
    assert Budget(LocalStore(tmp_path), "x", None).used() == x.reads == 2


def test_a_topic_that_became_unusable_is_left_out(
    search: Open, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(posts(2)) as x:
        batches = everything(search(x, Topic("long", keywords=("x" * 600,)), VOTES))
    assert seen(batches) == ids(*x.posts)
    assert "'long'" in caplog.text


def dry_run(x: XServer, state: Path, *more: str) -> Case:
    return Case(
        "x-search",
        ["--x-api", x.address, "--dry-run", *more],
        (),
        topics=[VOTES, RAIN],
    )


def test_a_dry_run_says_what_it_would_cost_and_reads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", TOKEN)
    with serving([*posts(30), *posts(12, "rain"), tweet(2 * DAY, "vote")]) as x:
        source = opened(dry_run(x, tmp_path, "--price-per-read", "0.005usd"), tmp_path)
        batches = read_until(source, {}, lambda _: False)
        assert (len(x.asked[COUNTS]), x.asked[SEARCH], x.reads) == (2, [], 0)
    assert not any(batch.payloads or batch.cursor for batch in batches)
    assert capsys.readouterr().out.splitlines()[:3] == [
        "votes: 30 posts, 0.15 USD",
        "rain: 12 posts, 0.06 USD",
        "all topics: 42 posts, 0.21 USD",
    ]


def test_a_dry_run_counts_from_where_a_run_would_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", TOKEN)
    with serving(posts(30)) as x:
        cursor = {"votes": x.posts[9]["id"], "rain": id_at(now_ms() - 30 * DAY * 1000)}
        read_until(opened(dry_run(x, tmp_path), tmp_path), cursor, lambda _: False)
    assert capsys.readouterr().out.splitlines()[:2] == ["votes: 20 posts", "rain: 0 posts"]


def test_a_topic_that_x_cannot_be_asked_for_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", TOKEN)
    case = Case("x-search", [], (), topics=[Topic("long", keywords=("x" * 600,))])
    with pytest.raises(SourceError, match="'long'"):
        opened(case, tmp_path)


def test_every_request_has_a_time_limit() -> None:
    with serving([], refusals={}) as x, XSession(x.address, read_seconds=0.1) as session:
        x.lock.acquire()
        try:
            with pytest.raises(requests.Timeout):
                session.get(
                    "https://api.twitter.com/2/tweets/search/recent",
                    headers={"Authorization": f"Bearer {TOKEN}"},
                )
        finally:
            x.lock.release()
