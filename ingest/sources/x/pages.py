"""The posts on a page of X's search, each with what it refers to, as the stream would send it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

Obj = dict[str, Any]

MOST_OF_A_POST = 3
"""Posts that come with one, itself among them: it may answer a second and quote a third."""

_ID = re.compile(r"[0-9]{1,19}")


class PagePost(NamedTuple):
    """A post. `id` is 0 where X sent none."""

    id: int
    payload: bytes


def posts_of_page(page: Obj) -> list[PagePost]:
    """Returns the posts of a page in its order. What is no post is passed on as it is."""
    included = {each["id"]: each for each in _included(page) if isinstance(each.get("id"), str)}
    found = []
    data = page.get("data")
    for post in data if isinstance(data, list) else []:
        message = {"data": post}
        if isinstance(post, dict):
            originals = [included[each] for each in _references(post) if each in included]
            if originals:
                message["includes"] = {"tweets": originals}
        found.append(PagePost(id_of(post), orjson.dumps(message)))
    return found


def reads(answer: Obj) -> int:
    """Returns how many posts X charges for: those asked for and, to be safe, those that came along.

    X charges by the resource that it returns, and one only once in a request.
    """
    data = answer.get("data")
    posts = data if isinstance(data, list) else [data] if isinstance(data, dict) else []
    asked_for = {str(each.get("id")) for each in posts if isinstance(each, dict)}
    along = {str(each.get("id")) for each in _included(answer)}
    return len(posts) + len(along - asked_for)


def next_page(page: Obj) -> str | None:
    """Returns the token of the page of older posts, if there is one."""
    meta = page.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def id_of(post: Any) -> int:
    """Returns the id of a post, 0 for what has none."""
    text = post.get("id") if isinstance(post, dict) else None
    if not isinstance(text, str) or not _ID.fullmatch(text):
        return 0
    return int(text)


def _included(answer: Obj) -> list[Obj]:
    includes = answer.get("includes")
    tweets = includes.get("tweets") if isinstance(includes, dict) else None
    return [each for each in tweets if isinstance(each, dict)] if isinstance(tweets, list) else []


def _references(post: Obj) -> list[str]:
    listed = post.get("referenced_tweets")
    references = listed if isinstance(listed, list) else []
    ids = [each.get("id") for each in references if isinstance(each, dict)]
    return [each for each in ids if isinstance(each, str)]
