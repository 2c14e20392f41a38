"""A soak of a hostile mix: bombs, mutated payloads, strays in time, swaps of the model, kills.

For the long one: `SOAK_SECONDS=1200 SOAK_RATE=300 make drill PYTEST_ARGS=…`, with this file. By
default it takes about two minutes.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mltox.scoring import DEFAULT_BUNDLE, load_bundle
from mltox.scoring.bundle import DOCUMENT, MODEL, sha256_of
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.fuzz import payloads, seeds
from tests.integration.live_process import Live, wait_for, wait_for_quiet
from tests.integration.pubsub import drill, emulated, need_emulator, publish
from tests.mltox.scoring.tiny_onnx import model

pytestmark = pytest.mark.drill

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
RATE = int(os.environ.get("SOAK_RATE", "60"))
"""Messages a second, of which a third is hostile."""
GIGABYTE = 1_000_000_000


def bombs() -> Iterator[bytes]:
    """One after the other, without end."""
    post = {"id": "bomb", "text": "a bomb", "lang": "en"}
    made = [
        b"[" + b"1," * 30_000 + b"1]",
        b"[" * 5_000,
        json.dumps({**post, "created_at": "2000-01-01T00:00:00Z"}).encode(),
        json.dumps({**post, "created_at": "9999-99-99"}).encode(),
        json.dumps({**post, "text": "a" + "\u0301\u0323" * 10_000, "created_at": 1e300}).encode(),
        json.dumps(
            {"mltox_notice": "\ud800", "message": "\ud800", "payload": "@" * 9_000}
        ).encode(),
        json.dumps({"more": {"more": ["x" * 50_000] * 4}}).encode(),
        b"\x00" * 1_000,
    ]
    return itertools.cycle(made)


def resident(process_id: int) -> int:
    """Bytes of memory that a process has now."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


def swap(folder: Path, content: bytes) -> None:
    document = json.loads((folder / DOCUMENT).read_text())
    (folder / "next").write_bytes(content)
    (folder / "next").replace(folder / MODEL)
    document["files"][MODEL] = sha256_of(folder / MODEL)
    (folder / "next").write_text(json.dumps(document))
    (folder / "next").replace(folder / DOCUMENT)


def test_a_hostile_mix_neither_stops_nor_fills_it(tmp_path: Path) -> None:
    need_emulator()
    count = int(SECONDS * RATE * 2 / 3)
    expected = drill(count, seed=13)
    generator = random.Random(13)
    mutated = payloads(seeds(tmp_path, 13), count // 2, 13)
    bomb = bombs()
    bundle = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle"))
    labels = len(load_bundle(bundle).labels)
    options = ("--topic", "everything", "--bundle", str(bundle), "--watch_bundle_seconds", "2")
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    sizes: list[int] = []
    with emulated() as address:
        live = Live(path, address, log, *options)
        try:
            steps = max(int(SECONDS), 1)
            part = -(-len(expected.payloads) // steps)
            for step in range(steps):
                began = time.monotonic()
                mix = [*expected.payloads[step * part : (step + 1) * part]]
                # Pub/Sub itself refuses a message of no bytes.
                mix += filter(None, itertools.islice(mutated, part // 2))
                if step % 5 == 0:
                    mix.append(next(bomb))
                generator.shuffle(mix)
                publish(mix)
                if step == 0:
                    wait_for(log, "rows: ")  # before that there is no model to be swapped
                if step == steps // 4:
                    swap(bundle, model([float("nan")] * labels, labels, told=labels))
                if step == steps // 2:
                    wait_for(log, "the new bundle is refused")
                    swap(bundle, (DEFAULT_BUNDLE / MODEL).read_bytes())
                    live.kill()
                    live = Live(path, address, log, *options)
                if step % 10 == 9 and live.process.poll() is None:
                    sizes.append(resident(live.process.pid))
                assert live.process.poll() is None, log.read_text()[-3_000:]
                time.sleep(max(0.0, 1.0 - (time.monotonic() - began)))
            wait_for_quiet(log)
            sizes.append(resident(live.process.pid))
            assert live.stop() == 0
        finally:
            live.kill()
    said = log.read_text()
    assert "Traceback" not in said
    assert max(sizes) < GIGABYTE, sizes
    print(f"memory in MB, each ten seconds: {[size // 1_000_000 for size in sizes]}")
    with DuckDBWarehouse(path) as warehouse:
        rows = warehouse.query("SELECT topic, post_id FROM scored_posts").to_pylist()
        found = [(row["topic"], row["post_id"]) for row in rows]
        good = [post_id for _, post_id in found if post_id in expected.posts]
        assert sorted(good) == sorted(expected.posts)
        assert len(set(found)) == len(found)
        (added_up,) = warehouse.query("SELECT SUM(posts) AS posts FROM hourly_toxicity").to_pylist()
        assert added_up["posts"] == len(found)
        letters = warehouse.query(
            "SELECT error_type, COUNT(*) AS n FROM dead_letters GROUP BY ALL ORDER BY n DESC"
        ).to_pylist()
        kinds = {row["error_type"] for row in letters}
        assert {"outside_span", "too_many_letters", "unknown_notice", "malformed_json"} <= kinds
        assert "turn_failed" not in kinds
