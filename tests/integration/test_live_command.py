"""`mltox live` as a person runs it: the emulator, the page, Ctrl-C."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from mltox.warehouse import open_warehouse
from tests.integration.live_process import wait_for
from tests.integration.pubsub import need_emulator

pytestmark = pytest.mark.drill


def fetched(where: str) -> str:
    with urllib.request.urlopen(where, timeout=30) as answer:
        body: str = answer.read().decode()
    return body


def test_the_sample_streams_the_page_follows_and_ctrl_c_drains(tmp_path: Path) -> None:
    need_emulator()
    log = tmp_path / "live.log"
    command = [sys.executable, "-m", "mltox", "live", "--speed", "20000", "--port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output)
    try:
        where = wait_for(log, r"http://127\.0\.0\.1:\d+/", 90)
        deadline = time.monotonic() + 90
        while "Topic</h2>" not in (page := fetched(where)) and time.monotonic() < deadline:
            time.sleep(1)
        assert "Topic</h2>" in page and "Sample data" in page, log.read_text()[-3000:]
        first = json.loads(fetched(where + "status"))
        time.sleep(12)
        later = json.loads(fetched(where + "status"))
        assert later["version"] != first["version"] and later["problem"] is None
        process.send_signal(2)
        assert process.wait(60) == 0, log.read_text()[-3000:]
    finally:
        process.kill()
        process.wait()
    said = log.read_text()
    kept = re.search(r"posts kept +([\d,]+)", said)
    before = re.search(r"posts before the stream: ([\d,]+)", said)
    assert kept and before and "Traceback" not in said and "ERROR" not in said
    streamed_and_before = [int(found[1].replace(",", "")) for found in (kept, before)]
    with open_warehouse(str(tmp_path / "live" / "live.duckdb")) as warehouse:
        (row,) = warehouse.query(
            "SELECT (SELECT COUNT(*) FROM scored_posts) AS posts,"
            " (SELECT SUM(posts) FROM latest_hourly_toxicity)::BIGINT AS counted,"
            " (SELECT COUNT(*) FROM scored_posts WHERE toxicity IS NOT NULL) AS scored"
        ).to_pylist()
    assert row["posts"] == row["counted"] == sum(streamed_and_before)
    assert streamed_and_before[0] > 500
    assert row["scored"] > 0
