"""Scores a turn's texts while its graph is still busy with what comes before scoring.

The stages of a bounded run come one after the other, each in Python on one core; the model computes
on the others meanwhile. The graph then finds the scores among the scorer's recent texts.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

from ingest.envelope import Envelope
from ingest.formats import decode
from pipelines.records import Message
from pipelines.streaming import Settings
from pipelines.transforms.parse import now_micros, topics_of
from pipelines.transforms.score import BATCH_POSTS, shared_scorer

WORTH_IT = 500
"""Messages; fewer are scored before a thread would have begun."""


@contextlib.contextmanager
def scoring_ahead(messages: Sequence[Message], settings: Settings) -> Iterator[None]:
    """Changes no result: a text has the same scores whenever it is scored."""
    ended = threading.Event()
    if len(messages) >= WORTH_IT:
        threading.Thread(target=_score, args=(messages, settings, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _score(messages: Sequence[Message], settings: Settings, ended: threading.Event) -> None:
    # What fails here fails again in the graph, which tells of it and goes on without the post.
    with contextlib.suppress(Exception):
        watched = shared_scorer(settings.bundle, settings.model_threads, settings.watch_bundle)
        for texts, langs in _wanted(messages, settings):
            if ended.is_set():
                return
            watched.at_work.score(texts, langs)


def _wanted(
    messages: Sequence[Message], settings: Settings
) -> Iterator[tuple[list[str], list[str | None]]]:
    """Texts and languages of the posts that have a topic, a batch at a time."""
    for start in range(0, len(messages), BATCH_POSTS):
        texts: list[str] = []
        langs: list[str | None] = []
        for message in messages[start : start + BATCH_POSTS]:
            for post in decode(message.payload, authors=settings.authors, now=now_micros()):
                if isinstance(post, Envelope) and topics_of(
                    post, settings.matcher, settings.default_topic
                ):
                    texts.append(post.text)
                    langs.append(post.lang)
        yield texts, langs
