from __future__ import annotations

import threading

from ingest.pace import paced
from mltox.posts.records import SECOND


def test_rows_without_a_stamp_do_not_hold_up_those_behind_them() -> None:
    """The first row of a file may be broken: it came at 0, and all others decades later."""
    start = 1_750_000_000 * SECOND
    rows = [(0, "broken"), (start, "first"), (start, "second"), (start + SECOND, "later")]
    found = [row for due in paced(rows, 10.0, threading.Event()) for row in due]
    assert found == ["broken", "first", "second", "later"]


def test_what_is_not_due_is_not_given_and_it_can_be_stopped() -> None:
    start = 1_750_000_000 * SECOND
    stopping = threading.Event()
    found = []
    for due in paced([(start, "now"), (start + 10**6 * SECOND, "in days")], 1.0, stopping):
        found.append(due)
        if len(found) == 3:
            stopping.set()
    assert found == [["now"], [], []]
