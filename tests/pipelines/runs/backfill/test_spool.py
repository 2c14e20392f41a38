from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.posts.records import DAY, HOUR, Message
from pipelines.runs.backfill import spool as module
from pipelines.runs.backfill.spool import Spool, read_messages


def messages_in(spool: Spool, files: tuple[str, ...]) -> list[Message]:
    return [message for file in files for message in read_messages(file, spool.key)]


def test_slices_are_whole_days_in_order_and_hours_of_a_day_that_is_too_large(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path)
    for day, count in ((3, 2), (1, 2), (2, 1)):
        for i in range(count):
            spool.write(Message(b"%d" % day, f"f:{i}"), day * DAY + i)
    for i, hour in enumerate((5, 1, 1, 5, 5, 5, 20)):
        spool.write(Message(b"9", f"f:{i}"), 9 * DAY + hour * HOUR)
    spool.write(Message(b"?", "f:9"), None)
    slices = list(spool.slices(most=3))
    assert [(s.start, s.end, s.messages) for s in slices] == [
        (None, None, 1),
        (1 * DAY, 3 * DAY, 3),
        (3 * DAY, 4 * DAY, 2),
        (9 * DAY + HOUR, 9 * DAY + 2 * HOUR, 2),
        (9 * DAY + 5 * HOUR, 9 * DAY + 6 * HOUR, 4),
        (9 * DAY + 20 * HOUR, 9 * DAY + 21 * HOUR, 1),
    ]
    assert spool.messages == 13
    payloads = [[m.payload for m in messages_in(spool, s.files)] for s in slices]
    assert payloads == [[b"?"], [b"1", b"1", b"2"], [b"3", b"3"], [b"9"] * 2, [b"9"] * 4, [b"9"]]
    assert spool.first == DAY


def test_dead_letters_and_large_messages_are_sliced_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNDATED_AT_MOST", 3)
    monkeypatch.setattr(module, "MOST_SLICE_BYTES", 100)
    spool = Spool(tmp_path)
    for number in range(7):
        spool.write(Message(b"x", f"f:{number}"), None)
    for day in range(3):
        spool.write(Message(b"y" * 60, f"f:{day}"), day * DAY)
    slices = list(spool.slices(most=1_000))
    assert [part.messages for part in slices] == [3, 3, 1, 1, 1, 1]
    found = [m.origin for part in slices for m in messages_in(spool, part.files)]
    assert found == [f"f:{n}" for n in (*range(7), *range(3))]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(Message(b"the text of a post", "f:1"), DAY)
    spool.close()
    (path,) = tmp_path.iterdir()
    assert b"text" not in path.read_bytes()
    with pytest.raises(InvalidTag):
        list(read_messages(str(path), Spool(tmp_path).key))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.binary(max_size=50), st.integers(-3, 400)), max_size=120))
def test_what_is_written_is_read(tmp_path_factory: object, rows: list[tuple[bytes, int]]) -> None:
    folder = tmp_path_factory.mktemp("spool")  # type: ignore[attr-defined]
    spool = Spool(folder)
    for i, (payload, day) in enumerate(rows):
        spool.write(Message(payload, f"file {i}"), day * DAY)
    read = [m for part in spool.slices(most=10) for m in messages_in(spool, part.files)]
    assert sorted(read) == sorted(Message(p, f"file {i}") for i, (p, _) in enumerate(rows))
