"""Messages that Pub/Sub does not take for the time being, on disk and in their order.

They are rows of a SQLite file, whose write-ahead log does what a queue on disk has to: what was
appended is there after a kill or a loss of power, and nothing of what was not. After a restart the
oldest are sent first; Pub/Sub may see some of them twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from ingest.cursors.store import StateError
from mltox.google.pubsub.messages import Outgoing

MAX_BYTES = 1 << 30
_FILE = "outbox.sqlite"
_EARLIER = ".messages"
"""Suffix of the files that were the queue before it was a SQLite file."""
_TABLE = """CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, topic TEXT NOT NULL, attributes BLOB NOT NULL, data BLOB NOT NULL
)"""
_SIZE = "length(topic) + length(attributes) + length(data)"


class Outbox:
    """A queue in a folder of its own, for one process at a time. Raises StateError."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / ".lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"{folder} is in use by another run") from error
        except OSError as error:
            raise StateError(f"cannot use {folder}: {error.strerror}") from error
        if any(folder.glob(f"*{_EARLIER}")):
            raise StateError(f"{folder} holds messages of an earlier mltox: let that one send them")
        with self._explained("use"):
            # One thread at a time, and not always the one that opened it.
            self._file = sqlite3.connect(
                folder / _FILE, isolation_level=None, check_same_thread=False
            )
            self._file.execute("PRAGMA auto_vacuum = FULL")  # what is sent leaves room on the disk
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.execute(_TABLE)
            (self._count, self._bytes), *_ = self._file.execute(
                f"SELECT count(*), coalesce(sum({_SIZE}), 0) FROM messages"  # noqa: S608 - ours
            )

    def __len__(self) -> int:
        return int(self._count)

    @property
    def full(self) -> bool:
        """Whether no more should be read: what is on its way already still has room."""
        return bool(self._bytes >= self._max_bytes)

    def append(self, messages: Sequence[Outgoing]) -> None:
        """The messages are durable when it returns; where it raises, none of them is there."""
        rows = [(each.topic, orjson.dumps(dict(each.attributes)), each.data) for each in messages]
        with self._explained("write to"), self._transaction():
            self._file.executemany(
                "INSERT INTO messages (topic, attributes, data) VALUES (?, ?, ?)", rows
            )
        self._count += len(rows)
        self._bytes += sum(len(topic) + len(more) + len(data) for topic, more, data in rows)

    def first(self, at_most: int) -> list[Outgoing]:
        """The oldest messages."""
        with self._explained("read"):
            rows = self._file.execute(
                "SELECT topic, attributes, data FROM messages ORDER BY number LIMIT ?", (at_most,)
            ).fetchall()
        return [Outgoing(topic, data, orjson.loads(attributes)) for topic, attributes, data in rows]

    def drop(self, count: int) -> None:
        """The oldest `count` messages are sent."""
        with self._explained("write to"), self._transaction():
            gone = self._file.execute(
                "DELETE FROM messages WHERE number IN"  # noqa: S608 - ours
                f" (SELECT number FROM messages ORDER BY number LIMIT ?) RETURNING {_SIZE}",
                (count,),
            ).fetchall()
        self._count -= len(gone)
        self._bytes -= sum(size for (size,) in gone)

    def set_aside(self) -> Path:
        """Puts the oldest message, which Pub/Sub refuses for good, into a file of its own."""
        message = self.first(1)[0]
        path = self._folder / f"refused-{zlib.crc32(message.data):08x}.json"
        row = {"topic": message.topic, "attributes": message.attributes}
        path.write_bytes(orjson.dumps({**row, "data": message.data.decode("utf-8", "replace")}))
        self.drop(1)
        return path

    def close(self) -> None:
        self._file.close()
        self._lock.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._file.in_transaction:  # a full disk has SQLite roll back by itself
                self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StateError(f"cannot {doing} {self._folder / _FILE}: {error}") from error
