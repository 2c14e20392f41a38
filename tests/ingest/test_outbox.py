from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest import outbox as module
from ingest.cursors.store import StateError
from ingest.messages import Outgoing
from ingest.outbox import Outbox


def message(number: int, size: int = 10) -> Outgoing:
    return Outgoing("t", f"{number:0{size}}".encode(), {"post_id": f"x:{number}", "ключ": "€"})


def drained(outbox: Outbox, step: int = 7) -> Iterator[Outgoing]:
    while found := outbox.first(step):
        yield from found
        outbox.drop(len(found))


def test_messages_come_out_in_order_and_whole_whatever_is_appended_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 300)
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
    assert not list(tmp_path.glob("*.messages"))


def test_what_waited_is_there_for_the_next_run(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path)) as outbox:
        outbox.append([message(1), message(2)])
        outbox.first(1)
        outbox.drop(1)
    with closing(Outbox(tmp_path)) as outbox:
        outbox.append([message(3)])
        assert len(outbox) == 3
        assert list(drained(outbox)) == [message(1), message(2), message(3)]


@pytest.mark.parametrize("cut", [1, 5, 12, 40])
def test_half_a_message_at_the_end_is_none(tmp_path: Path, cut: int) -> None:
    with closing(Outbox(tmp_path)) as outbox:
        outbox.append([message(1), message(2)])
    (path,) = tmp_path.glob("*.messages")
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    with closing(Outbox(tmp_path)) as outbox:
        outbox.append([message(3)])
        assert list(drained(outbox)) == [message(1), message(3)]


def test_killed_while_it_appends_nothing_that_was_promised_is_lost(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from ingest.outbox import Outbox; from ingest.messages import Outgoing\n"
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
