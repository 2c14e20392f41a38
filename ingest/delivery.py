"""From batches to Pub/Sub, and back to the cursor: nothing is passed before it is safe.

A message is safe when Pub/Sub has confirmed it or it lies in the outbox on disk. A batch is safe
when all its messages are, and the cursor moves past it when all batches before it are safe as well:

    read 1   read 2   read 3            cursor
    sent     sent     sent              –
    …        safe     …                 –        2 is safe, 1 is not
    safe     safe     …                 2
    safe     safe     failed → outbox   3

Requests go out at once while few are under way, and take what has gathered when there are many: a
quiet source has no delay, and a busy one large requests.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from itertools import takewhile

from google.api_core.exceptions import InvalidArgument

from ingest.outbox import Outbox
from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.publisher import PUBLISHES_AT_ONCE, PublishError, why_unpublished
from mltox.google.pubsub.requests import MESSAGE_LIMIT, bytes_of, fitting

log = logging.getLogger(__name__)

UNSAFE_AT_MOST = 10_000
"""Messages in memory."""
LONGEST_DELIVERY_PAUSE = 60.0

Send = Callable[[Sequence[Outgoing]], "Future[None]"]


@dataclass
class _Batch:
    cursor: Mapping[str, str] | None
    added_at: float
    unsafe: int = 0


@dataclass(frozen=True)
class _Request:
    messages: Sequence[Outgoing]
    batches: Sequence[_Batch]
    """The batch of each message."""
    future: Future[None]


class Delivery:
    """Not thread-safe. Without an outbox, a request that fails raises PublishError.

    `counts`: `published`, `spooled` (put into the outbox), `refused` (set aside for good).
    """

    def __init__(
        self, send: Send, outbox: Outbox | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._send = send
        self._outbox = outbox
        self._clock = clock
        self._batches: deque[_Batch] = deque()
        self._gathered: dict[str, deque[tuple[Outgoing, _Batch]]] = {}
        self._requests: list[_Request] = []
        self._unsafe = 0
        self._again: _Request | None = None
        self._chunk = MESSAGE_LIMIT.items
        self._pause, self._next_try = 0.0, 0.0

    @property
    def full(self) -> bool:
        """Whether reading has to wait."""
        return self._unsafe >= UNSAFE_AT_MOST or (self._outbox is not None and self._outbox.full)

    @property
    def waiting(self) -> int:
        """Messages in the outbox: 0 where Pub/Sub takes what is read."""
        return len(self._outbox) if self._outbox is not None else 0

    @property
    def settled(self) -> bool:
        """Whether all that was added is safe, and `settle` has told the cursor so."""
        return not self._batches

    @property
    def unsafe_since(self) -> float | None:
        """By the clock, when the oldest batch was added that is not safe yet."""
        return self._batches[0].added_at if self._batches else None

    def add(self, messages: Sequence[Outgoing], cursor: Mapping[str, str] | None) -> None:
        """While messages wait in the outbox, new ones queue up behind them."""
        if not messages and cursor is None:
            return
        batch = _Batch(cursor, self._clock())
        self._batches.append(batch)
        if self._outbox is not None and self._outbox:
            self._keep(self._outbox, messages)
            return
        batch.unsafe = len(messages)
        self._unsafe += len(messages)
        for message in messages:
            self._gathered.setdefault(message.topic, deque()).append((message, batch))
        self._send_gathered()

    def settle(self) -> dict[str, str]:
        """What the cursor may move by, empty for not at all. Sends what has gathered meanwhile, or
        tries the outbox again."""
        done = [each for each in self._requests if each.future.done()]
        for request in done:
            self._check(request)
            self._requests.remove(request)
        if self._outbox is not None and self._outbox:
            self._resend(self._outbox)
        else:
            self._send_gathered()
        moved: dict[str, str] = {}
        while self._batches and not self._batches[0].unsafe:
            moved.update(self._batches.popleft().cursor or {})
        return moved

    def wait(self, seconds: float) -> None:
        """Until something may have changed, at most `seconds`."""
        requests = [*self._requests, *([self._again] if self._again else [])]
        if requests:
            futures = [each.future for each in requests]
            wait_for(futures, timeout=seconds, return_when=FIRST_COMPLETED)
        else:
            time.sleep(seconds if self.waiting or not self._unsafe else 0)

    def _send_gathered(self) -> None:
        for topic in list(self._gathered):
            gathered = self._gathered[topic]
            while gathered and len(self._requests) < PUBLISHES_AT_ONCE:
                items = fitting(gathered, MESSAGE_LIMIT, lambda item: bytes_of(item[0]))
                for _ in items:
                    gathered.popleft()
                messages = [message for message, _ in items]
                batches = [batch for _, batch in items]
                self._requests.append(_Request(messages, batches, self._send(messages)))

    def _check(self, request: _Request) -> None:
        error = request.future.exception()
        if error is None:
            self.counts["published"] += len(request.messages)
            self._safe(request.batches)
        elif self._outbox is None:
            # The request stays where it is: the cursor must never pass it.
            raise PublishError(why_unpublished(request.messages[0].topic, error))
        else:
            if not self._outbox:
                reason = why_unpublished(request.messages[0].topic, error)
                log.warning("%s; they wait on disk meanwhile", reason)
                self._wait_longer()
            self._keep(self._outbox, request.messages)
            self._safe(request.batches)
            for gathered in self._gathered.values():
                self._keep(self._outbox, [message for message, _ in gathered])
                self._safe([batch for _, batch in gathered])
                gathered.clear()

    def _safe(self, batches: Sequence[_Batch]) -> None:
        self._unsafe -= len(batches)
        for batch in batches:
            batch.unsafe -= 1

    def _keep(self, outbox: Outbox, messages: Sequence[Outgoing]) -> None:
        outbox.append(messages)
        self.counts["spooled"] += len(messages)

    def _resend(self, outbox: Outbox) -> None:
        if self._again is None:
            if self._clock() >= self._next_try:
                first = outbox.first(self._chunk)
                messages = list(takewhile(lambda each: each.topic == first[0].topic, first))
                self._again = _Request(messages, (), self._send(messages))
            return
        if not self._again.future.done():
            return
        messages, error = list(self._again.messages), self._again.future.exception()
        self._again = None
        if error is None:
            outbox.drop(len(messages))
            self.counts["published"] += len(messages)
            self._chunk = min(MESSAGE_LIMIT.items, 2 * self._chunk)
            self._pause = self._next_try = 0.0
            if not outbox:
                log.info("Pub/Sub takes messages again; none waits on disk any more")
            else:
                self._resend(outbox)
        elif not isinstance(error, InvalidArgument):
            self._wait_longer()
        elif len(messages) > 1:
            # One bad message has the whole request refused, so they are halved until it is alone.
            self._chunk = len(messages) // 2
        else:
            path = outbox.set_aside()
            self.counts["refused"] += 1
            log.error("Pub/Sub refuses a message for good; it is kept as %s", path.name)

    def _wait_longer(self) -> None:
        self._pause = min(LONGEST_DELIVERY_PAUSE, max(1.0, 2 * self._pause))
        self._next_try = self._clock() + self._pause
