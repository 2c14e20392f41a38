"""Messages that Pub/Sub does not take for the time being, on disk and in their order.

They lie in segments, files that are only ever appended to and that go when all in them is sent. A
kill can leave half a record at the end of one: its `append` had not returned, so nobody counts on
it. After a restart the first segment is sent from its beginning; Pub/Sub may see some of it twice.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import orjson

from ingest.cursors.store import StateError, sync_folder
from ingest.messages import Outgoing

log = logging.getLogger(__name__)

MAX_BYTES = 1 << 30
SEGMENT_BYTES = 8 << 20
_HEADER = struct.Struct("<III")
"""CRC-32 of what follows, length of topic and attributes as JSON, length of the data."""
_SUFFIX = ".messages"


class Outbox:
    """A queue in a folder of its own, for one process at a time. Raises StateError."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._writing: BinaryIO | None = None
        self._head: deque[Outgoing] = deque()
        self._refused = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / ".lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._segments = deque(sorted(folder.glob(f"*{_SUFFIX}")))
            self._counts = {path: sum(1 for _ in _records(path)) for path in self._segments}
            self._bytes = sum(path.stat().st_size for path in self._segments)
        except BlockingIOError as error:
            raise StateError(f"{folder} is in use by another run") from error
        except OSError as error:
            raise StateError(f"cannot use {folder}: {error.strerror}") from error
        last = self._segments[-1].stem if self._segments else "0"
        self._next = int(last) + 1

    def __len__(self) -> int:
        return sum(self._counts.values())

    @property
    def full(self) -> bool:
        """Whether no more should be read: what is on its way already still has room."""
        return self._bytes >= self._max_bytes

    def append(self, messages: Sequence[Outgoing]) -> None:
        """The messages are durable when it returns."""
        if not messages:
            return
        content = b"".join(map(_record, messages))
        try:
            file, path = self._segment()
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise StateError(f"cannot write to {self._folder}: {error.strerror}") from error
        self._counts[path] += len(messages)
        self._bytes += len(content)

    def first(self, at_most: int) -> list[Outgoing]:
        """The oldest messages, all out of one segment."""
        while not self._head and self._segments:
            self._head.extend(_records(self._segments[0]))
            if not self._head:
                self._remove_first()
            elif self._writing is not None and self._writing.name == str(self._segments[0]):
                self._close_segment()  # what is appended from now on goes behind it
        return list(islice(self._head, at_most))

    def drop(self, count: int) -> None:
        """The oldest `count` messages of `first` are sent."""
        for _ in range(count):
            self._head.popleft()
        if count:
            self._counts[self._segments[0]] -= count
            if not self._head:
                self._remove_first()

    def set_aside(self) -> Path:
        """Puts the oldest message, which Pub/Sub refuses for good, into a file of its own."""
        message = self.first(1)[0]
        path = self._folder / f"refused-{zlib.crc32(message.data):08x}.json"
        row = {"topic": message.topic, "attributes": message.attributes}
        path.write_bytes(orjson.dumps({**row, "data": message.data.decode("utf-8", "replace")}))
        self.drop(1)
        return path

    def close(self) -> None:
        self._close_segment()
        self._lock.close()

    def _segment(self) -> tuple[BinaryIO, Path]:
        if self._writing is not None and self._writing.tell() >= SEGMENT_BYTES:
            self._close_segment()
        if self._writing is None:
            path = self._folder / f"{self._next:012d}{_SUFFIX}"
            self._next += 1
            self._writing = path.open("xb")
            sync_folder(self._folder)
            self._segments.append(path)
            self._counts[path] = 0
        return self._writing, self._segments[-1]

    def _close_segment(self) -> None:
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def _remove_first(self) -> None:
        path = self._segments.popleft()
        if self._writing is not None and self._writing.name == str(path):
            self._close_segment()
        self._bytes -= path.stat().st_size
        del self._counts[path]
        path.unlink()


def _record(message: Outgoing) -> bytes:
    head = orjson.dumps([message.topic, dict(message.attributes)])
    body = head + message.data
    return _HEADER.pack(zlib.crc32(body), len(head), len(message.data)) + body


def _records(path: Path) -> Iterator[Outgoing]:
    with path.open("rb") as file:
        while header := file.read(_HEADER.size):
            if len(header) < _HEADER.size:
                break
            checksum, head_size, data_size = _HEADER.unpack(header)
            body = file.read(head_size + data_size)
            if len(body) < head_size + data_size or zlib.crc32(body) != checksum:
                break
            topic, attributes = orjson.loads(body[:head_size])
            yield Outgoing(topic, body[head_size:], attributes)
        else:
            return
    log.warning("%s ends in half a message, which was read and not confirmed", path.name)
