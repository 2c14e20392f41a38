"""Drills of a warehouse that cannot be written for a while: said in one line, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.live_process import Live, told, wait_for, wait_for_all
from tests.integration.pubsub import drill, emulated, need_emulator, publish
from tests.integration.small_disk import small_disk
from tests.integration.truth import check

pytestmark = pytest.mark.drill

SMALL = 1_500_000


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(tmp_path: Path) -> None:
    need_emulator()
    expected = drill(2_000, 21, padding=3_000)
    log = tmp_path / "live.log"
    with small_disk(tmp_path / "small", SMALL) as disk, emulated() as address:
        path = disk.folder / "live.duckdb"
        with Live(path, address, log) as live:
            disk.fill(live.process.pid)
            publish(expected.payloads)
            wait_for(log, r"live\.duckdb can't grow: [a-z ]+; \d+ messages wait")
            assert live.process.poll() is None
            assert told(log).posts < len(expected.posts)
            disk.make_room(live.process.pid)
            wait_for_all(log, len(expected.posts), expected.malformed)
            assert live.stop() == 0
        check(path, expected)
    assert "Traceback" not in log.read_text()


def test_ctrl_c_on_a_full_disk_ends_with_one_line_and_the_next_run_has_it_all(
    tmp_path: Path,
) -> None:
    need_emulator()
    expected = drill(2_000, 22, padding=3_000)
    log = tmp_path / "live.log"
    with small_disk(tmp_path / "small", SMALL) as disk, emulated() as address:
        path = disk.folder / "live.duckdb"
        with Live(path, address, log) as live:
            disk.fill(live.process.pid)
            publish(expected.payloads)
            wait_for(log, "messages wait")
            assert live.stop() == 2
        (said,) = [line for line in log.read_text().splitlines() if line.startswith("mltox:")]
        assert said.startswith(f"mltox: {path} can't grow")
        with Live(path, address, log) as live:
            disk.make_room(live.process.pid)
            wait_for_all(log, len(expected.posts), expected.malformed)
            assert live.stop() == 0
        check(path, expected)
    assert "Traceback" not in log.read_text()


def test_a_file_that_another_process_holds_is_said_and_the_messages_wait(tmp_path: Path) -> None:
    need_emulator()
    expected = drill(500, 23)
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    with emulated() as address:
        publish(expected.payloads)
        with DuckDBWarehouse(path) as holder:
            holder.create()
            with Live(path, address, log) as live:
                assert live.process.wait(600) == 2
        (said,) = [line for line in log.read_text().splitlines() if line.startswith("mltox:")]
        assert said.startswith(f"mltox: {path} is in use by another mltox run")
        with Live(path, address, log) as live:
            wait_for_all(log, len(expected.posts), expected.malformed)
            assert live.stop() == 0
    check(path, expected)
    assert "Traceback" not in log.read_text()
