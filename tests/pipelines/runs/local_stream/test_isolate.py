from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.authors import AuthorKeys
from mltox.posts.formats import decode
from mltox.posts.records import Message
from pipelines.runs.local_stream.isolate import run_isolating
from pipelines.runs.local_stream.turn import TurnDefect, TurnError

AUTHORS = AuthorKeys(b"a long enough key for tests")


class Tables:
    def __init__(self, bad: set[int], fails_empty: bool = False) -> None:
        self.bad, self.fails_empty, self.turns = bad, fails_empty, 0
        self.kept: list[str] = []

    def run(self, messages: Sequence[Message]) -> dict[str, int]:
        self.turns += 1
        if self.fails_empty or any(m.payload.isdigit() and int(m.payload) in self.bad
                                   for m in messages):  # fmt: skip
            raise TurnDefect("ValueError: of alice")
        self.kept += [f"{m.origin}:{b'mltox_notice' in m.payload}" for m in messages]
        return {"rows_read": len(messages)}


@given(st.integers(0, 60), st.sets(st.integers(0, 59), max_size=5))
def test_every_message_is_kept_or_a_letter_each_once_and_in_order(
    count: int, bad: set[int]
) -> None:
    tables = Tables(bad)
    messages = [Message(str(number).encode(), str(number)) for number in range(count)]
    counts = run_isolating(messages, tables.run, AUTHORS)
    assert tables.kept == [f"{number}:{number in bad}" for number in range(count)]
    assert counts["rows_read"] == count
    assert tables.turns <= 2 + 2 * 8 * max(1, len(bad))


def test_what_fails_without_any_message_is_not_for_one() -> None:
    with pytest.raises(TurnDefect):
        run_isolating([Message(b"1", "1")], Tables(set(), fails_empty=True).run, AUTHORS)


def test_the_tables_trouble_is_nobodys_fault() -> None:
    def run(messages: Sequence[Message]) -> dict[str, int]:
        raise TurnError("the disk is full")

    with pytest.raises(TurnError, match="disk"):
        run_isolating([Message(b"1", "1")], run, AUTHORS)


def test_the_letter_tells_neither_who_nor_what() -> None:
    found: list[Message] = []

    def run(messages: Sequence[Message]) -> dict[str, int]:
        if any(b"alice" in m.payload for m in messages):
            raise TurnDefect("ValueError: said alice")
        found.extend(messages)
        return {}

    run_isolating([Message(b'{"author": "alice", "text": "hi"}', "o")], run, AUTHORS)
    (letter,) = decode(found[0].payload, authors=AUTHORS, now=0)
    assert letter[:2] == ("turn_failed", "the message fails its turn: ValueError")
    assert "alice" not in str(letter) and "hi" in str(letter)
