from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.sources.mastodon.api import MASTODON_TOKEN
from ingest.sources.mastodon.api import Instance as Client
from ingest.sources.mastodon.feeds import Addresses, Feed, event_of, feeds, later, rewound
from ingest.sources.mastodon.source import MastodonTimelines
from ingest.sources.retries import Backoff
from ingest.sources.source import Batch, SourceError
from ingest.sources.websocket import Liveness
from mltox.posts.envelope import DELETION, Reject
from mltox.posts.formats import decode
from mltox.posts.topics import Topic
from tests.ingest.mastodon_server import (
    FIRST,
    Instance,
    Refuse,
    cut_after,
    delete,
    end_after,
    frames,
    serving,
    status,
    update,
)
from tests.ingest.sources.contract import (
    AUTHORS,
    Case,
    SourceContract,
    posts_of,
    read_until,
    reading,
)

STATUSES = [status(number) for number in range(6)]
POST_IDS = posts_of(json.dumps(each).encode() for each in STATUSES)
PUBLIC = {"public": STATUSES}
SECRET = "the-secret-of-an-account"
ELECTION = Topic("vote", hashtags=("#Vote", "Wahl"))


def source(
    instance: Instance,
    timeline: str = "public",
    topics: Callable[[], list[Topic]] = list,
    token: str | None = None,
    liveness: Liveness = Liveness(),  # noqa: B008
) -> MastodonTimelines:
    return MastodonTimelines(
        Client(instance.address, token),
        lambda: feeds(timeline, topics()),
        backoff=Backoff(first=0.01, longest=0.02),
        liveness=liveness,
    )


def payloads(batches: list[Batch]) -> list[bytes]:
    return [payload for batch in batches for payload in batch.payloads]


def until_posts(wanted: list[str]) -> Callable[[list[Batch]], bool]:
    return lambda found: set(wanted) <= set(posts_of(payloads(found)))


def seen(found: list[Batch]) -> list[str]:
    return list(dict.fromkeys(posts_of(payloads(found))))


def rejects(found: list[Batch]) -> list[Reject]:
    now = time.time_ns() // 1000
    items = (item for each in payloads(found) for item in decode(each, authors=AUTHORS, now=now))
    return [item for item in items if isinstance(item, Reject)]


def last_read(number: int, feed: str = "public") -> Mapping[str, str]:
    return {feed: status(number)["id"]}


class TestMastodon(SourceContract):
    @pytest.fixture
    def case(self) -> Iterator[Case]:
        with serving(PUBLIC, token=SECRET) as instance:
            yield Case(
                "mastodon",
                ["--instance", instance.address],
                POST_IDS,
                ends=False,
                secrets={MASTODON_TOKEN: SECRET},
            )


@pytest.mark.parametrize("act", [end_after, cut_after], ids=["closed", "cut in a message"])
def test_what_was_written_while_there_was_no_stream_is_fetched(act: Any) -> None:
    quiet = frames()
    with serving(PUBLIC, act(update(STATUSES[0])), quiet) as instance:
        found = read_until(source(instance), {}, until_posts(POST_IDS))
    assert seen(found) == POST_IDS
    assert [batch.cursor for batch in found if batch.cursor][-1] == last_read(5)


def test_what_is_written_while_the_connection_is_made_is_not_lost() -> None:
    with serving({"public": STATUSES[:4]}, frames()) as instance:
        instance.late += STATUSES[4:]
        found = read_until(source(instance), last_read(3), until_posts(POST_IDS[4:]))
    assert seen(found) == POST_IDS[3:]


def test_a_gap_of_many_pages_is_closed_in_order() -> None:
    many = [status(number) for number in range(130)]
    wanted = posts_of(json.dumps(each).encode() for each in many)
    with serving({"public": many}, frames()) as instance:
        found = read_until(source(instance), last_read(9), until_posts(wanted[10:]))
    # Two minutes earlier than the last one: that one comes again.
    assert seen(found) == wanted[9:]
    cursors = [batch.cursor["public"] for batch in found if batch.cursor]
    assert cursors == sorted(set(cursors))


def test_at_the_very_first_nothing_old_is_fetched() -> None:
    with serving(PUBLIC, frames(update(STATUSES[5]))) as instance:
        found = read_until(source(instance), {}, until_posts(POST_IDS[5:]))
    assert seen(found) == POST_IDS[5:]
    assert instance.asked == []


@pytest.mark.parametrize("refusal", [Refuse(503), Refuse(500), Refuse(429)])
def test_a_timeline_that_is_refused_for_now_is_asked_again(refusal: Refuse) -> None:
    with serving(PUBLIC, frames()) as instance:
        instance.refusals.append(refusal)
        found = read_until(source(instance), last_read(0), until_posts(POST_IDS))
    assert seen(found) == POST_IDS


