"""Deletions from a subscription into the warehouse.

A message is acknowledged when the warehouse has forgotten its post, or has none of it: what comes
later is forgotten as well. One that BigQuery can't forget yet comes again after a while, and so
does one that is no deletion, until Pub/Sub gives it up.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mltox.google.pubsub.leases import Leases
from mltox.google.pubsub.messages import Received
from mltox.google.pubsub.subscription import Subscription
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import DELETION, Reject
from mltox.posts.formats import decode
from mltox.warehouse import Warehouse
from mltox.warehouse.forgetting import Forgotten

log = logging.getLogger(__name__)

DELETIONS_AT_ONCE = 5_000
"""Messages whose posts are forgotten at once."""
AGAIN_SECONDS = 600
"""Pub/Sub's longest acknowledgement deadline."""
SWEEP_SECONDS = 3600.0
"""How often posts are looked for that came later than their deletion, if no deletion comes."""
NOBODY = AuthorKeys(b"no pseudonym leaves here")


def deletions_of(payload: bytes) -> list[str]:
    """The posts that a message says are gone: `{"schema": 1, "deleted": "<post_id>"}`, or what the
    network itself sends. Empty where it is not about deletions alone, or does not tell of which
    post."""
    found = list(decode(payload, authors=NOBODY, now=0))
    gone = [
        item.post_id
        for item in found
        if isinstance(item, Reject) and item.error_type == DELETION and item.post_id is not None
    ]
    return gone if len(gone) == len(found) else []


@dataclass
class Deletions:
    """Counts `deletions`, `posts`, `letters`, `anomalies`, `waiting` and `unreadable`."""

    subscription: Subscription
    warehouse: Warehouse
    stopping: threading.Event = field(default_factory=threading.Event)
    totals: Counter[str] = field(default_factory=Counter)
    _swept: float = -math.inf

    def turn(self, gather: float, *, until_empty: bool = False) -> int:
        """Forgets what comes within `gather` seconds, or what is there, AT_MOST messages; returns
        how many they were.

        Raises SubscriptionError, and WarehouseError, where the messages are given back.
        """
        received = self._gather(gather, until_empty)
        if not received and time.monotonic() - self._swept < SWEEP_SECONDS:
            return 0
        self._swept = time.monotonic()
        gone = {each.ack_id: deletions_of(each.payload) for each in received}
        with Leases(self.subscription) as leases:
            leases.hold(gone)
            forgotten = self.warehouse.forget({post for posts in gone.values() for post in posts})
            leases.let_go(gone)
        self._answer(received, gone, forgotten)
        return len(received)

    def _gather(self, seconds: float, until_empty: bool) -> list[Received]:
        found: list[Received] = []
        deadline = time.monotonic() + seconds
        while len(found) < DELETIONS_AT_ONCE and not self.stopping.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                break
            new = self.subscription.pull(DELETIONS_AT_ONCE - len(found), min(left, 1.0))
            if until_empty and not new:
                break
            found += new
            self.subscription.extend([each.ack_id for each in found])
        return found

    def _answer(
        self, received: Sequence[Received], gone: dict[str, list[str]], forgotten: Forgotten
    ) -> None:
        done: list[str] = []
        later: list[str] = []
        for each in received:
            posts = gone[each.ack_id]
            if not posts:
                # Its content stays out of the log; the id finds it.
                log.warning("message %s is no deletion and stays", each.message_id)
                self.totals["unreadable"] += 1
            waits = not posts or not forgotten.waiting.isdisjoint(posts)
            (later if waits else done).append(each.ack_id)
            self.totals["waiting" if posts and waits else "deletions"] += len(posts)
        self.subscription.acknowledge(done)
        self.subscription.extend(later, AGAIN_SECONDS)
        self.totals["posts"] += forgotten.posts
        self.totals["letters"] += forgotten.letters
        self.totals["anomalies"] += forgotten.anomalies
