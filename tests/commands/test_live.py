"""What `mltox live` refuses before it starts anything."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from commands.live import PAST_SPAN, parted, refuse_taken
from commands.publish import arrivals
from ingest.sources.sample.writing import write_sample
from mltox.base.errors import UsageError
from mltox.posts.records import DAY, HOUR


@pytest.mark.parametrize("given", [["--sped", "60"], ["--bundel", "x"], ["--speed", "0"]])
def test_a_typing_error_is_refused_before_anything_is_started(
    given: list[str], tmp_path: Path
) -> None:
    """No gcloud on the PATH: had the emulator been asked for first, the error would be another."""
    ended = subprocess.run(
        [sys.executable, "-m", "mltox", "live", *given],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2
    (said,) = [line for line in ended.stderr.splitlines() if "error:" in line]
    assert said.startswith("mltox live: error:") and given[0] in said
    assert "emulator is not installed" not in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_port_in_use_is_told_with_the_option_of_this_verb() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"^--port {port}: .*in use; give another --port$"):
            refuse_taken(port)
    refuse_taken(port)


def test_the_stream_begins_with_an_incident_and_two_weeks_lie_behind_it(tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "posts.jsonl", posts=2_000)
    past, coming = parted(sample)
    start = min(row.at for row in coming)
    first = arrivals(past[:1], start)
    (began,) = (row.at for row in first)
    origin = began - began % DAY
    assert start - origin >= PAST_SPAN
    begins = [origin + incident.start * HOUR for incident in sample.incidents]
    assert min(abs(start - at) for at in begins) < HOUR
    assert all(row.at >= start for row in coming)
    assert len(past) + len(coming) == sample.rows
