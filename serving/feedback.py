"""Where suggested scores go: nowhere, a file, or a Pub/Sub topic.

What is kept of a suggestion is the comment, the suggested scores, the languages and what the client
calls itself and the comment (`communityId`, `clientToken`). `sessionId` and `context` are not: they
name persons and pages.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from mltox.base.errors import UserError
from serving.contract.errors import unavailable

Keep = Callable[[dict[str, Any]], Awaitable[None]]
"""Takes a suggestion. Raises Refusal where it could not be kept."""
KEPT_FIELDS = ("comment", "attributeScores", "languages", "communityId", "clientToken")
PUBSUB = "pubsub:"


class FeedbackError(UserError):
    """Suggestions cannot be kept there; the message is one line for a person."""


def open_feedback(target: str | None) -> Keep:
    """`target` is a file (JSON Lines, appended to) or `pubsub:projects/P/topics/T`; None drops.

    Raises FeedbackError.
    """
    if target is None:
        return _drop
    if target.startswith(PUBSUB):
        return _topic(target.removeprefix(PUBSUB))
    return _file(Path(target))


async def _drop(message: dict[str, Any]) -> None:
    """Accepted, and forgotten."""


def _file(path: Path) -> Keep:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise FeedbackError(f"cannot write suggestions to {path}: {error.strerror}") from None

    async def keep(message: dict[str, Any]) -> None:
        line = _record(message) + b"\n"
        try:
            written = os.write(handle, line)
        except OSError:
            written = 0
        if written != len(line):
            raise unavailable("The suggestion could not be kept.")

    return keep


def _topic(topic: str) -> Keep:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.pubsub_v1 import PublisherClient

    if len(topic.split("/")) != 4:
        raise FeedbackError(f"{topic} is no topic: pubsub:projects/PROJECT/topics/TOPIC")
    try:
        publisher = PublisherClient()
    except (GoogleAuthError, GoogleAPIError) as error:
        raise FeedbackError(f"cannot publish suggestions to {topic}: {error}") from None

    async def keep(message: dict[str, Any]) -> None:
        try:
            future = publisher.publish(topic, _record(message))
            await asyncio.wait_for(asyncio.wrap_future(future), timeout=10)
        except (GoogleAPIError, TimeoutError):
            raise unavailable("The suggestion could not be kept.") from None

    return keep


def _record(message: dict[str, Any]) -> bytes:
    kept = {name: message[name] for name in KEPT_FIELDS if name in message}
    return orjson.dumps({"received_at": datetime.now(UTC).isoformat(), **kept})
