"""Posts on disk, a file a day, so that an input of any size is worked through in slices of time.

The files are encrypted with a key that only this process has: whatever becomes of it, no text of a
post stays behind that can be read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from mltox.posts.records import DAY, HOUR, Message, Micros

RECORD_HEADER = struct.Struct("<IIq")
"""Bytes of the encrypted message, bytes of its payload, and its event time."""
NONCE = struct.Struct("<Q4x")
OPEN_FILES = 64
NO_TIME = -(2**63)
UNDATED_AT_MOST = 20_000
"""Dead letters in a slice."""
MOST_SLICE_BYTES = 200_000_000
"""Of a slice's messages, so that few large ones take no more memory than many small ones."""


@dataclass(frozen=True)
class Slice:
    """Whole days or hours of messages. `start` and `end` bound their event times; None where
    undated."""

    files: tuple[str, ...]
    messages: int
    start: Micros | None
    end: Micros | None


@dataclass
class _Extent:
    messages: int = 0
    bytes: int = 0

    def add(self, other: _Extent) -> None:
        self.messages += other.messages
        self.bytes += other.bytes

    def exceeds(self, most: int) -> bool:
        return self.messages > most or self.bytes > MOST_SLICE_BYTES


def read_messages(path: str, key: bytes) -> Iterator[Message]:
    for message, _ in _read(Path(path), key):
        yield message


def _read(path: Path, key: bytes) -> Iterator[tuple[Message, Micros | None]]:
    cipher = ChaCha20Poly1305(key)
    with path.open("rb") as file:
        while header := file.read(NONCE.size + RECORD_HEADER.size):
            nonce, (size, payload_size, created_at) = (
                header[: NONCE.size],
                RECORD_HEADER.unpack(header[NONCE.size :]),
            )
            content = cipher.decrypt(nonce, file.read(size), None)
            message = Message(content[:payload_size], content[payload_size:].decode("utf-8"))
            yield message, None if created_at == NO_TIME else created_at


class Spool:
    """Writes messages to the file of their day, then says in which slices to read them."""

    def __init__(self, folder: Path) -> None:
        self.key = ChaCha20Poly1305.generate_key()
        self._folder = folder
        self._cipher = ChaCha20Poly1305(self.key)
        self._written = 0
        self._open: dict[str, BinaryIO] = {}
        self._days: dict[int, _Extent] = {}
        self._undated: list[_Extent] = []
        self.messages = 0

    @property
    def first(self) -> Micros | None:
        """Where the first day begins; None where nothing has a time."""
        return min(self._days) * DAY if self._days else None

    def write(self, message: Message, created_at: Micros | None) -> None:
        self.messages += 1
        extent = _Extent(1, len(message.payload))
        if created_at is None:
            name = self._undated_file(extent)
        else:
            self._days.setdefault(created_at // DAY, _Extent()).add(extent)
            name = str(created_at // DAY)
        self._append(name, message, created_at)

    def _undated_file(self, extent: _Extent) -> str:
        if not self._undated or self._undated[-1].exceeds(UNDATED_AT_MOST - 1):
            self._undated.append(_Extent())
        self._undated[-1].add(extent)
        return f"undated-{len(self._undated) - 1}"

    def _append(self, name: str, message: Message, created_at: Micros | None) -> None:
        nonce = NONCE.pack(self._written)
        self._written += 1
        content = message.payload + message.origin.encode("utf-8", "replace")
        sealed = self._cipher.encrypt(nonce, content, None)
        stamp = NO_TIME if created_at is None else created_at
        file = self._file(name)
        file.write(nonce + RECORD_HEADER.pack(len(sealed), len(message.payload), stamp) + sealed)

    def replace(self, file: str, messages: Iterable[Message]) -> None:
        """Puts other messages in the place of those of a slice's file."""
        path = Path(file)
        path.unlink()
        path.touch()
        for message in messages:
            self._append(path.name, message, None)
        self.close()

    def _file(self, name: str) -> BinaryIO:
        file = self._open.pop(name, None)
        if file is None:
            if len(self._open) >= OPEN_FILES:
                self._open.pop(next(iter(self._open))).close()
            file = (self._folder / name).open("ab")
        self._open[name] = file
        return file

    def close(self) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()

    def slices(self, most: int) -> Iterator[Slice]:
        """Consecutive days, oldest first, together at most `most` messages and MOST_BYTES. A day
        that has more goes hour by hour; an hour that has more is a slice of its own.

        Undated messages (all of them dead letters) come first, in slices of their own.
        """
        self.close()
        for number, extent in enumerate(self._undated):
            path = str(self._folder / f"undated-{number}")
            yield Slice((path,), extent.messages, None, None)
        days: dict[int, _Extent] = {}
        for day in sorted(self._days):
            extent = self._days[day]
            if days and _total([*days.values(), extent]).exceeds(most):
                yield self._slice(days, DAY, "")
                days = {}
            if extent.exceeds(most):
                yield from self._hours(day, most)
            else:
                days[day] = extent
        if days:
            yield self._slice(days, DAY, "")

    def _hours(self, day: int, most: int) -> Iterator[Slice]:
        hours: dict[int, _Extent] = {}
        path = self._folder / str(day)
        for message, created_at in _read(path, self.key):
            assert created_at is not None
            hour = created_at // HOUR
            hours.setdefault(hour, _Extent()).add(_Extent(1, len(message.payload)))
            self._append(f"hour-{hour}", message, created_at)
        self.close()
        path.unlink()
        gathered: dict[int, _Extent] = {}
        for hour in sorted(hours):
            if gathered and _total([*gathered.values(), hours[hour]]).exceeds(most):
                yield self._slice(gathered, HOUR, "hour-")
                gathered = {}
            gathered[hour] = hours[hour]
        yield self._slice(gathered, HOUR, "hour-")

    def _slice(self, parts: dict[int, _Extent], length: Micros, prefix: str) -> Slice:
        files = tuple(str(self._folder / f"{prefix}{number}") for number in parts)
        numbers = sorted(parts)
        extent = _total(parts.values())
        return Slice(files, extent.messages, numbers[0] * length, (numbers[-1] + 1) * length)


def _total(extents: Iterable[_Extent]) -> _Extent:
    total = _Extent()
    for extent in extents:
        total.add(extent)
    return total
