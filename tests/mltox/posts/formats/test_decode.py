"""What holds for every message, whatever its shape."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import SCHEMA, Envelope, Reject, encode
from mltox.posts.formats import decode
from mltox.posts.formats.own import notice

NOW = 1_767_225_600_000_000
SECRET = AuthorKeys(b"a secret of the tests")

RAW_AUTHORS = ("9000000001", "raw_author", "did:plc:rawauthor", "Raw Author")

STATUS: dict[str, Any] = {
    "created_at": "Mon Jun 02 10:00:00 +0000 2025",
    "id": 1929480000000000000,
    "id_str": "1929480000000000000",
    "text": "good morning",
    "user": {
        "id": 9000000001,
        "id_str": "9000000001",
        "screen_name": "raw_author",
        "name": "Raw Author",
    },
    "entities": {"user_mentions": [{"screen_name": "raw_author", "id_str": "9000000001"}]},
    "lang": "en",
}
TWEET: dict[str, Any] = {
    "id": "1929480000000000001",
    "text": "a &amp; b",
    "author_id": "9000000001",
    "created_at": "2025-06-02T10:00:00.000Z",
    "lang": "en",
    "referenced_tweets": [{"type": "retweeted", "id": "1929470000000000000"}],
}
SHAPES: list[Any] = [
    TWEET,
    {"data": [TWEET], "includes": {"tweets": [{"id": "1929470000000000000", "text": "whole"}]}},
    {"data": TWEET, "includes": {"users": [{"id": "9000000001", "username": "raw_author"}]}},
    STATUS,
    {**STATUS, "retweeted_status": STATUS, "extended_tweet": {"full_text": "long"}},
    {"statuses": [STATUS, STATUS]},
    {"delete": {"status": {"id_str": "1", "user_id_str": "9000000001"}}},
    {
        "did": "did:plc:rawauthor",
        "time_us": 1,
        "kind": "commit",
        "commit": {
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": "r",
            "record": {"text": "t", "createdAt": "2025-06-02T10:00:00Z", "langs": ["en"]},
        },
    },
    {
        "$type": "message",
        "payload": {
            "$type": "network.bsky.jetstream.subscribeEvents#commit",
            "did": "did:plc:rawauthor",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": "r",
            "record": {"text": "t", "createdAt": "2025-06-02T10:00:00Z"},
        },
    },
    {
        "id": "1",
        "created_at": "2025-06-02T10:00:00Z",
        "content": "<p>hi</p>",
        "uri": "https://social.example/users/raw_author/statuses/1",
        "account": {"acct": "raw_author", "url": "https://social.example/@raw_author"},
        "reblog": None,
    },
    {"event": "update", "payload": '{"id": "1", "content": "<p>x", "account": {}}'},
    {
        "kind": "Listing",
        "data": {
            "children": [
                {
                    "kind": "t1",
                    "data": {
                        "id": "c1",
                        "author": "raw_author",
                        "body": "b",
                        "created_utc": 1748858400.0,
                        "replies": {"kind": "Listing", "data": {"children": []}},
                    },
                },
                {"kind": "more", "data": {"count": 3}},
            ]
        },
    },
    {"id": "s1", "author": "raw_author", "title": "t", "created_utc": 1748858400},
    {
        "id": "p1",
        "text": "plain",
        "created_at": "2025-06-02",
        "author": "raw_author",
        "topics": ["a", "b"],
    },
    {
        "schema": 1,
        "post_id": "x:1",
        "source": "x",
        "text": "t",
        "created_at": 1_748_858_400_000_000,
        "lang": None,
        "author_key": None,
        "topics": [],
    },
]


def check(items: list[Envelope | Reject]) -> None:
    """What every item of every message promises."""
    assert items
    for item in items:
        if isinstance(item, Reject):
            assert item.error_type and item.message
            assert len(item.payload) <= 10_000
            assert len(item.message) <= 1_000
            orjson.dumps(tuple(item))  # valid Unicode throughout, or this raises
            assert "\0" not in item.payload + item.message
            continue
        assert item.text.strip()
        assert "\0" not in item.text + item.post_id + item.source
        assert item.post_id.startswith(item.source + ":")
        assert 946_684_800_000_000 <= item.created_at <= NOW + 86_400_000_000
        assert item.author_key is None or len(item.author_key) == 32
        assert list(decode(encode(item), authors=SECRET, now=NOW)) == [item]


def run(payload: bytes) -> list[Envelope | Reject]:
    return list(decode(payload, authors=SECRET, now=NOW))


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes(payload: bytes) -> None:
    check(run(payload))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                sorted({key for shape in SHAPES for key in shape} | {"id", "body", "url"})
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(json_values)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_any_json(value: Any) -> None:
    check(run(json.dumps(value).encode()))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    places = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            places += _places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            places += _places(inner, (*path, index))
    return places


def _changed(shape: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    result = copy.deepcopy(shape)
    holder = result
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return result


@given(st.data())
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
def test_real_shapes_with_one_thing_changed(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from(SHAPES))
    path = data.draw(st.sampled_from(_places(shape)))
    if data.draw(st.booleans()):
        changed = _changed(shape, path, lambda holder, key: holder.pop(key))
    else:
        new = data.draw(json_values)

        def put(holder: Any, key: Any) -> None:
            holder[key] = new

        changed = _changed(shape, path, put)
    check(run(json.dumps(changed).encode()))


@given(st.sampled_from(SHAPES), st.integers(0, 2**32))
@settings(max_examples=300)
def test_real_shapes_with_bytes_changed(shape: Any, seed: int) -> None:
    payload = bytearray(orjson.dumps(shape))
    rng = random.Random(seed)
    for _ in range(rng.randint(1, 4)):
        payload[rng.randrange(len(payload))] = rng.randrange(256)
    check(run(bytes(payload[: rng.randint(1, len(payload))])))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_reject_never_holds_the_author(shape: Any) -> None:
    """Each field of each shape is broken in turn; whatever is rejected names nobody."""
    for path in _places(shape):

        def put(holder: Any, key: Any) -> None:
            holder[key] = ["broken"]

        for item in run(orjson.dumps(_changed(shape, path, put))):
            if isinstance(item, Reject):
                for raw in RAW_AUTHORS:
                    assert raw not in item.payload + item.message + (item.post_id or "")


@pytest.mark.parametrize(
    "cut_off",
    [
        {
            "user": {
                "entities": {"url": {"urls": [{}]}},
                "id_str": "9000000001",
                "name": "Raw Author",
            }
        },
        {"user_mentions": [{"indices": [1, 2], "name": "Raw Author"}, {"id": 9000000001}]},
        {"user": {"bio": 'a "quote\\" and } ] "', "name": "Raw Author"}, "id": 5},
        {"author_id": 9000000001},
        {"author": "raw_author"},
        {"uri": "https://social.example/users/raw_author/statuses/1"},
        {"uri": "at://did:plc:rawauthor/app.bsky.feed.post/1"},
    ],
)
def test_messages_that_cannot_be_parsed_name_no_author(cut_off: Any, reject: Any) -> None:
    for indent in (None, 1):
        payload = reject(json.dumps(cut_off, indent=indent)[:-1].encode()).payload
        for raw in RAW_AUTHORS:
            assert raw not in payload


def test_json_within_a_string_names_no_author(reject: Any) -> None:
    inner = json.dumps({"statuses": [STATUS]})
    for body in (inner, inner[:-1]):
        payload = reject({"recorded": {"body": body}}).payload
        for raw in RAW_AUTHORS:
            assert raw not in payload


@pytest.mark.parametrize("shape", SHAPES)
def test_a_message_cut_off_names_no_author_either(shape: Any) -> None:
    payload = orjson.dumps(shape)
    for length in range(1, len(payload)):
        (item,) = run(payload[:length])
        assert isinstance(item, Reject)
        for raw in RAW_AUTHORS[:2]:
            # the last, cut value may be any part of the name, but the whole name never shows
            assert f'"{raw}"' not in item.payload


@pytest.mark.parametrize(
    ("payload", "error_type"),
    [
        (b"", "malformed_json"),
        (b"   \n", "malformed_json"),
        (b"\xef\xbb\xbf", "malformed_json"),
        (b'{"id": 1', "malformed_json"),
        (b'{"id": NaN}', "malformed_json"),
        (b"\x00\x01", "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "malformed_json"),
        (b'{"text": "\xff"}', "bad_encoding"),
        ('{"text": "x"}'.encode("utf-16"), "bad_encoding"),
        (b"42", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"[]", "not_an_object"),
        (b"{}", "unknown_shape"),
        (b'{"ok": true}', "unknown_shape"),
        (b'{"http_interactions": []}', "unknown_shape"),
    ],
)
def test_messages_of_no_shape(payload: bytes, error_type: str, reject: Any) -> None:
    assert reject(payload).error_type == error_type


@pytest.mark.parametrize(
    ("change", "error_type"),
    [
        ({"id": None}, "missing_id"),
        ({"id": ""}, "missing_id"),
        ({"id": 1.5}, "wrong_type"),
        ({"id": True}, "wrong_type"),
        ({"id": "i" * 201}, "bad_id"),
        ({"id": "a\0b"}, "nul_character"),
        ({"text": None}, "missing_text"),
        ({"text": 5}, "wrong_type"),
        ({"text": {}}, "wrong_type"),
        ({"text": ""}, "empty_text"),
        ({"text": " \n\t\u3000"}, "empty_text"),
        ({"text": "\u200b\ufeff"}, "empty_text"),
        ({"text": "a\0b"}, "nul_character"),
        ({"text": "é\0b"}, "nul_character"),
        ({"text": "x" * 100_001}, "text_too_large"),
        ({"text": "é" * 50_001}, "text_too_large"),
        ({"text": "x" * 1_000_000}, "text_too_large"),
        ({"created_at": None}, "missing_created_at"),
        ({"created_at": ""}, "missing_created_at"),
        ({"created_at": "noon"}, "bad_created_at"),
        ({"created_at": []}, "wrong_type"),
        ({"created_at": True}, "wrong_type"),
        ({"created_at": 0}, "created_at_out_of_range"),
        ({"created_at": "1970-01-01T00:00:00Z"}, "created_at_out_of_range"),
        ({"created_at": "1999-12-31T23:59:59Z"}, "created_at_out_of_range"),
        ({"created_at": "2026-01-02T00:00:01Z"}, "created_at_out_of_range"),
        ({"created_at": 10**300}, "created_at_out_of_range"),
        ({"author": {"name": "x"}}, "wrong_type"),
        ({"topic": 5}, "wrong_type"),
        ({"topics": ["a", 5]}, "wrong_type"),
        ({"topic": "t" * 201}, "bad_topic"),
        ({"topic": "a\0"}, "nul_character"),
        ({"topics": [str(n) for n in range(51)]}, "bad_topic"),
        ({"source": 5}, "wrong_type"),
    ],
)
def test_one_bad_field(change: dict[str, Any], error_type: str, reject: Any) -> None:
    row = {"id": "1", "text": "hello", "created_at": "2025-06-02T10:00:00Z"} | change
    assert reject(json.dumps(row).encode()).error_type == error_type


@pytest.mark.parametrize(
    "change",
    [
        {"text": "x" * 100_000},
        {"text": "é" * 50_000},
        {"created_at": "2000-01-01T00:00:00Z"},
        {"created_at": "2026-01-01T00:10:00Z"},
        {"lang": 5},
        {"author": 5},
        {"author": ""},
        {"topic": ""},
        {"topics": [str(n % 50) for n in range(500)]},
        {"more": "\0 in a field that is not kept"},
    ],
)
def test_at_the_bound_of_what_is_good(change: dict[str, Any], post: Any) -> None:
    post({"id": "1", "text": "hello", "created_at": "2025-06-02T10:00:00Z"} | change)


@pytest.mark.parametrize("stamp", ["2026-01-01T00:10:01Z", "2026-01-01T20:00:00Z"])
def test_a_post_of_the_future_waits_whole_until_its_time(
    stamp: str, reject: Any, authors: Any
) -> None:
    row = {"id": "1", "text": "hello", "created_at": stamp, "author": "someone"}
    letter = reject(row)
    assert (letter.error_type, letter.post_id) == ("created_at_in_future", "file:1")
    later = 1_767_225_600_000_000 + 86_400_000_000
    (post,) = decode(letter.payload.encode(), authors=authors, now=later)
    assert isinstance(post, Envelope)
    assert (post.text, post.author_key) == ("hello", authors.key("file", "someone"))


def test_half_a_surrogate_pair_matters_only_where_it_would_be_stored(
    post: Any, reject: Any
) -> None:
    good = b'{"id": "1", "text": "ok", "created_at": "2025-06-02", "bio": "\\ud83d"}'
    assert post(good).text == "ok"
    bad = reject(good.replace(b'"ok"', b'"ok \\ud83d"'))
    assert bad.error_type == "lone_surrogate"
    assert bad.post_id == "file:1"
    assert "ok \ufffd" in bad.payload or "ok ?" in bad.payload
    assert post(good.replace(b'"ok"', b'"\\ud83d\\ude00"')).text == "😀"


def test_a_reject_of_a_known_post_names_it(reject: Any) -> None:
    bad = reject({"id": "7", "text": "", "created_at": "2025-06-02", "source": "x"})
    assert bad.post_id == "x:7"


def test_an_array_is_all_its_posts_in_order(decoded: Callable[[object], Any]) -> None:
    rows = [{"id": str(n), "text": "t", "created_at": "2025-06-02"} for n in range(5)]
    items = decoded([rows[0], [rows[1], 3, rows[2]], [], *rows[3:]])
    assert [getattr(item, "post_id", None) for item in items] == [
        "file:0",
        "file:1",
        None,
        "file:2",
        None,
        "file:3",
        "file:4",
    ]


storable_text = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=50
)


@given(
    st.builds(
        Envelope,
        post_id=storable_text.map(lambda text: "x:" + text),
        source=st.just("x"),
        text=storable_text.map(lambda text: "t" + text),
        created_at=st.integers(946_684_800_000_000, NOW),
        lang=st.none() | st.sampled_from(["en", "de"]),
        author_key=st.none() | st.just("0123456789abcdef" * 2),
        topics=st.lists(st.sampled_from(["a", "b", "c"]), unique=True).map(tuple),
    )
)
def test_an_envelope_comes_back_as_it_was(envelope: Envelope) -> None:
    payload = encode(envelope)
    assert orjson.loads(payload)["schema"] == SCHEMA
    assert run(payload) == [envelope]


@pytest.mark.parametrize(
    ("change", "error_type"),
    [
        ({"schema": 2}, "unsupported_schema"),
        ({"post_id": 5}, "wrong_type"),
        ({"post_id": ""}, "wrong_type"),
        ({"post_id": "file:1"}, "bad_id"),
        ({"source": None}, "wrong_type"),
        ({"author_key": "raw_author"}, "wrong_type"),
        ({"text": ""}, "empty_text"),
        ({"created_at": 0}, "created_at_out_of_range"),
        ({"topics": "a"}, None),
    ],
)
def test_an_envelope_is_checked_like_any_message(
    change: dict[str, Any], error_type: str | None, decoded: Any
) -> None:
    (item,) = decoded(SHAPES[-1] | change)
    assert getattr(item, "error_type", None) == error_type
    assert "raw_author" not in str(item)


def test_a_notice_is_the_reject_it_says(reject: Any) -> None:
    item = reject(notice("truncated_input", "the file ends", '{"author": "raw_author", "text'))
    assert (item.error_type, item.message) == ("truncated_input", "the file ends")
    assert "raw_author" not in item.payload and '"text' in item.payload


@pytest.mark.parametrize(
    "payload",
    [
        b'"author": {' * 20_000,
        b'{"author":"' + b"\\" * 60_000,
        b'{"user":{"a":{' * 9_000,
        b'{"id":"1","content":"' + b"<a " * 300_000 + b'","account":{},"created_at":1}',
        b'{"id":"1","content":"' + b"&" * 300_000 + b'","account":{},"created_at":1}',
        b'{"did":"' + b"did:a:" * 50_000,
        b'{"id":"' + b"https://a/@" * 30_000 + b'","text":1}',
        b'{"created_at":"' + b"9" * 500_000 + b'","text":"t","id":"1"}',
        b'{"id":' + b"9" * 4_000 + b',"text":"t","created_at":' + b"9" * 4_000 + b"}",
        b'{"id":' + b"9" * 500_000 + b"}",
        b"[" + b"1," * 5_000 + b"1]",
    ],
)
def test_hostile_messages_take_no_long_time(payload: bytes) -> None:
    began = time.process_time()
    check(run(payload))
    assert time.process_time() - began < 2.0
