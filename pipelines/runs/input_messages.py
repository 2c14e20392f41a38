"""A row of a file as messages for the graph, decoded before they enter it."""

from __future__ import annotations

from collections.abc import Iterator

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope, encode
from mltox.posts.formats import IN_FUTURE, decode
from mltox.posts.formats.own import notice
from mltox.posts.reading.rows import FileRow
from mltox.posts.records import Message, Micros


def messages_of(
    row: FileRow, authors: AuthorKeys, now: Micros
) -> Iterator[tuple[Message, Micros | None]]:
    """Each with its event time, or None where the row cannot be used and will be a dead letter.

    Authors are pseudonyms in the messages: what holds them on disk holds no raw author id.
    """
    for index, item in enumerate(decode(row.payload, authors=authors, now=now)):
        origin = f"{row.origin}#{index}" if index else row.origin
        if isinstance(item, Envelope):
            yield Message(encode(item), origin), item.created_at
        elif item.error_type == IN_FUTURE:
            # whole, to be found too early once more: a notice's payload would be masked
            yield Message(item.payload.encode(), origin), None
        else:
            yield Message(notice(*item), origin), None
