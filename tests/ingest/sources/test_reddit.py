from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from ingest.sources.reddit import source as module
from ingest.sources.reddit.listing import Listing, number, thing_of
from ingest.sources.reddit.source import CLIENT_ID as ID
from ingest.sources.reddit.source import CLIENT_SECRET as SECRET
from ingest.sources.reddit.source import Reddit, open_client, seconds, subreddit_names
from ingest.sources.retries import Backoff
from ingest.sources.source import Batch, Cursor, SourceError
from mltox.posts.envelope import DELETION, Reject
from mltox.posts.formats import decode
from tests.ingest import reddit_server
from tests.ingest.reddit_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    TOKEN,
    Answer,
    comment,
    serving,
    submission,
)
from tests.ingest.sources.contract import AUTHORS, Case, SourceContract, posts_of, read_until

NEW = [submission(number) for number in range(0, 8, 2)]
COMMENTS = [comment(number) for number in range(1, 8, 2)]
POST_IDS = posts_of(json.dumps(thing).encode() for thing in [*NEW, *COMMENTS])


@pytest.fixture(autouse=True)
def no_rest_of_praw_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """PRAW tries three times before it gives up, seconds apart."""
    monkeypatch.setattr("prawcore.sessions.FiniteRetryStrategy._sleep_seconds", lambda _: None)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[reddit_server.Reddit], None]:
    def set_address(server: reddit_server.Reddit) -> None:
        monkeypatch.setattr(module, "API_URL", server.address)
        monkeypatch.setattr(module, "LOGIN_URL", server.address)

    return set_address


@pytest.fixture
def source(at: Any) -> Callable[..., Reddit]:
    def opened(server: reddit_server.Reddit, secret: str = CLIENT_SECRET) -> Reddit:
        at(server)
        client = open_client(CLIENT_ID, secret, "python:mltox-tests:1")
        return Reddit(client, ["news", "pics"], every=0.05, backoff=Backoff(0.01, 0.02))

    return opened


def payloads(batches: list[Batch]) -> list[bytes]:
    return [payload for batch in batches for payload in batch.payloads]


def until_posts(wanted: list[str]) -> Callable[[list[Batch]], bool]:
    return lambda found: set(wanted) <= set(posts_of(payloads(found)))


def seen(found: list[Batch]) -> list[str]:
    return list(dict.fromkeys(posts_of(payloads(found))))


def rejects(batches: list[Batch]) -> list[Reject]:
    now = time.time_ns() // 1000
    items = (item for each in payloads(batches) for item in decode(each, authors=AUTHORS, now=now))
    return [item for item in items if isinstance(item, Reject)]


class TestReddit(SourceContract):
    @pytest.fixture
    def case(self, at: Any) -> Iterator[Case]:
        with serving(NEW, COMMENTS) as server:
            at(server)
            yield Case(
                "reddit",
                ["--subreddits", "news"],
                POST_IDS,
                ends=False,
                secrets={ID: CLIENT_ID, SECRET: CLIENT_SECRET},
            )