def test_a_rate_limit_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    reset = datetime.now(UTC) + timedelta(seconds=500)
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset.isoformat()}
    with serving(PUBLIC) as instance:
        instance.refusals.append(Refuse(429, limit))
        read_until(source(instance), last_read(0), lambda _: "next try" in caplog.text)
    assert re.search(r"asks for a rest \(HTTP 429\); next try in [45]\d\d\.\d s", caplog.text)
    assert len(instance.asked) == 1


@pytest.mark.parametrize("door", [Refuse(503), Refuse(429, {"Retry-After": "0"})])
def test_a_stream_that_is_refused_for_now_is_asked_again(door: Refuse) -> None:
    with serving(PUBLIC) as instance:
        instance.doors.append(door)
        assert seen(read_until(source(instance), {}, until_posts(POST_IDS))) == POST_IDS


@pytest.mark.parametrize(
    ("token", "cursor"),
    [(None, {}), ("wrong", {}), (None, last_read(0)), ("wrong", last_read(0))],
    ids=["no key, stream", "wrong key, stream", "no key, timeline", "wrong key, timeline"],
)
def test_a_key_that_is_wanted_is_named(token: str | None, cursor: Mapping[str, str]) -> None:
    with (
        serving(PUBLIC, token=SECRET) as instance,
        pytest.raises(SourceError, match=f"{MASTODON_TOKEN}") as raised,
    ):
        read_until(source(instance, token=token), cursor, lambda _: False)
    assert "wrong" not in str(raised.value) or token
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_subscription_that_is_not_allowed_ends_it(status: int) -> None:
    refused = frames({"error": "This action is not allowed", "status": status})
    with serving(PUBLIC, refused) as instance, pytest.raises(SourceError, match=MASTODON_TOKEN):
        read_until(source(instance), {}, lambda _: False)


def test_what_is_no_mastodon_ends_it() -> None:
    with serving(PUBLIC) as instance, pytest.raises(SourceError, match="HTTP 404"):
        instance.doors.append(Refuse(404))
        read_until(source(instance), {}, lambda _: False)


def test_broken_messages_are_passed_on_and_end_nothing() -> None:
    broken: list[Any] = [b"{", b"[]", {"event": "update", "payload": "{", "stream": ["public"]}]
    act = frames(update(STATUSES[0]), *broken, update(STATUSES[1]))
    with serving(PUBLIC, act) as instance:
        found = read_until(source(instance), {}, until_posts(POST_IDS[:2]))
    assert len(payloads(found)) == 5
    assert len(rejects(found)) == 3


def test_an_edit_is_the_post_again_and_moves_nothing() -> None:
    edited = update(status(0, "and more"), event="status.update")
    act = frames(update(STATUSES[0]), update(STATUSES[1]), edited, update(STATUSES[2]))
    with serving(PUBLIC, act) as instance:
        found = read_until(source(instance), {}, until_posts(POST_IDS[:3]))
    assert posts_of(payloads(found)) == [POST_IDS[0], POST_IDS[1], POST_IDS[0], POST_IDS[2]]


def test_pictures_alone_move_the_cursor() -> None:
    """From a timeline and from the stream."""
    pictures = [status(number) | {"content": ""} for number in (1, 2)]
    with serving({"public": pictures[:1]}, frames(update(pictures[1]))) as instance:
        found = read_until(
            source(instance), last_read(0), lambda found: found[-1].cursor == last_read(2)
        )
    assert payloads(found) == []


def test_deletions_name_the_post_where_it_is_known() -> None:
    """From the stream, from a timeline, and from before this run."""
    act = frames(delete(0), update(STATUSES[5]), delete(5), delete(3))
    with serving(PUBLIC, act) as instance:
        found = read_until(source(instance), last_read(2), lambda found: len(rejects(found)) == 3)
    assert {item.error_type for item in rejects(found)} == {DELETION}
    assert [item.post_id for item in rejects(found)] == [None, POST_IDS[5], POST_IDS[3]]


def test_duplicates_and_late_ones_do_not_move_the_cursor_back() -> None:
    act = frames(*map(update, (STATUSES[1], STATUSES[1], STATUSES[0], STATUSES[2])))
    with serving(PUBLIC, act) as instance:
        found = read_until(source(instance), {}, until_posts(POST_IDS[:3]))
    cursors = [batch.cursor["public"] for batch in found if batch.cursor]
    assert cursors == sorted(cursors) and cursors[-1] == STATUSES[2]["id"]


def test_a_stream_that_has_stalled_is_left() -> None:
    with serving(PUBLIC, frames(update(STATUSES[0])), frames()) as instance:
        found = read_until(
            source(instance, liveness=Liveness(silence=0.3)),
            {},
            lambda _: len(instance.subscribed) == 2,
        )
    assert seen(found) == POST_IDS


