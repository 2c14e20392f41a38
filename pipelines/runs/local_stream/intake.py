"""Pulls the messages of the next turn while this one runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from mltox.google.pubsub.leases import Leases
from mltox.google.pubsub.messages import Received
from mltox.google.pubsub.subscription import Subscription

PULL_SECONDS = 1.0
"""How long one request waits for messages, and so how long a stop may take to be heard."""


@dataclass(frozen=True)
class Pace:
    """How large a turn is, and how much may wait for the next.

    `gather`: seconds that a first message waits for others where no turn runs, for a turn costs CPU
    time whatever it carries. `wait`: seconds after which a turn comes without any.
    """

    messages: int = 12_000
    bytes: int = 64_000_000
    gather: float = 0.2
    wait: float = 1.0


class Intake:
    """A context manager over the thread that pulls. Messages are held until they are acknowledged;
    those that are not by the end are given back.

    It pulls until `stopping` is set, and no more than `pace` lets wait. `arrived` hears of messages
    as they come, in the thread that pulls.
    """

    def __init__(
        self,
        subscription: Subscription,
        pace: Pace,
        stopping: threading.Event,
        arrived: Callable[[Sequence[Received]], None] = lambda received: None,
    ) -> None:
        self._subscription = subscription
        self._pace = pace
        self._stopping = stopping
        self._arrived = arrived
        self._leases = Leases(subscription)
        self._changed = threading.Condition()
        self._found: list[Received] = []
        self._bytes = 0
        self._first = 0.0
        self._failed: Exception | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._pull_until_stopped, daemon=True)

    def take(self) -> list[Received]:
        """What has come by now, at most a turn; waits `pace.wait` seconds for the first message.

        Raises what ended the pulling: SubscriptionError where the subscription cannot be used any
        more.
        """
        with self._changed:
            self._changed.wait_for(self._has_news, self._pace.wait)
            if self._found:
                gathering = self._first + self._pace.gather - time.monotonic()
                self._changed.wait_for(self._is_full_or_ended, max(0.0, gathering))
            if self._failed is not None:
                raise self._failed
            found, self._found, self._bytes = self._found, [], 0
            self._changed.notify_all()
            return found

    @property
    def is_done(self) -> bool:
        """Nothing waits, and nothing will come."""
        with self._changed:
            return self._ended and not self._found and self._failed is None

    def acknowledge(self, received: Sequence[Received]) -> None:
        ack_ids = [each.ack_id for each in received]
        self._leases.let_go(ack_ids)
        self._subscription.acknowledge(ack_ids)

    def _has_news(self) -> bool:
        return bool(self._found) or self._ended

    def _is_full(self) -> bool:
        return len(self._found) >= self._pace.messages or self._bytes >= self._pace.bytes

    def _is_full_or_ended(self) -> bool:
        return self._is_full() or self._ended

    def _pull_until_stopped(self) -> None:
        try:
            while not self._stopping.is_set():
                self._pull()
        except Exception as error:  # whoever takes messages raises it
            self._failed = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _pull(self) -> None:
        with self._changed:
            if self._is_full():
                self._changed.wait(PULL_SECONDS)
                return
            room = self._pace.messages - len(self._found)
        received = self._subscription.pull(room, PULL_SECONDS)
        if not received:
            return
        self._leases.hold([each.ack_id for each in received])
        self._arrived(received)
        with self._changed:
            if not self._found:
                self._first = time.monotonic()
            self._found += received
            self._bytes += sum(len(each.payload) for each in received)
            self._changed.notify_all()

    def __enter__(self) -> Self:
        self._leases.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._leases.__exit__()
