"""Hands over what a client that blocks has read, so that `Source.read` never blocks.

The client runs in a thread of its own and puts batches; the queue between is bounded, so that a
slow publisher slows the client down instead of filling the memory.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

from ingest.sources.source import Batch

BEAT_SECONDS = 0.25
"""How long `batches_of` waits before it yields an empty batch, and how late it sees `stopping`."""
WAITING_MESSAGES = 2_000
MAX_PAYLOADS = 500

Producer = Callable[["Handover"], None]


class Stopped(Exception):
    """Nobody reads any more: the thread is to end."""


def batches_of(work: Producer, stopping: threading.Event) -> Iterator[Batch]:
    """Yields what `work` puts, in order, until it returns or `stopping` is set.

    What `work` raises is raised here, after all that it has put. A thread that is just then inside
    its client is not waited for: it ends at its next `put` or `rest`, or with the process.
    """
    hand = Handover()
    threading.Thread(target=hand.run, args=(work,), name="source", daemon=True).start()
    try:
        while not stopping.is_set():
            batch = hand.take()
            if batch is None:
                return
            yield batch
    finally:
        hand.stop()


class Handover:
    """The bounded queue between the client's thread and the reader.

    `trouble` is what the client says of a network that does not answer; None where it does.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Batch] = deque()
        self._held = 0
        self._stopped = False
        self._ended = False
        self._error: Exception | None = None
        self.trouble: str | None = None

    def run(self, work: Producer) -> None:
        """What the client's thread does."""
        try:
            work(self)
        except Stopped:
            pass
        except Exception as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def put(self, batch: Batch) -> None:
        """Waits for room; raises Stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._held < WAITING_MESSAGES)
            self.check()
            self._waiting.append(batch)
            self._held += _weight(batch)
            self._changed.notify_all()

    def rest(self, seconds: float) -> None:
        """Waits, and no longer than somebody reads; raises Stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, seconds)
            self.check()

    def check(self) -> None:
        """Raises Stopped once nobody reads any more."""
        if self._stopped:
            raise Stopped

    def take(self) -> Batch | None:
        """The next batches in one, empty after BEAT_SECONDS without any, None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended, BEAT_SECONDS)
            if self._waiting:
                return self._merged()
            if not self._ended:
                return Batch(trouble=self.trouble)
            if self._error is not None:
                raise self._error
            return None

    def _merged(self) -> Batch:
        first = self._next()
        payloads, cursor = list(first.payloads), dict(first.cursor or {})
        while (
            self._waiting
            and self._waiting[0].topics == first.topics
            and len(payloads) + len(self._waiting[0].payloads) <= MAX_PAYLOADS
        ):
            batch = self._next()
            payloads += batch.payloads
            cursor.update(batch.cursor or {})
        self._changed.notify_all()
        return Batch(tuple(payloads), cursor or None, first.topics, self.trouble)

    def _next(self) -> Batch:
        batch = self._waiting.popleft()
        self._held -= _weight(batch)
        return batch

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


def _weight(batch: Batch) -> int:
    # One that only moves the cursor takes room as well.
    return max(1, len(batch.payloads))
