"""Fills what a stream missed from recent search."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from ingest.sources.handover import Handover
from ingest.sources.source import Batch, SourceError
from ingest.sources.x.budget import BudgetSpent
from ingest.sources.x.pages import PagePost
from ingest.sources.x.position import OVERLAP_MS
from ingest.sources.x.reader import XReader
from ingest.sources.x.rules import queries
from ingest.sources.x.spans import IdSpan, id_spans
from mltox.posts.formats.x_v2 import first_id_at
from mltox.posts.topics import Topic

log = logging.getLogger(__name__)

MINUTE_MS = 60_000


def backfill_minutes(missing_ms: int, allowed: int | None) -> int | None:
    """Returns how many minutes X is to send again, None where it may not or nothing is missing."""
    if allowed is None or missing_ms <= 0:
        return None
    needed = math.ceil((missing_ms + OVERLAP_MS) / MINUTE_MS)
    return needed if needed <= allowed else None


def fill_gap(
    reader: XReader,
    topics: Sequence[Topic],
    rule_length: int,
    after: int,
    until_ms: int,
    hand: Handover,
) -> None:
    """Hands over the posts after an id and before a time, the oldest first.

    What can't be asked for is logged, since the stream goes on; raises BudgetSpent.
    """
    try:
        for span in id_spans(after, until_ms):
            until = first_id_at(until_ms) if span.until is None else span.until
            if until > span.after:  # a clock may have been set back
                _fill_span(reader, topics, rule_length, IdSpan(span.after, until), hand)
    except BudgetSpent:
        raise
    except SourceError as error:
        log.error("what the stream missed can't be searched for and stays missing: %s", error)


def _fill_span(
    reader: XReader, topics: Sequence[Topic], rule_length: int, span: IdSpan, hand: Handover
) -> None:
    by_post: dict[PagePost, list[str]] = {}
    spent = None
    for topic in topics:
        found = reader.read(queries(topic, rule_length), span, hand)
        for post in found.posts:
            by_post.setdefault(post, []).append(topic.name)
        if (spent := found.spent) is not None:
            break
    for post, names in sorted(by_post.items()):
        hand.put(Batch((post.payload,), None, tuple(names)))
    if spent is not None:
        raise spent