@pytest.mark.parametrize(
    "answer",
    [
        *[Answer(status) for status in (500, 503, 520, 408)],
        Answer(429, headers={"Retry-After": "0"}),
        Answer(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        Answer(400, b'{"message": "Bad Request", "error": 400}'),
        Answer(body=b'{"kind": "Listing", "data": {"chil', cut=False),
        Answer(body=json.dumps({"kind": "Listing", "data": {"children": []}}).encode(), cut=True),
        Answer(body=b'{"kind": "Listing"}'),
        Answer(body=b'{"data": {"children": {}, "after": 3}}'),
        Answer(body=b"[]"),
        Answer(body=b"<html>"),
    ],
    ids=lambda answer: f"{answer.status} {answer.body.decode()}"[:25],
)
def test_what_fails_for_now_is_asked_again(answer: Answer, source: Any) -> None:
    with serving(NEW, COMMENTS, *[answer] * 4) as server:
        assert seen(read_until(source(server), {}, until_posts(POST_IDS))) == POST_IDS


def test_a_rate_limit_is_kept(source: Any, caplog: pytest.LogCaptureFixture) -> None:
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Used": "100", "X-RateLimit-Reset": "500"}
    with serving(NEW, COMMENTS, Answer(429, headers=limit)) as server:
        read_until(source(server), {}, lambda _: "next try" in caplog.text)
    assert "HTTP 429; next try in 500.0 s" in caplog.text
    assert len(server.asked) == 1


def test_a_limit_that_is_used_up_is_waited_for_while_the_reader_has_time(source: Any) -> None:
    with serving(NEW, COMMENTS) as server:
        server.limits = {
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Used": "100",
            "X-RateLimit-Reset": "1",
        }
        found = read_until(source(server), {}, until_posts(POST_IDS))
    assert any(not batch.payloads for batch in found)


@pytest.mark.parametrize("status", [302, 403, 404])
def test_a_subreddit_that_is_not_to_be_read_ends_it(status: int, source: Any) -> None:
    answer = Answer(status, headers={"Location": "/subreddits/search?q=news"})
    with (
        serving(NEW, COMMENTS, answer) as server,
        pytest.raises(SourceError, match=rf"r/news\+pics .*HTTP {status}"),
    ):
        read_until(source(server), {}, lambda _: False)


def test_keys_that_are_refused_are_named(source: Any) -> None:
    with serving(NEW, COMMENTS) as server, pytest.raises(SourceError) as raised:
        read_until(source(server, "another-secret"), {}, lambda _: False)
    assert ID in str(raised.value) and SECRET in str(raised.value)
    assert "another-secret" not in str(raised.value)


def test_a_login_that_fails_for_now_is_tried_again(source: Any) -> None:
    with serving(NEW, COMMENTS) as server:
        server.logins.extend([Answer(503), Answer(body=b"<html>"), Answer(429)])
        assert seen(read_until(source(server), {}, until_posts(POST_IDS))) == POST_IDS


def test_a_token_that_has_expired_is_fetched_anew(source: Any) -> None:
    expired = Answer(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    with serving(NEW, COMMENTS, expired) as server:
        assert seen(read_until(source(server), {}, until_posts(POST_IDS))) == POST_IDS


def test_no_token_is_logged(source: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"), serving(NEW, COMMENTS, Answer(503)) as server:
        read_until(source(server), {}, until_posts(POST_IDS))
    assert TOKEN not in caplog.text


def test_a_planted_praw_ini_changes_nothing(
    source: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "praw.ini").write_text(
        "[DEFAULT]\noauth_url=http://127.0.0.1:9\nreddit_url=http://127.0.0.1:9\n"
        "username=u\npassword=p\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("praw.config.Config.CONFIG", None)
    with serving(NEW, COMMENTS) as server, pytest.warns(UserWarning, match="overrides"):
        assert seen(read_until(source(server), {}, until_posts(POST_IDS))) == POST_IDS


def test_what_comes_later_comes_once_and_in_order(source: Any) -> None:
    with serving(NEW[:2], COMMENTS[:1]) as server:

        def enough(found: list[Batch]) -> bool:
            if len(seen(found)) == 3:
                server.new[:] = NEW
                server.comments[:] = COMMENTS
            return len(server.asked) >= 10 and len(seen(found)) == 8

        found = read_until(source(server), {}, enough)
    assert sorted(posts_of(payloads(found))) == sorted(POST_IDS)
    assert {"/r/news+pics/new?limit=100&raw_json=1"} <= set(server.asked)
    assert all(agent.startswith("python:mltox-tests:1") for agent in server.agents)


def pages(things: list[dict[str, Any]]) -> Callable[[str | None], Any]:
    """The pages of a listing that holds these, the oldest first."""

    def page(after: str | None) -> Any:
        query = {"limit": ["100"]} | ({"after": [after]} if after else {})
        data = reddit_server.Reddit([], things).page("comments", query)["data"]
        return data["children"], data["after"]

    return page


class TestListing:
    def poll(self, listing: Listing, things: list[dict[str, Any]]) -> list[Batch]:
        return list(listing.poll(pages(things)))

    def test_the_first_look_takes_all_that_is_shown(self) -> None:
        things = [comment(number) for number in range(1_200)]
        batches = self.poll(Listing("comments", {}), things)
        ids = posts_of(json.dumps(thing).encode() for thing in things)
        assert posts_of(payloads(batches)) == ids[200:]

    def test_later_looks_go_back_to_the_cursor(self, caplog: pytest.LogCaptureFixture) -> None:
        things = [comment(number) for number in range(600)]
        asked: list[str | None] = []

        def page(after: str | None) -> Any:
            asked.append(after)
            return pages(things)(after)

        listing = Listing("comments", {"comments": things[349]["data"]["name"]})
        batches = list(listing.poll(page))
        assert len(asked) == 3
        ids = posts_of(json.dumps(thing).encode() for thing in things)
        assert posts_of(payloads(batches)) == ids[300:]
        assert batches[-1].cursor == {"comments": things[-1]["data"]["name"]}
        assert not caplog.records

    def test_a_cursor_that_was_deleted_is_found_all_the_same(self) -> None:
        things = [comment(number) for number in range(300) if number != 150]
        listing = Listing("comments", {"comments": comment(150)["data"]["name"]})
        ids = posts_of(json.dumps(thing).encode() for thing in things)
        assert posts_of(payloads(self.poll(listing, things))) == ids[-200:]

    def test_a_gap_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        things = [comment(number) for number in range(1_200)]
        self.poll(Listing("comments", {"comments": comment(0)["data"]["name"]}), things)
        assert "more than 1000 comments are new; the oldest are lost" in caplog.text

    def test_killed_between_two_batches_nothing_is_lost(self) -> None:
        things = [comment(number) for number in range(500)]
        ids = posts_of(json.dumps(thing).encode() for thing in things)
        batches = self.poll(Listing("comments", {}), things)
        for kept in range(len(batches)):
            cursor: Cursor = (batches[kept - 1].cursor or {}) if kept else {}
            again = self.poll(Listing("comments", cursor), things)
            assert set(ids) <= {*posts_of(payloads(batches[:kept] + again))}

    def test_one_that_shows_up_late_is_new(self) -> None:
        listing = Listing("comments", {})
        self.poll(listing, [comment(1), comment(3)])
        [batch] = self.poll(listing, [comment(1), comment(2), comment(3)])
        assert batch.cursor is None
        assert len(batch.payloads) == 1

    def test_an_edit_is_the_post_again(self) -> None:
        listing = Listing("comments", {})
        [first] = self.poll(listing, [comment(1)])
        [edited] = self.poll(listing, [comment(1, "edited", edited=1.0)])
        assert posts_of(first.payloads) == posts_of(edited.payloads)
        assert self.poll(listing, [comment(1, "edited", edited=1.0)]) == []

    @pytest.mark.parametrize(
        ("thing", "gone"),
        [
            (submission(1), submission(1, "[deleted]", author="[deleted]")),
            (submission(1), submission(1, "[removed]", removed_by_category="moderator")),
            (comment(1), comment(1, "[deleted]", author="[deleted]")),
            (comment(1), comment(1, "[removed]")),
        ],
    )
    def test_what_is_gone_is_a_deletion(self, thing: Any, gone: Any) -> None:
        listing = Listing("any", {})
        [before] = self.poll(listing, [thing])
        [after] = self.poll(listing, [gone])
        [deletion] = rejects([after])
        assert deletion.error_type == DELETION
        assert [deletion.post_id] == posts_of(before.payloads)
        assert self.poll(listing, [gone]) == []

    def test_a_submission_without_a_text_is_not_gone(self) -> None:
        assert b"deleted" not in thing_of(submission(1)).payload

    def test_what_is_no_thing_is_passed_on_once(self) -> None:
        listing = Listing("any", {})
        broken: list[Any] = [None, 3, {"kind": "t1", "data": None}, comment(2, "\ud800")]
        page = partial(lambda after: (broken, None))
        found = list(listing.poll(page))
        assert len(payloads(found)) == 4
        assert len(rejects(found)) == 4
        assert list(listing.poll(page)) == []

    def test_nothing_is_taken_for_read_if_a_page_fails(self) -> None:
        listing = Listing("comments", {})
        things = [comment(number) for number in range(150)]

        def fails(after: str | None) -> Any:
            if after is not None:
                raise ConnectionError
            return pages(things)(after)

        with pytest.raises(ConnectionError):
            list(listing.poll(fails))
        assert len(payloads(self.poll(listing, things))) == 150


@pytest.mark.parametrize(
    ("fullname", "expected"),
    [
        ("t1_z", 35),
        ("t3_10", 36),
        ("t5_10", 0),
        ("", 0),
        ("t1_", 0),
        ("t1_é", 0),
        ("t1_" + "z" * 14, 0),
    ],
)
def test_numbers(fullname: str, expected: int) -> None:
    assert number(fullname) == expected


def test_options() -> None:
    assert subreddit_names("news, r/pics") == ("news", "pics")
    for bad in ("", "a b", "news/../me", "news+me"):
        with pytest.raises(argparse.ArgumentTypeError):
            subreddit_names(bad)
    assert seconds("5") == 5
    for bad in ("1", "nan"):
        with pytest.raises(argparse.ArgumentTypeError):
            seconds(bad)


def test_a_scheduled_run_looks_once_and_ends(at: Any) -> None:
    with serving(NEW, COMMENTS) as server:
        at(server)
        client = open_client(CLIENT_ID, CLIENT_SECRET, "python:mltox-tests:1")
        found = list(Reddit(client, ["news"], every=3600, once=True).read({}, threading.Event()))
    assert sorted(seen(found)) == sorted(POST_IDS)
