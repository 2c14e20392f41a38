"""A file of topics that may change while a run goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mltox.posts.topics import Topic, TopicError, load_topics

log = logging.getLogger(__name__)

RELOAD_SECONDS = 1.0

_Stamp = tuple[int, int, int]


class TopicsFile:
    """The topics of a YAML file, looked at once a second and after `reload`. Thread-safe.

    A broken edit leaves the topics as they are and logs one line.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises TopicError for a file that is broken at the start."""
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._due = False
        self._stamp = _stamp(path)
        self._topics: Sequence[Topic] = load_topics(path)
        self._looked_at = clock()

    def current(self) -> Sequence[Topic]:
        """The same object until they change."""
        with self._lock:
            now = self._clock()
            if self._due or now - self._looked_at >= RELOAD_SECONDS:
                self._looked_at = now
                self._look(self._due)
                self._due = False
            return self._topics

    def reload(self) -> None:
        """Has the file read at the next call of `current`; for a signal handler."""
        self._due = True

    def _look(self, anyway: bool) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp and not anyway:
            return
        self._stamp = stamp
        try:
            topics = load_topics(self._path)
        except TopicError as error:
            log.error("the topics stay as they were: %s", error)
            return
        if topics != self._topics:
            self._topics = topics
            log.info("%d topics, changed in %s", len(topics), self._path)


def _stamp(path: Path) -> _Stamp | None:
    """An editor may write the file or put another one in its place."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
