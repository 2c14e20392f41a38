"""A dead letter names nobody, wherever in a message a name stands."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Reject
from mltox.posts.formats import MOST_LETTERS, decode
from mltox.posts.formats.masked import MAX_PAYLOAD, masked_json, masked_text, without_names
from mltox.posts.formats.own import notice

NOW = 1_767_225_600_000_000
AUTHORS = AuthorKeys(b"a secret of the tests")
NAME = "alice_w"

MESSAGES: list[Any] = [
    {"id": "1", "text": "", "url": f"https://x.com/{NAME}/status/1"},
    {"id": "1", "text": f"see https://x.com/{NAME}/status/1 and @{NAME}", "created_at": 0},
    {"id": "1", "text": f"u/{NAME} said, /u/{NAME} and {NAME}.bsky.social too", "created_at": 0},
    {"id": "1", "text": f"write {NAME}@example.org", "permalink": f"/r/x/comments/1/{NAME}/"},
    {"kind": "t1", "data": {"id": "c1", "body": 5, "subreddit": f"u_{NAME}", "created_utc": 1}},
    {"kind": "t3", "data": {"id": "c1", "title": 5, "url": f"/user/{NAME}", "created_utc": 1}},
    {
        "did": "did:plc:x",
        "time_us": 1,
        "kind": "commit",
        "commit": {
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": NAME,
            "record": {
                "text": 5,
                "embed": {"external": {"title": f"{NAME} on X", "description": NAME}},
                "facets": [{"features": [{"did": f"did:plc:{NAME}"}]}],
            },
        },
    },
    {"did": "did:plc:x", "time_us": 1, "kind": NAME, "handle": NAME},
    {"did": "did:plc:x", "time_us": 1, "kind": "commit", "commit": {"collection": NAME}},
    {"event": NAME, "payload": json.dumps({"account": {"acct": NAME}})},
    {"id": "1", "text": 5, "from_user": NAME, "userName": NAME, "nick": NAME, NAME: 1},
    {"id": "1", "text": 5, "profile": {"id": 55, "text": NAME, "names": [NAME, [NAME]]}},
    {"username": NAME, "id": NAME, "title": NAME},
    {"card": {"author_name": NAME, "title": NAME, "provider_url": f"https://a/@{NAME}"}},
    {
        "id": "1",
        "content": f"<p>hi <a href='https://s/@{NAME}'>@<span>{NAME}</span></a> &#64;{NAME}</p>",
        "account": {"acct": NAME, "display_name": NAME},
    },
    {"id": NAME, "text": "hi", "created_at": NAME, "lang": NAME, "source": "x"},
    {"schema": 2, "post_id": f"x:{NAME}", "source": NAME, "author_key": NAME},
    {"mltox_notice": NAME, "message": f"of @{NAME}", "payload": json.dumps({"author": NAME})},
    {"mltox_notice": f"of {NAME}", "message": f"https://x.com/{NAME}", "payload": NAME},
    [NAME, 1, [NAME]],
    NAME,
    {NAME: {NAME: NAME}},
]


def letters(payload: bytes) -> list[str]:
    """All that is stored of what was refused but the id, which is the message's own."""
    items = decode(payload, authors=AUTHORS, now=NOW)
    return [" ".join((item[0], item[1], item[2])) for item in items if len(item) == 4]


@pytest.mark.parametrize("message", MESSAGES)
def test_no_letter_holds_a_name(message: Any) -> None:
    found = letters(json.dumps(message).encode())
    assert found or message == MESSAGES[0]
    for letter in found:
        assert NAME not in letter
    for indent in (None, 1):
        whole = json.dumps(message, indent=indent)
        for cut in range(1, len(whole)):
            assert NAME not in masked_text(whole[:cut])


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME} says hi",
        f"id,author,text\n1,{NAME},hi",
        f"<html>{NAME}</html>",
        f"author={NAME}&text=x",
        f"{{'author': '{NAME}', 'text': '{NAME}'}}",
        f'"text": "{NAME}"',
        f'   "title": "{NAME} on X",',
        f'{{"text": {NAME}',
        f'{{"user":"{NAME}',
        f'}} {{"text": "{NAME}"',
        f'{{"a": {{"text": "{NAME}',
        f'{{"text", "{NAME}"',
    ],
)
def test_what_is_no_json_shows_its_shape_alone(text: str) -> None:
    assert NAME not in masked_text(text)
    for letter in letters(text.encode()):
        assert NAME not in letter


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(NAME),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("data", "user", "id", "url", "entities", "lang", NAME, "more")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(values)
@settings(max_examples=300)
def test_no_json_that_holds_a_name_shows_it(value: Any) -> None:
    assert NAME not in masked_json(value, AUTHORS)
    assert NAME not in masked_text(json.dumps(value)[:-1])


