from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.posts.records import DAY, Message
from pipelines.runs.backfill.spool import Spool, read_messages


def messages_in(folder: Path, files: tuple[str, ...]) -> list[Message]:
    return [message for file in files for message in read_messages(file)]


def test_slices_are_whole_days_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for day, count in ((3, 2), (1, 2), (2, 1), (9, 7)):
        for i in range(count):
            spool.write(Message(b"%d" % day, f"f:{i}"), day * DAY + i)
    spool.write(Message(b"?", "f:9"), None)
    slices = spool.slices(most=3)
    assert [(s.start, s.end, s.messages) for s in slices] == [
        (None, None, 1),
        (1 * DAY, 3 * DAY, 3),
        (3 * DAY, 4 * DAY, 2),
        (9 * DAY, 10 * DAY, 7),
    ]
    assert spool.messages == 13
    payloads = [[m.payload for m in messages_in(tmp_path, s.files)] for s in slices]
    assert payloads == [[b"?"], [b"1", b"1", b"2"], [b"3", b"3"], [b"9"] * 7]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.binary(max_size=50), st.integers(-3, 400)), max_size=120))
def test_what_is_written_is_read(tmp_path_factory: object, rows: list[tuple[bytes, int]]) -> None:
    folder = tmp_path_factory.mktemp("spool")  # type: ignore[attr-defined]
    spool = Spool(folder)
    for i, (payload, day) in enumerate(rows):
        spool.write(Message(payload, f"file {i}"), day * DAY)
    read = [m for part in spool.slices(most=10) for m in messages_in(folder, part.files)]
    assert sorted(read) == sorted(Message(p, f"file {i}") for i, (p, _) in enumerate(rows))
