"""What every source of posts is: a generator of batches that goes on from a cursor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from mltox.base.errors import UserError
from mltox.posts.topics import Topic

Cursor = Mapping[str, str]
"""Where to go on, by what the source itself reads apart (a topic, a stream); empty at the first."""

CurrentTopics = Callable[[], Sequence[Topic]]
"""The topics as they are now: the file may have changed since the last call."""


class SourceError(UserError):
    """The source cannot go on: a key that is missing or refused. One line for the person."""


class Batch(NamedTuple):
    """Payloads in the order in which they came, as `mltox.posts.formats.decode` reads them.

    Deletions are payloads too (`mltox.posts.envelope.encode_deletion` where the network's own
    JSON does not tell the post's id). `cursor` is where to go on once all of these, and all
    batches before, are confirmed by Pub/Sub: the keys that it names are set and the others stay;
    None where nothing moved. `topics` are those that the source knows the posts to belong to,
    because it asked for them; the text's own topics are found in any case.
    """

    payloads: tuple[bytes, ...] = ()
    cursor: Cursor | None = None
    topics: tuple[str, ...] = ()
    trouble: str | None = None
    """Why the source has got nothing since it last asked; it goes on trying."""


class Source(Protocol):
    """One network.

    `read` yields at least once a second, an empty batch if nothing came, so that whoever reads can
    act on time; it reconnects by itself with the network's own backoff, raises SourceError for what
    a new try cannot mend, and ends when `stopping` is set or when there is no more to come. What it
    has yielded may be read again after a restart: post ids are the same then.
    """

    name: str

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]: ...
