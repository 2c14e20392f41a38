"""The pace at which the sample is published, and how much goes into a request."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.live import disorder_minutes, emptied, parser, recent_sample
from commands.publish import arrivals
from mltox.posts.records import HOUR, SECOND
from mltox.warehouse import WarehouseError

NOW = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()) * SECOND


def row(seconds: int) -> bytes:
    """A post of so many seconds before NOW."""
    moment = datetime.fromtimestamp(NOW // SECOND - seconds, UTC).isoformat()
    return json.dumps({"id": str(seconds), "text": "hello", "created_at": moment}).encode()


def test_rows_come_at_the_stamp_of_their_post_and_keep_their_order() -> None:
    rows = [row(50), b"{", row(60), b"\xff", row(40), row(-900_000), row(10)]
    found = list(arrivals(rows, NOW))
    assert [arrival.payload for arrival in found] == rows
    assert [(NOW - arrival.at) // SECOND for arrival in found] == [50, 50, 50, 50, 40, 40, 10]


def test_the_sample_lies_in_the_last_four_whole_weeks(tmp_path: Path) -> None:
    sample = recent_sample(tmp_path, 300)
    now = int(datetime.now(UTC).timestamp()) * SECOND
    lines = sample.posts_path.read_bytes().rstrip(b"\n").split(b"\n")
    stamps = [arrival.at for arrival in arrivals(lines, now)]
    assert len(stamps) == sample.rows
    assert now - 36 * 24 * HOUR < stamps[0] < now - 26 * 24 * HOUR
    assert stamps[-1] <= now


def test_a_faster_stream_is_less_in_order() -> None:
    assert disorder_minutes(1) == disorder_minutes(60) == 10
    assert disorder_minutes(20_000) == 1000


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_a_speed_that_is_none_is_refused(speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--speed", speed])
    assert ended.value.code == 2
    assert "--speed" in capsys.readouterr().err


def test_an_earlier_run_goes_but_nothing_that_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "live.duckdb").write_text("a letter, no database")
    with pytest.raises(WarehouseError, match="not a DuckDB file"):
        emptied(tmp_path)
    (tmp_path / "live.duckdb").unlink()
    assert emptied(tmp_path) == str(tmp_path / "live.duckdb")
    assert not (tmp_path / "live.duckdb").exists()
