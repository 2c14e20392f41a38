"""What a line of X's filtered stream says.

https://docs.x.com/x-api/fundamentals/consuming-streaming-data
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from ingest.sources.x.errors import TOO_MANY, XError
from ingest.sources.x.pages import id_of, reads
from ingest.sources.x.rules import topics_of_tags


class Parsed(NamedTuple):
    """A line. `post_id` is 0 where there is none, `reads` how many posts X charges for it,
    `trouble` what X reports in place of a post."""

    post_id: int = 0
    topics: tuple[str, ...] = ()
    reads: int = 0
    trouble: XError | None = None
    ends: bool = False
    """X is about to close the connection."""


def parsed_line(line: bytes) -> Parsed:
    """Reads a line. One that is no JSON is as good as a post: whoever decodes it will see."""
    try:
        message = orjson.loads(line)
    except ValueError:
        return Parsed(reads=1)
    if not isinstance(message, dict):
        return Parsed(reads=1)
    if "data" not in message and ("errors" in message or "connection_issue" in message):
        # another connection of the same app has taken its place
        status = TOO_MANY if "connection_issue" in message else 200
        return Parsed(trouble=XError.of(status, {}, line), ends=_is_disconnect(message))
    post = message.get("data")
    post_id = id_of(post)
    return Parsed(post_id, topics_of_tags(_tags(message)), reads(message) if post_id else 0)


def _is_disconnect(message: dict[str, Any]) -> bool:
    errors = message.get("errors")
    reports = [message, *(errors if isinstance(errors, list) else [])]
    return any(
        isinstance(report, dict) and ("disconnect_type" in report or "connection_issue" in report)
        for report in reports
    )


def _tags(message: dict[str, Any]) -> list[str]:
    listed = message.get("matching_rules")
    rules = listed if isinstance(listed, list) else []
    tags = [rule.get("tag") for rule in rules if isinstance(rule, dict)]
    return [tag for tag in tags if isinstance(tag, str)]
