"""Messages as they come and go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Outgoing(NamedTuple):
    """A message and the Pub/Sub topic that it is for (projects/PROJECT/topics/NAME).

    Subscriptions can be filtered by the attributes.
    """

    topic: str
    data: bytes
    attributes: Mapping[str, str]


class Received(NamedTuple):
    """A message. `message_id` is the same when it is delivered again, `ack_id` is not."""

    ack_id: str
    message_id: str
    payload: bytes
    attributes: Mapping[str, str]