def test_a_quiet_stream_is_kept() -> None:
    with (
        serving({"public": STATUSES[:1]}, frames(update(STATUSES[0]))) as instance,
        reading(source(instance, liveness=Liveness(silence=0.2)), {}) as (batches, _),
    ):
        for _ in batches:
            if len(instance.asked) >= 4:  # two looks of two pages
                break
    assert instance.subscribed == ["public"]


class TestHashtags:
    TAGGED: Mapping[str, list[dict[str, Any]]] = {
        "hashtag:vote": STATUSES[:3],
        "hashtag:wahl": STATUSES[3:],
    }

    def test_one_connection_carries_all_of_the_topics(self) -> None:
        with serving(self.TAGGED) as instance:
            found = read_until(
                source(instance, "hashtag", lambda: [ELECTION]), {}, until_posts(POST_IDS)
            )
        assert sorted(instance.subscribed) == ["hashtag:vote", "hashtag:wahl"]
        assert {batch.topics for batch in found if batch.payloads} == {("vote",)}
        cursor = {key: value for batch in found for key, value in (batch.cursor or {}).items()}
        assert cursor == {**last_read(2, "hashtag:vote"), **last_read(5, "hashtag:wahl")}

    def test_each_goes_on_from_its_own_cursor(self) -> None:
        with serving(self.TAGGED, frames(), frames()) as instance:
            cursor = {**last_read(1, "hashtag:vote"), **last_read(4, "hashtag:wahl")}
            found = read_until(
                source(instance, "hashtag", lambda: [ELECTION]),
                cursor,
                until_posts([POST_IDS[2], POST_IDS[5]]),
            )
        assert not {POST_IDS[0], POST_IDS[3]} & set(seen(found))

    def test_other_topics_are_followed_without_a_restart(self) -> None:
        topics = [Topic("vote", hashtags=("vote",))]
        with (
            serving(self.TAGGED) as instance,
            reading(source(instance, "hashtag", lambda: topics), {}) as (batches, _),
        ):
            for _ in batches:
                if instance.subscribed == ["hashtag:vote"]:
                    topics[:] = [Topic("wahl", hashtags=("wahl",))]
                if instance.unsubscribed:
                    break
        assert instance.subscribed == ["hashtag:vote", "hashtag:wahl"]
        assert instance.unsubscribed == ["hashtag:vote"]

    def test_topics_without_hashtags_are_refused(self) -> None:
        from ingest.sources import registry

        class Options:
            instance, timeline = "home.example", "hashtag"

        with pytest.raises(SourceError, match="hashtags"):
            registry.source_module("mastodon").open_source(
                Options(),  # type: ignore[arg-type]
                lambda: [Topic("vote", keywords=("vote",))],
            )


def test_feeds() -> None:
    german = Topic("german", hashtags=("wahl",), languages=("de",))
    assert feeds("public", []) == {"public": Feed("public")}
    assert feeds("local", []) == {"public:local": Feed("public:local")}
    assert feeds("hashtag", [ELECTION, german]) == {
        "hashtag:vote": Feed("hashtag", "vote", ("vote",)),
        "hashtag:wahl": Feed("hashtag", "wahl", ("vote",)),
    }
    assert Feed("hashtag", "a/b?c").timeline == "tag/a%2Fb%3Fc"
    assert Feed("public:local").timeline == "local"


@pytest.mark.parametrize(
    ("one", "other", "latest"),
    [("9", "10", "10"), ("11", "10", "11"), ("", "1", "1"), ("01HB", "01HA", "01HB")],
)
def test_ids_are_compared_by_length_first(one: str, other: str, latest: str) -> None:
    assert later(one, other) == later(other, one) == latest


def test_an_id_is_rewound_if_it_holds_a_time() -> None:
    assert int(rewound(str(FIRST))) == FIRST - (120_000 << 16)
    assert rewound("12345") == "12345"
    assert rewound("9wXyz") == "9wXyz"


def test_what_a_message_is() -> None:
    event = event_of(json.dumps(update(STATUSES[0], "hashtag:Vote")).encode())
    assert (event.kind, event.feed, event.status_id) == ("update", "hashtag:vote", str(FIRST))
    assert event_of(b'{"event": "filters_changed"}').kind == "filters_changed"
    assert event_of(b'{"error": "no", "status": 401}').refusal == 401
    assert event_of(b'{"event": "update", "stream": 3, "payload": "{}"}').feed == ""


def test_only_so_many_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.mastodon.feeds.REMEMBERED_STATUSES", 2)
    addresses = Addresses()
    for each in STATUSES[:3]:
        addresses.keep(each["id"], each)
    assert addresses.deletion(STATUSES[0]["id"], b"raw") == b"raw"
    assert POST_IDS[2].encode() in addresses.deletion(STATUSES[2]["id"], b"raw")
