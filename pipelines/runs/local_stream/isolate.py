"""A turn that fails over one message goes on without it.

Halves are tried until the message is alone; then a dead letter stands for it. The others are in the
tables by then, each half in a transaction of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import orjson

from mltox.posts.authors import AuthorKeys
from mltox.posts.formats.masked import masked_json, masked_text
from mltox.posts.formats.own import notice
from mltox.posts.records import Message
from pipelines.runs.local_stream.turn import TurnDefect

Run = Callable[[Sequence[Message]], Mapping[str, int]]
"""Brings messages into the tables, all or nothing, and returns counters. Raises TurnDefect."""


def run_isolating(messages: Sequence[Message], run: Run, authors: AuthorKeys) -> Counter[str]:
    """Runs all messages, those that fail alone as dead letters, and returns the counters of all.

    Raises TurnDefect where a run without any message fails too: then it is not for them.
    """
    try:
        return Counter(run(messages))
    except TurnDefect:
        if not messages:
            raise
    counts = Counter(run(()))
    pending = [messages]
    while pending:
        part = pending.pop()
        try:
            counts.update(run(part))
        except TurnDefect as error:
            if len(part) > 1:
                half = len(part) // 2
                pending += [part[half:], part[:half]]
            else:
                counts.update(run([letter_of(part[0], error, authors)]))
    return counts


def letter_of(message: Message, error: TurnDefect, authors: AuthorKeys) -> Message:
    """The message as a dead letter `turn_failed`. What the error says may quote the message."""
    try:
        payload = masked_json(orjson.loads(message.payload), authors)
    except ValueError:
        payload = masked_text(message.payload[:40_000].decode("utf-8", "replace"))
    kind = str(error).partition(":")[0]
    reason = kind if kind.isidentifier() else "an error"
    what = f"the message fails its turn: {reason[:100]}"
    return Message(notice("turn_failed", what, payload), message.origin)