def test_what_is_known_and_safe_is_kept() -> None:
    kept = {
        "id": "1929480000000000000",
        "text": "good morning everybody",
        "created_at": "Mon Jun 02 10:00:00 +0000 2025",
        "lang": "en-GB",
        "topics": ["votes"],
        "source": "x",
        "truncated": None,
    }
    shown = orjson.loads(masked_json(kept, AUTHORS))
    assert shown == {**{k: kept[k] for k in list(kept)[:-1]}, "[masked] 7": None}


def test_letters_of_one_account_can_be_found_again() -> None:
    first = orjson.loads(masked_json({"author_id": "9"}, AUTHORS))
    again = orjson.loads(masked_json({"user": {"id_str": "9"}}, AUTHORS))
    assert first["author_id"] == again["user"] == AUTHORS.key("dead letter", "9")
    assert masked_json(first, AUTHORS) == orjson.dumps(first).decode()


def test_a_text_keeps_its_words() -> None:
    assert without_names("Good &amp; bad, 3.5 of 10: vote!") == "Good & bad, 3.5 of 10: vote!"
    assert without_names("thank you @bob, see www.a.b/c") == "thank you [masked] see [masked]"


@pytest.mark.parametrize(
    "payload",
    [
        b"[" + b"1," * 300_000 + b"1]",
        b"[" + b'{"text":1},' * 50_000 + b"1]",
        b"[" + b'{"mltox_notice":"a"},' * 50_000 + b"1]",
        b"[" * 900 + b"1," * 100_000 + b"1" + b"]" * 900,
        b'{"data":[' + b'{"text":1},' * 50_000 + b"1]}",
    ],
)
def test_one_message_is_not_thousands_of_letters(payload: bytes) -> None:
    began = time.process_time()
    items = list(decode(payload, authors=AUTHORS, now=NOW))
    assert time.process_time() - began < 5.0
    assert len(items) <= MOST_LETTERS + 2
    assert "more parts of the message hold no usable post" in items[-1][1]


def test_bad_parts_do_not_hide_good_ones() -> None:
    good = {"id": "7", "text": "hello", "created_at": "2025-06-02"}
    items = list(decode(json.dumps([1] * 500 + [good]).encode(), authors=AUTHORS, now=NOW))
    assert [item[0] for item in items if len(item) != 4] == ["file:7"]
    assert items[-1][:2] == (
        "too_many_letters",
        "400 more parts of the message hold no usable post",
    )


@pytest.mark.parametrize("name", ["\ud800", "A" * 5_000, "Some Body", "", "drop table"])
def test_a_strangers_notice_is_a_letter_like_others(name: str) -> None:
    row = json.dumps({"mltox_notice": name, "message": name, "payload": name, "post_id": name})
    (item,) = decode(row.encode(), authors=AUTHORS, now=NOW)
    assert item[0] == "unknown_notice"
    orjson.dumps(tuple(item))
    assert all(len(str(text)) <= MAX_PAYLOAD for text in item)


def test_a_letter_of_a_letter_is_the_same() -> None:
    (item,) = decode(json.dumps(MESSAGES[10]).encode(), authors=AUTHORS, now=NOW)
    assert isinstance(item, Reject)
    (again,) = decode(notice(item[0], item[1], item[2], item[3]), authors=AUTHORS, now=NOW)
    assert again == item


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1] * 10**6},
        [["x"]] * 10**6,
        {"text": "<a" * 500_000},
        {"text": "&" * 10**6},
        {"text": "a." * 10**6},
        {"text": "@a " * 10**6},
        "[" * 10**6,
    ],
)
def test_masking_is_bounded(value: Any) -> None:
    began = time.process_time()
    assert len(masked_json(copy.copy(value), AUTHORS)) <= MAX_PAYLOAD
    assert len(masked_text(str(value)[: 10**6])) <= MAX_PAYLOAD
    assert time.process_time() - began < 2.0
