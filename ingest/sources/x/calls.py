"""Asks X again after the waits that it wishes, for as long as somebody reads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import requests

from ingest.sources.handover import Handover
from ingest.sources.x.backoff import Patience
from ingest.sources.x.errors import XError

log = logging.getLogger(__name__)

Wait = Callable[[Handover, float], None]
"""Waits so many seconds, no longer than somebody reads: `Handover.rest`."""

T = TypeVar("T")


def ask(question: Callable[[], T], hand: Handover, rest: Wait) -> T:
    """Returns the answer. Raises SourceError for what a new try cannot mend, Stopped once nobody
    reads any more, and what else the question raises."""
    patience = Patience()
    while True:
        hand.check()
        try:
            answer = question()
        except (XError, requests.RequestException) as error:
            seconds = patience.seconds(error, time.time())
            log.warning("X does not answer (%s); next try in %.0f s", error_kind(error), seconds)
            hand.trouble = f"X does not answer ({error_kind(error)})"
            rest(hand, seconds)
        else:
            hand.trouble = None
            return answer


def error_kind(error: Exception) -> str:
    """Names an error without what it may quote: addresses hold the keywords that are looked for."""
    return str(error) if isinstance(error, XError) else type(error).__name__
