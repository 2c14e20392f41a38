"""Posts on disk, a file a day, so that an input of any size is worked through in slices of time."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mltox.posts.records import DAY, Message, Micros

LENGTHS = struct.Struct("<II")
OPEN_FILES = 64
UNDATED = "undated"


@dataclass(frozen=True)
class Slice:
    """Whole days of messages. `start` and `end` bound their event times; None where undated."""

    files: tuple[str, ...]
    messages: int
    start: Micros | None
    end: Micros | None


def read_messages(path: str) -> Iterator[Message]:
    with Path(path).open("rb") as file:
        while header := file.read(LENGTHS.size):
            payload_size, origin_size = LENGTHS.unpack(header)
            yield Message(file.read(payload_size), file.read(origin_size).decode("utf-8"))


class Spool:
    """Writes messages to the file of their day, then says in which slices to read them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, BinaryIO] = {}
        self._counts: dict[int, int] = {}
        self._undated = 0

    def write(self, message: Message, created_at: Micros | None) -> None:
        if created_at is None:
            self._undated += 1
            name = UNDATED
        else:
            day = created_at // DAY
            self._counts[day] = self._counts.get(day, 0) + 1
            name = str(day)
        origin = message.origin.encode("utf-8", "replace")
        file = self._file(name)
        file.write(LENGTHS.pack(len(message.payload), len(origin)))
        file.write(message.payload)
        file.write(origin)

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

    @property
    def messages(self) -> int:
        return self._undated + sum(self._counts.values())

    def slices(self, most: int) -> list[Slice]:
        """Consecutive days, oldest first, together at most `most` messages unless one day has more.
        Undated messages (all of them dead letters) make the first slice their own."""
        self.close()
        made: list[Slice] = []
        if self._undated:
            made.append(Slice((str(self._folder / UNDATED),), self._undated, None, None))
        days: list[int] = []
        held = 0
        for day in sorted(self._counts):
            if days and held + self._counts[day] > most:
                made.append(self._slice(days, held))
                days, held = [], 0
            days.append(day)
            held += self._counts[day]
        if days:
            made.append(self._slice(days, held))
        return made

    def _slice(self, days: list[int], held: int) -> Slice:
        files = tuple(str(self._folder / str(day)) for day in days)
        return Slice(files, held, days[0] * DAY, (days[-1] + 1) * DAY)
