from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.cursors.store import StateError
from ingest.outbox import Outbox
from mltox.google.pubsub.messages import Outgoing


def message(number: int, size: int = 10) -> Outgoing:
    return Outgoing("t", f"{number:0{size}}".encode(), {"post_id": f"x:{number}", "ключ": "€"})


def drained(outbox: Outbox, step: int = 7) -> Iterator[Outgoing]:
    while found := outbox.first(step):
        yield from found
        outbox.drop(len(found))


def test_messages_come_out_in_order_and_whole_whatever_is_appended_meanwhile(
    tmp_path: Path,
) -> None:
    rng, written, read = random.Random(3), 0, []
    with closing(Outbox(tmp_path)) as outbox:
        for _ in range(200):
            batch = [message(written + index) for index in range(rng.randrange(5))]
            outbox.append(batch)
            written += len(batch)
            found = outbox.first(rng.randrange(1, 6))
            taken = rng.randrange(len(found) + 1)
            read += found[:taken]
            outbox.drop(taken)
            assert len(outbox) == written - len(read)
        read += drained(outbox)
        assert read == [message(number) for number in range(written)]
        assert len(outbox) == 0
    assert (tmp_path / "outbox.sqlite").stat().st_size < 40_000  # what is sent takes no room


def test_what_waited_is_there_for_the_next_run(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path)) as outbox:
        outbox.append([message(1), message(2)])
        outbox.first(1)
        outbox.drop(1)
    with closing(Outbox(tmp_path)) as outbox:
        outbox.append([message(3)])
        assert len(outbox) == 2
        assert list(drained(outbox)) == [message(2), message(3)]


@pytest.mark.parametrize("cut", [1, 40, 2_000, 5_000, 9_000])
def test_an_append_that_is_torn_is_none_and_what_came_before_it_is_whole(
    tmp_path: Path, cut: int
) -> None:
    """A loss of power may leave half of the last append in the write-ahead log."""
    first, second = tmp_path / "first", tmp_path / "second"
    with closing(Outbox(first)) as outbox:
        outbox.append([message(1), message(2)])
        outbox.append([message(number, size=900) for number in range(3, 9)])
        shutil.copytree(first, second)  # as the disk is at this moment
    log = second / "outbox.sqlite-wal"
    log.write_bytes(log.read_bytes()[:-cut])
    with closing(Outbox(second)) as outbox:
        outbox.append([message(9)])
        found = list(drained(outbox))
    assert found in (
        [message(1), message(2), message(9)],
        [message(9)],
    )
    assert cut > 5_000 or found[0] == message(1)


def test_killed_while_it_appends_nothing_that_was_promised_is_lost(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from ingest.outbox import Outbox; from mltox.google.pubsub.messages import Outgoing\n"
        "outbox, number = Outbox(Path(sys.argv[1])), 0\n"
        "while True:\n"
        "    outbox.append([Outgoing('t', b'%d' % (number + n), {}) for n in range(50)])\n"
        "    number += 50\n"
        "    print(number, flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        promised = [int(process.stdout.readline()) for _ in range(30)][-1]
        os.kill(process.pid, signal.SIGKILL)
    with closing(Outbox(tmp_path)) as outbox:
        found = [int(each.data) for each in drained(outbox, 1000)]
    assert len(found) >= promised
    assert found == list(range(len(found)))


def test_two_runs_do_not_share_one(tmp_path: Path) -> None:
    first = Outbox(tmp_path)
    with pytest.raises(StateError, match="in use by another run"):
        Outbox(tmp_path)
    first.close()
    Outbox(tmp_path).close()


def test_it_is_full_at_its_size_and_has_room_again(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path, max_bytes=500)) as outbox:
        outbox.append([message(1)])
        full = [outbox.full]
        outbox.append([message(2, size=600)])
        full.append(outbox.full)
        assert list(drained(outbox)) == [message(1), message(2, size=600)]
        assert [*full, outbox.full] == [False, True, False]


def test_a_refused_message_is_kept_for_a_person(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path)) as outbox:
        outbox.append([message(1), message(2)])
        path = outbox.set_aside()
        assert "0000000001" in path.read_text()
        assert list(drained(outbox)) == [message(2)]


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="Not a directory"):
        Outbox(tmp_path / "file" / "outbox")


def test_messages_of_an_earlier_mltox_are_not_left_behind_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "000000000001.messages").write_bytes(b"")
    with pytest.raises(StateError, match="earlier mltox"):
        Outbox(tmp_path)


def test_a_disk_that_is_full_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path)) as outbox:
        outbox.append([message(1)])
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(StateError, match=r"cannot write to .*outbox.sqlite: "):
                outbox.append([message(number, size=50_000) for number in range(2, 9)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert len(outbox) == 1
        outbox.append([message(2)])
        assert list(drained(outbox)) == [message(1), message(2)]
