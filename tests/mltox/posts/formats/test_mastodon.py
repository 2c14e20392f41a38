from __future__ import annotations

import json
from typing import Any

import pytest

from mltox.posts.formats.html_text import text_of_html

STATUS = {
    "id": "11",
    "uri": "https://home.example/users/someone/statuses/11",
    "created_at": "2025-06-02T10:00:00.000Z",
    "content": "<p>hello</p>",
    "spoiler_text": "",
    "language": "de",
    "visibility": "public",
    "reblog": None,
    "account": {"id": "3", "acct": "someone", "url": "https://home.example/@someone"},
}


def test_a_status(post: Any, authors: Any) -> None:
    envelope = post(STATUS)
    assert (envelope.text, envelope.lang, envelope.source) == ("hello", "de", "mastodon")
    assert envelope.author_key == authors.key("mastodon", "https://home.example/@someone")
    assert "someone" not in envelope.post_id


def test_the_same_status_on_two_servers_is_one_post(post: Any) -> None:
    elsewhere = STATUS | {
        "id": "999",
        "account": STATUS["account"] | {"id": "8", "acct": "someone@home.example"},  # type: ignore[operator]
    }
    assert post(elsewhere) == post(STATUS)


def test_a_boost_has_the_text_and_language_of_what_it_boosts(post: Any) -> None:
    boost = STATUS | {"content": "", "language": None, "uri": "https://b.example/1"}
    boosted = post(boost | {"reblog": STATUS | {"content": "<p>original</p>"}})
    assert (boosted.text, boosted.lang) == ("original", "de")
    assert boosted.post_id != post(STATUS).post_id


def test_a_content_warning_is_part_of_the_text(post: Any) -> None:
    assert post(STATUS | {"spoiler_text": "food"}).text == "food\n\nhello"


def test_a_frame_of_a_stream(post: Any, reject: Any) -> None:
    frame = {"stream": ["public"], "event": "update", "payload": json.dumps(STATUS)}
    assert post(frame) == post(STATUS)
    deleted = reject({"event": "delete", "payload": "11"})
    assert (deleted.error_type, deleted.post_id) == ("deletion", None)
    assert reject({"event": "update", "payload": "{"}).error_type == "not_a_post"


def test_a_status_of_pictures_alone_is_empty(reject: Any) -> None:
    assert reject(STATUS | {"content": ""}).error_type == "empty_text"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        ("<p>one</p><p>two<br>three<br/>four</p>", "one\n\ntwo\nthree\nfour"),
        ("<p>a &lt;b&gt; &amp;amp; &#39;c&#39;</p>", "a <b> &amp; 'c'"),
        ('<span class="h-card"><a href="https://a/@x">@<span>x</span></a></span> hi', "@x hi"),
        ('<a href="h"><span class="x">https://</span><span>ex.am</span></a>', "https://ex.am"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<![endif junk", "<![endif junk"),
        ("1 < 2 and 3 > 2 <3", "1 < 2 and 3 > 2 <3"),
        ("<p>unclosed", "unclosed"),
        ("<p", "<p"),
    ],
)  # fmt: skip
def test_html(content: str, text: str) -> None:
    assert text_of_html(content) == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<h1>Stop</h1><p>Trump is here</p>", "Stop\n\nTrump is here"),
        ("<div>one</div><div>two</div>", "one\n\ntwo"),
        ("<p>one<br/>two<BR>three</p>", "one\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>after", "- a\n- b\n\nafter"),
        ("<blockquote>said</blockquote>yes", "said\n\nyes"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\n\n c"),
        ("one<hr>two", "one\n\ntwo"),
        ('so <img class="emoji" alt=":blobcat:" src="x"> nice', "so :blobcat: nice"),
        ("<p>#<span>tag</span>s</p>", "#tags"),
    ],
)
def test_no_block_glues_words_together(content: str, text: str) -> None:
    assert text_of_html(content) == text
