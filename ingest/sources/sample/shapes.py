"""A post as its network's interface sends it: one JSON object a line."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ingest.sources.sample.post import SamplePost
from mltox.posts.records import Micros

Json = dict[str, Any]

_X_EPOCH_MILLIS = 1_288_834_974_657
_BASE32 = "234567abcdefghijklmnopqrstuvwxyz"
_LINK = re.compile(r"https://\S+")
_RETWEET_LENGTH = 140
_CLIENTS = ("Web App", "for Android", "for iPhone")


def shaped(post: SamplePost) -> Json:
    """Returns the post in the shape of its network."""
    return _SHAPES[post.network](post)


def x_id(post: SamplePost) -> int:
    """Returns an id as X makes them: milliseconds above, a serial number below."""
    return (post.created_at // 1000 - _X_EPOCH_MILLIS << 22) | post.number % (1 << 22)


def _x_v2(post: SamplePost) -> Json:
    original = post.original
    text = f"RT @{original.author.handle}: {original.text}" if original else post.text
    if original and len(text) > _RETWEET_LENGTH:
        text = text[: _RETWEET_LENGTH - 1] + "…"
    tweet: Json = {
        "id": str(x_id(post)),
        "edit_history_tweet_ids": [str(x_id(post))],
        "author_id": str(post.author.number),
        "created_at": _iso(post.created_at),
        "text": _escaped(text),
        "public_metrics": {
            "retweet_count": post.number % 7,
            "reply_count": post.number % 3,
            "like_count": post.number % 23,
            "quote_count": 0,
        },
    }
    if post.lang:
        tweet["lang"] = post.lang
    if original:
        tweet["referenced_tweets"] = [{"type": "retweeted", "id": str(x_id(original))}]
    return tweet


def _x_v2_stream(post: SamplePost) -> Json:
    message: Json = {"data": _x_v2(post), "matching_rules": [{"id": "1", "tag": "sample"}]}
    originals = [_x_v2(post.original)] if post.original else []
    users = [post, post.original] if post.original else [post]
    message["includes"] = {
        "tweets": originals,
        "users": [
            {"id": str(p.author.number), "name": p.author.handle, "username": p.author.handle}
            for p in users
        ],
    }
    return message


def _x_v1(post: SamplePost) -> Json:
    original = post.original
    shown = f"RT @{original.author.handle}: {original.text}" if original else post.text
    status: Json = {
        "created_at": _moment(post.created_at).strftime("%a %b %d %H:%M:%S +0000 %Y"),
        "id": x_id(post),
        "id_str": str(x_id(post)),
        "text": _escaped(shown if len(shown) <= _RETWEET_LENGTH else shown[:139] + "…"),
        "source": f'<a href="https://x.example" rel="nofollow">{_CLIENTS[post.number % 3]}</a>',
        "truncated": original is None and len(shown) > _RETWEET_LENGTH,
        "user": {
            "id": post.author.number,
            "id_str": str(post.author.number),
            "name": post.author.handle,
            "screen_name": post.author.handle,
            "lang": None,
        },
        "lang": post.lang or "und",
    }
    if status["truncated"]:
        status["extended_tweet"] = {"full_text": _escaped(post.text)}
    if original:
        status["retweeted_status"] = _x_v1(original)
    return status


def _bluesky(post: SamplePost) -> Json:
    record: Json = {
        "$type": "app.bsky.feed.post",
        "createdAt": _iso(post.created_at),
        "text": post.text,
    }
    if post.lang:
        record["langs"] = [post.lang]
    rkey = _base32(post.created_at << 10 | post.number % 1024)
    return {
        "did": f"did:plc:{_base32(post.author.number * 7919, 24)}",
        "time_us": post.created_at + 900_000,
        "kind": "commit",
        "commit": {
            "rev": rkey,
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": rkey,
            "record": record,
            "cid": f"bafyrei{hashlib.sha256(rkey.encode()).hexdigest()[:52]}",
        },
    }


def _mastodon(post: SamplePost) -> Json:
    status = _mastodon_status(post)
    if post.original:
        status |= {"content": "", "reblog": _mastodon_status(post.original)}
    return status


def _mastodon_status(post: SamplePost) -> Json:
    number = (post.created_at // 1000 << 16) | post.number % (1 << 16)
    home = f"https://social.example/users/{post.author.handle}"
    return {
        "id": str(number),
        "created_at": _iso(post.created_at),
        "spoiler_text": "",
        "visibility": "public",
        "language": post.lang,
        "uri": f"{home}/statuses/{number}",
        "content": f"<p>{_LINK.sub(_anchor, html.escape(post.text, quote=False))}</p>",
        "reblog": None,
        "account": {
            "id": str(post.author.number),
            "username": post.author.handle,
            "acct": post.author.handle,
            "url": f"https://social.example/@{post.author.handle}",
        },
    }


def _anchor(link: re.Match[str]) -> str:
    return f'<a href="{link[0]}" rel="nofollow noopener">{link[0]}</a>'


def _reddit(post: SamplePost) -> Json:
    return {
        "kind": "t1",
        "data": {
            "id": _base32(post.number * 32_749 + 10**9)[-7:],
            "name": "t1_" + _base32(post.number * 32_749 + 10**9)[-7:],
            "author": post.author.handle,
            "body": _escaped(post.text),
            "created_utc": float(post.created_at // 1_000_000),
            "subreddit": "northport",
            "replies": "",
        },
    }


def _plain(post: SamplePost) -> Json:
    row: Json = {
        "id": f"row-{post.number}",
        "text": html.escape(post.text, quote=False) if post.number % 2 else post.text,
        "created_at": _iso(post.created_at),
        "author": post.author.handle,
    }
    if post.topic:
        row["topic"] = post.topic
    if post.lang:
        row["lang"] = post.lang
    return row


_SHAPES: Mapping[str, Callable[[SamplePost], Json]] = {
    "x_v2": _x_v2,
    "x_v2_stream": _x_v2_stream,
    "x_v1": _x_v1,
    "bluesky": _bluesky,
    "mastodon": _mastodon,
    "reddit": _reddit,
    "plain": _plain,
}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _moment(stamp: Micros) -> datetime:
    return datetime.fromtimestamp(stamp // 1_000_000, UTC)


def _iso(stamp: Micros) -> str:
    return f"{_moment(stamp):%Y-%m-%dT%H:%M:%S}.{stamp // 1000 % 1000:03}Z"


def _base32(number: int, width: int = 13) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 32)
        digits.append(_BASE32[digit])
    return "".join(reversed(digits))
