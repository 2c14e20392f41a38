"""What every format's parser yields, and the checks that turn it into an envelope."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope
from mltox.posts.formats.stamps import read_stamp
from mltox.posts.languages import language
from mltox.posts.records import DAY, Micros

Json = Any
"""Whatever a JSON parser may return."""

Obj = dict[str, Json]

MAX_TEXT_BYTES = 100_000
MAX_NAME_CHARACTERS = 200
MAX_TOPICS = 50
EARLIEST: Micros = 946_684_800_000_000
"""2000-01-01T00:00:00Z: older than every network, so an older stamp is a wrong one."""

_BLANK = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")
_LETTER = re.compile(r"[^\W\d_TZ]")


class BadPost(Exception):
    """A message, or a part of one, is no usable post: the error type and one line about it."""

    def __init__(self, error_type: str, message: str, post_id: str | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.post_id = post_id


class Draft(NamedTuple):
    """A post as a parser found it, its fields not yet checked.

    `native_id` has no source in front; `author` is the raw id, which goes no further than `finish`.
    """

    source: str
    native_id: Json
    text: Json
    created_at: Json
    lang: Json = None
    author: Json = None
    topics: Json = None


def finish(draft: Draft, authors: AuthorKeys, now: Micros) -> Envelope:
    """Checks the fields of a draft and returns the envelope; raises BadPost."""
    post_id = _post_id(draft.source, draft.native_id)
    try:
        return Envelope(
            post_id=post_id,
            source=draft.source,
            text=checked_text(draft.text),
            created_at=checked_stamp(draft.created_at, now),
            lang=language(draft.lang),
            author_key=_author_key(draft, authors),
            topics=topic_names(draft.topics),
        )
    except BadPost as bad:
        raise BadPost(bad.error_type, bad.message, post_id) from None


def checked_text(value: Json) -> str:
    """Returns the text of a post if it can be stored and scored; raises BadPost."""
    if value is None:
        raise BadPost("missing_text", "the post has no text")
    if not isinstance(value, str):
        raise BadPost("wrong_type", f"the text is of type {_type_name(value)}, not a string")
    if not value.isascii():
        check_unicode(value, "the text")
    elif "\0" in value:
        raise BadPost("nul_character", "the text holds a NUL character")
    # A UTF-8 text has at most four bytes a character, so most texts need not be encoded to be sized
    if len(value) * 4 > MAX_TEXT_BYTES and len(value.encode()) > MAX_TEXT_BYTES:
        raise BadPost(
            "text_too_large",
            f"the text has {len(value.encode()):,} bytes; the limit is {MAX_TEXT_BYTES:,}",
        )
    if not value.strip() or not value.strip(_BLANK).strip():
        raise BadPost("empty_text", "the text is empty")
    return value


def check_unicode(value: str, what: str) -> None:
    """Raises BadPost for a string that cannot be stored: lone surrogates, NUL characters."""
    if "\0" in value:
        raise BadPost("nul_character", f"{what} holds a NUL character")
    if _SURROGATE.search(value):
        raise BadPost("lone_surrogate", f"{what} holds half of a surrogate pair, which is no text")


def checked_stamp(value: Json, now: Micros) -> Micros:
    """Returns a stamp in microseconds since 1970 UTC if it is plausible; raises BadPost."""
    if value is None or value == "":
        raise BadPost("missing_created_at", "the post has no time of creation")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadPost("wrong_type", f"created_at is of type {_type_name(value)}")
    stamp = read_stamp(value)
    if stamp is None:
        hint = "; --dayfirst or --date-format says how" if "/" in str(value)[:12] else ""
        raise BadPost(
            "bad_created_at", f"created_at cannot be read as a time: {_shown(value)}{hint}"
        )
    if not EARLIEST <= stamp <= now + DAY:
        raise BadPost(
            "created_at_out_of_range",
            f"created_at is before 2000 or more than a day ahead: {_shown(value)}",
        )
    return stamp


def topic_names(value: Json) -> tuple[str, ...]:
    """Returns the topics that a row names, each once: a string or a list of them, or nothing."""
    if value is None:
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadPost("wrong_type", "the topic is neither a string nor a list of strings")
    clean = [name.strip() for name in names if name.strip()]
    for name in clean:
        check_unicode(name, "the topic")
        if len(name) > MAX_NAME_CHARACTERS:
            raise BadPost("bad_topic", f"a topic has more than {MAX_NAME_CHARACTERS} characters")
    topics = tuple(dict.fromkeys(clean))
    if len(topics) > MAX_TOPICS:
        raise BadPost("bad_topic", f"the post names more than {MAX_TOPICS} topics")
    return topics


def _post_id(source: str, native_id: Json) -> str:
    if native_id is None or native_id == "":
        raise BadPost("missing_id", "the post has no id")
    if isinstance(native_id, bool) or not isinstance(native_id, str | int):
        raise BadPost("wrong_type", f"the id is of type {_type_name(native_id)}")
    if isinstance(native_id, int):
        if native_id.bit_length() > 128:
            raise BadPost("bad_id", "the id is a number of more than 128 bits")
        return f"{source}:{native_id}"
    check_unicode(native_id, "the id")
    if len(native_id) > MAX_NAME_CHARACTERS:
        raise BadPost("bad_id", f"the id has more than {MAX_NAME_CHARACTERS} characters")
    # A row that was exported from the warehouse has its source in its id already.
    return native_id if native_id.startswith(f"{source}:") else f"{source}:{native_id}"


def _author_key(draft: Draft, authors: AuthorKeys) -> str | None:
    author = draft.author
    if author is None or author == "":
        return None
    if isinstance(author, bool) or not isinstance(author, str | int):
        raise BadPost("wrong_type", f"the author is of type {_type_name(author)}")
    if isinstance(author, int) and author.bit_length() > 128:
        raise BadPost("wrong_type", "the author is a number of more than 128 bits")
    return authors.key(draft.source, str(author))


def _type_name(value: Json) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "list"}
    return "null" if value is None else names.get(type(value), "object")


def _shown(value: str | int | float) -> str:
    """The form of a hostile value, short and printable in one line: of a column that was taken for
    another, the words may be somebody's name."""
    if isinstance(value, int) and value.bit_length() > 128:
        return "a number of more than 128 bits"
    if isinstance(value, str):
        value = _LETTER.sub("a", value[:80])
    return ascii(value)[:80]
