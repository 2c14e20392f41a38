"""`mltox detect` on files as people have them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from commands.detect import main, seconds_of_stamp, series_of
from mltox.base.errors import UsageError

START = datetime(2026, 1, 5, tzinfo=UTC)


def hourly(path: Path, counts: list[float], step: timedelta = timedelta(hours=1)) -> Path:
    lines = ["time,posts"]
    lines += [f"{(START + n * step).isoformat()},{count}" for n, count in enumerate(counts)]
    path.write_text("\n".join(lines) + "\n")
    return path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def noise(length: int, mean: float = 50.0) -> list[float]:
    return [float(n) for n in np.random.default_rng(0).poisson(mean, length)]


@pytest.mark.parametrize("detector", ["general", "seasonal"])
def test_a_spike_is_found_by_either_detector(
    detector: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = noise(600)
    counts[500] = 400.0
    path = hourly(tmp_path / "series.csv", counts)
    assert main([str(path), "--detector", detector]) == 0
    out, err = capsys.readouterr()
    found = rows(out)
    assert (START + timedelta(hours=500)).isoformat().replace("+00:00", "Z") in {
        row["time"] for row in found
    }
    assert len(found) <= 5
    assert err.startswith("600 rows, ")


def test_all_rows_can_be_written_to_a_file(tmp_path: Path) -> None:
    path, out = hourly(tmp_path / "series.csv", noise(100)), tmp_path / "scores.csv"
    assert main([str(path), "--all", "--out", str(out)]) == 0
    assert len(rows(out.read_text())) == 100


def test_rows_that_are_none_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "series.csv"
    path.write_text("when,x\n2026-01-01T00:00,1\n,2\n2026-01-01T01:00,nan\nsoon,4\n60,inf\n")
    assert main([str(path), "--time-column", "when"]) == 0
    assert "1 rows, 0 anomalous, 4 refused" in capsys.readouterr().err


def test_the_order_of_the_rows_does_not_matter() -> None:
    lines = ["ds,y", *(f"{60 * n},{n % 7}" for n in range(50))]
    backwards = [lines[0], *reversed(lines[1:])]
    assert series_of(lines, None, None) == series_of(backwards, None, None)


def test_a_missing_column_is_one_line_with_those_that_are_there() -> None:
    with pytest.raises(UsageError, match="give --time-column: the columns are a, b"):
        series_of(["a,b", "1,2"], None, None)
    with pytest.raises(UsageError, match="give --value-column"):
        series_of(["time", "1"], None, None)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"time,v\n"])
def test_a_file_that_is_no_series_is_no_crash(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "series.csv"
    path.write_bytes(content)
    assert main([str(path)]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


def test_no_file_and_no_rate_are_refused(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none.csv")]) == 2
    path = hourly(tmp_path / "series.csv", noise(10))
    assert main([str(path), "--false-alarms-per-month", "0"]) == 2


def test_times_with_an_offset_are_told_apart_from_utc() -> None:
    assert (
        seconds_of_stamp("1970-01-01T02:00+01:00") == seconds_of_stamp("1970-01-01T01:00") == 3600.0
    )
