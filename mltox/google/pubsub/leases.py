"""Keeps pulled messages from being delivered again, for as long as the work on them takes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import Self

from mltox.google.pubsub.subscription import LEASE_SECONDS, Subscription, SubscriptionError

log = logging.getLogger(__name__)


class Leases:
    """A context manager; at its end the messages that are still held are given back."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True)

    def hold(self, ack_ids: Collection[str]) -> None:
        """Raises SubscriptionError."""
        self._subscription.extend(list(ack_ids), LEASE_SECONDS)
        with self._lock:
            self._held.update(ack_ids)

    def let_go(self, ack_ids: Collection[str]) -> None:
        """Of messages that have been answered."""
        with self._lock:
            self._held.difference_update(ack_ids)

    def _renew(self) -> None:
        while not self._ended.wait(LEASE_SECONDS / 3):
            with self._lock:
                held = list(self._held)
            try:
                self._subscription.extend(held, LEASE_SECONDS)
            except SubscriptionError as error:  # the next pull or acknowledgement raises it
                log.warning("%s", error)
                return

    def __enter__(self) -> Self:
        self._renewing.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._renewing.join()
        with suppress(SubscriptionError):  # what brought us here says more
            self._subscription.extend(list(self._held), 0)
