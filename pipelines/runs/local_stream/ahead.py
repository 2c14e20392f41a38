"""Scores texts as they arrive, while the graph is busy with an earlier turn.

The stages of a bounded run come one after the other, each in Python on one core; the model computes
on the others meanwhile. The graph then finds the scores among the scorer's recent texts.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Self

from mltox.base.clock import now_micros
from mltox.google.pubsub.messages import Received
from mltox.posts.envelope import Envelope
from mltox.posts.formats import decode
from pipelines.graph import Settings
from pipelines.transforms.model import shared_model
from pipelines.transforms.parse import topics_of_post


class ScoringAhead:
    """A context manager over a thread. Changes no result: a text has the same scores whenever it is
    scored."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._arrived: SimpleQueue[Sequence[Received] | None] = SimpleQueue()
        self._done = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._score_arrivals, daemon=True)

    def see(self, received: Sequence[Received]) -> None:
        """In the order in which turns take them."""
        self._arrived.put(received)

    def leave_out(self, count: int) -> None:
        """The `count` messages that a turn took are scored by now, if not ahead of it."""
        self._done += count

    def _score_arrivals(self) -> None:
        seen = 0
        while (received := self._arrived.get()) is not None and not self._ended.is_set():
            seen += len(received)
            if seen <= self._done:
                continue
            # What fails here fails again in the graph, which tells of it and goes on without the
            # post.
            with contextlib.suppress(Exception):
                self._score(received)

    def _score(self, received: Sequence[Received]) -> None:
        settings = self._settings
        texts: list[str] = []
        langs: list[str | None] = []
        for each in received:
            for post in decode(each.payload, authors=settings.authors, now=now_micros()):
                if isinstance(post, Envelope) and topics_of_post(
                    post, settings.matcher, settings.default_topic
                ):
                    texts.append(post.text)
                    langs.append(post.lang)
        shared_model(settings.model()).watched.at_work.score(texts, langs)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._arrived.put(None)
        self._thread.join()
