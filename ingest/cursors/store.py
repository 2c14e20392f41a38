"""What outlives a run: where each source goes on, and how many paid reads the month has had.

One operation does for all of it, compare and set: a value is saved only over the version that was
loaded, so two runs that share a state notice each other instead of setting each other back.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from mltox.base.errors import UserError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


class StateError(UserError):
    """The state cannot be read or written; one line for a person."""


class Conflict(StateError):
    """Another run has saved under this name since it was loaded."""


class Kept(NamedTuple):
    """A value and its version, 0 where nothing is kept yet."""

    value: Mapping[str, str]
    version: int


class Store(Protocol):
    """Small values by name, durable once `save` returns. Both raise StateError."""

    def load(self, name: str) -> Kept: ...

    def save(self, name: str, value: Mapping[str, str], version: int) -> int:
        """Returns the new version; raises Conflict where `version` is not the one that is kept."""
        ...


class LocalStore:
    """A file a name, replaced whole: a kill at any moment leaves the old value or the new one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(f"--state {folder}: {error.strerror}") from error

    def load(self, name: str) -> Kept:
        path = self._path(name)
        try:
            return unpacked(path.read_bytes(), str(path))
        except FileNotFoundError:
            return Kept({}, 0)
        except OSError as error:
            raise StateError(f"cannot read {path}: {error.strerror}") from error

    def save(self, name: str, value: Mapping[str, str], version: int) -> int:
        path = self._path(name)
        try:
            with self._locked():
                if self.load(name).version != version:
                    raise Conflict(f"{path}: another run has changed it meanwhile")
                _replace(path, packed(value, version + 1))
        except OSError as error:
            raise StateError(f"cannot write {path}: {error.strerror}") from error
        return version + 1

    def _path(self, name: str) -> Path:
        return self._folder / f"{checked_name(name)}.json"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / ".lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Keeper:
    """The cursor of one source. Not more than one run may move it.

    A cursor's keys that a move does not name stay as they were.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = f"cursor-{name}"
        kept = store.load(self._name)
        self.cursor: dict[str, str] = dict(kept.value)
        self._saved, self._version = dict(kept.value), kept.version

    def move(self, cursor: Mapping[str, str]) -> None:
        """Changes what `save` will write."""
        self.cursor.update(cursor)

    def save(self) -> None:
        """Makes the moves durable. Raises Conflict if another run goes on from the same cursor."""
        if self.cursor != self._saved:
            self._version = self._store.save(self._name, self.cursor, self._version)
            self._saved = dict(self.cursor)


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise StateError(f"{name!r} is no name for a state")
    return name


def packed(value: Mapping[str, str], version: int, **more: str) -> bytes:
    return orjson.dumps({"schema": 1, "version": version, "value": dict(value), **more})


def unpacked(content: bytes, where: str) -> Kept:
    """Raises StateError for what `packed` has not written."""
    try:
        found = orjson.loads(content)
        value, version = found["value"], found["version"]
        if found["schema"] != 1 or not all(isinstance(each, str) for each in value.values()):
            raise ValueError
        return Kept(value, int(version))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(f"{where} is no state of mltox; move it away to start anew") from error


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable: a new file's bytes may be on disk and its name not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
