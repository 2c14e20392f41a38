from __future__ import annotations

from typing import Any

import pytest

from mltox.posts.envelope import Envelope
from mltox.posts.formats.x_v2 import snowflake_millis

TWEET = {
    "id": "1929480000000000001",
    "text": "fish &amp; chips &gt; soup &amp;amp; &quot;",
    "author_id": "77",
    "created_at": "2025-06-02T10:00:00.500Z",
    "lang": "en",
}
JUNE: int = 1_748_858_400_000_000  # 2025-06-02T10:00:00Z


def test_a_tweet(post: Any, authors: Any) -> None:
    assert post(TWEET) == Envelope(
        post_id="x:1929480000000000001",
        source="x",
        # X escapes three characters and no others, once
        text='fish & chips > soup &amp; &quot;',
        created_at=JUNE + 500_000,
        lang="en",
        author_key=authors.key("x", "77"),
        topics=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("und", None), ("qme", None), ("zxx", None), ("in", "id"), ("pt-BR", "pt"), ("EN", "en")],
)
def test_languages(lang: str, expected: str | None, post: Any) -> None:
    assert post(TWEET | {"lang": lang}).lang == expected


def test_the_same_author_in_both_versions_of_the_interface(post: Any) -> None:
    old = {"id_str": "1", "text": "t", "created_at": "2025-06-02", "user": {"id": 77}}
    assert post(old).author_key == post(TWEET).author_key


def test_a_tweet_without_its_time_has_the_one_in_its_id(post: Any) -> None:
    # X documents this id as of 2018-10-10T20:19:24Z.
    assert snowflake_millis("1050118621198921728") == 1_539_202_764_211
    bare = {"id": "1050118621198921728", "text": "t", "edit_history_tweet_ids": []}
    assert post(bare).created_at == 1_539_202_764_211_000


@pytest.mark.parametrize("native_id", [None, True, "", "12", 20, "9" * 30, 2**63, "१२३", 1.5])
def test_ids_that_hold_no_time(native_id: Any) -> None:
    assert snowflake_millis(native_id) is None


def test_an_old_id_without_a_time_is_rejected(reject: Any) -> None:
    bare = {"id": "20", "text": "t", "edit_history_tweet_ids": ["20"]}
    assert reject(bare).error_type == "missing_created_at"


def test_long_posts_have_their_whole_text(post: Any) -> None:
    long_post = TWEET | {"text": "begin…", "note_tweet": {"text": "begin and end"}}
    assert post(long_post).text == "begin and end"


RETWEET = {
    **TWEET,
    "text": "RT @someone: the begin…",
    "referenced_tweets": [{"type": "quoted", "id": "5"}, {"type": "retweeted", "id": "6"}],
}


def test_a_retweet_on_a_page_has_the_text_of_its_original(decoded: Any) -> None:
    page = {
        "data": [RETWEET, TWEET],
        "includes": {"tweets": [{"id": "5", "text": "quoted"}, {"id": "6", "text": "the whole"}]},
        "meta": {"result_count": 2},
    }
    first, second = decoded(page)
    assert (first.text, first.post_id) == ("the whole", "x:1929480000000000001")
    assert second.text.startswith("fish")


def test_a_retweet_whose_original_is_long(post: Any) -> None:
    original = {"id": "6", "text": "the wh…", "note_tweet": {"text": "the whole"}}
    assert post({"data": RETWEET, "includes": {"tweets": [original]}}).text == "the whole"


def test_a_retweet_flattened_by_twarc(post: Any) -> None:
    reference = {"type": "retweeted", "id": "6", "text": "the whole"}
    assert post(RETWEET | {"referenced_tweets": [reference]}).text == "the whole"


def test_a_retweet_without_its_original_is_as_it_came(post: Any) -> None:
    assert post(RETWEET).text == "RT @someone: the begin…"


@pytest.mark.parametrize(
    "message",
    [
        {"data": [{"id": "1", "name": "N", "username": "n"}]},
        {"data": {"id": "1", "name": "N", "username": "n"}},
        {"data": [{"start": "s", "end": "e", "tweet_count": 3}]},
        {"data": []},
        {"meta": {"result_count": 0}},
        {"errors": [{"title": "Not Found Error"}]},
        {"limit": {"track": 5}},
        {"disconnect": {"code": 4}},
        {"statuses": [], "search_metadata": {}},
    ],
)
def test_answers_without_posts(message: Any, reject: Any) -> None:
    assert reject(message).error_type == "not_a_post"


def test_a_deletion_names_the_post(reject: Any) -> None:
    item = reject({"delete": {"status": {"id": 5, "id_str": "5", "user_id_str": "77"}}})
    assert (item.error_type, item.post_id) == ("deletion", "x:5")


STATUS = {
    "id": 1929480000000000000,
    "id_str": "1929480000000000001",
    "created_at": "Mon Jun 02 10:00:00 +0000 2025",
    "text": "cut o…",
    "user": {"id": 77, "id_str": "77", "screen_name": "someone"},
    "lang": "und",
}


def test_a_status(post: Any, authors: Any) -> None:
    status = post(STATUS | {"extended_tweet": {"full_text": "cut off &lt;3"}})
    assert status == Envelope(
        post_id="x:1929480000000000001",  # the string: the number was rounded
        source="x",
        text="cut off <3",
        created_at=JUNE,
        lang=None,
        author_key=authors.key("x", "77"),
        topics=(),
    )


def test_a_retweeted_status(post: Any) -> None:
    original = STATUS | {"id_str": "3", "full_text": "the whole original"}
    assert post(STATUS | {"retweeted_status": original}).text == "the whole original"


def test_a_quoting_status_has_its_own_text(post: Any) -> None:
    assert post(STATUS | {"quoted_status": STATUS | {"text": "theirs"}}).text == "cut o…"


def test_search_results(decoded: Any) -> None:
    assert len(decoded({"statuses": [STATUS, STATUS | {"id_str": "4"}]})) == 2
