"""How a format reports what it found in a JSON object."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, NoReturn

from mltox.posts.envelope import DELETION
from mltox.posts.formats.draft import BadPost, Draft, Json, Obj

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


class MessagePart(NamedTuple):
    """One post, or one thing that is none, in a message: the JSON of it and its parser."""

    json: Json
    parse: Callable[[Obj], Draft]


class FormatParts(NamedTuple):
    """The parts of a message that the format knows, and JSON values to be looked at in turn."""

    parts: Sequence[MessagePart] = ()
    nested: Sequence[Json] = ()


def one(obj: Obj, parse: Callable[[Obj], Draft]) -> FormatParts:
    """Returns a finding of one part."""
    return FormatParts(parts=(MessagePart(obj, parse),))


def no_post(obj: Obj, message: str) -> FormatParts:
    """Returns a finding of one thing that is no post, such as a notice."""

    def parse(_: Obj) -> NoReturn:
        raise BadPost("not_a_post", message)

    return one(obj, parse)


def deletion(obj: Obj, post_id: str | None) -> FormatParts:
    """Returns a finding that a post is gone at its source; None where it can't be told which."""

    def parse(_: Obj) -> NoReturn:
        raise BadPost(DELETION, "a deletion", post_id)

    return one(obj, parse)


def known_kind(value: Json, known: Collection[str]) -> str:
    """Returns `: value` for a kind that is known, and nothing for a stranger's word."""
    return f": {value}" if isinstance(value, str) and value in known else ""


def as_obj(value: Json) -> Obj:
    """Returns the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """Returns the value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def unescaped(text: Json) -> Json:
    """Undoes the escaping of `&`, `<` and `>` that X and Reddit apply to texts; no other entity."""
    if isinstance(text, str) and "&" in text:
        return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text


def without_entities(text: Json) -> Json:
    """Undoes once whatever escaping of HTML a file's text has; `&copy=1` of an address stays.

    >>> without_entities("fish &amp; chips, it&#39;s ?a=1&copy=2")
    "fish & chips, it's ?a=1&copy=2"
    """
    if isinstance(text, str) and "&" in text:
        return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return text
