"""How fast posts get into Pub/Sub: `mltox ingest`'s loop over a file, against the emulator.

    python -m benchmarks.ingest

The emulator runs on the same cores. CPU seconds are those of the ingesting process alone.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from google.cloud.pubsub_v1 import PublisherClient as BatchingClient
from google.cloud.pubsub_v1.types import BatchSettings
from google.pubsub_v1 import PublisherClient

from commands.emulator import running_emulator
from ingest.cursors.store import Keeper, LocalStore
from ingest.delivery import Delivery
from ingest.outbox import Outbox
from ingest.run import Ingest, Sorter
from ingest.sources.file import FileSource
from mltox.google.pubsub.publisher import Publisher
from mltox.posts.authors import AuthorKeys
from mltox.posts.topics import Topic
from model_export import contrast

TOPIC = "projects/bench/topics/posts"
TOPICS = [Topic("bench", keywords=("you", "the", "are", "is", "a", "to", "i"))]


def rows(count: int) -> list[bytes]:
    composed = [case.text for _, case in contrast.compose(20_000, seed=5)]
    return [
        json.dumps(
            {
                "id": str(number),
                "text": f"the {composed[number % len(composed)]} {number}",
                "created_at": 1_750_000_000 + number,
                "lang": "en",
                "author": f"a{number % 20_000}",
            }
        ).encode()
        for number in range(count)
    ]


def whole_loop(folder: Path, count: int) -> None:
    """Read, decode, match, publish, confirm, keep the cursor."""
    sorter = Sorter("file", lambda: TOPICS, AuthorKeys(b"a key of the benchmark"), TOPIC)
    with (
        tempfile.TemporaryDirectory(dir=folder) as state,
        closing(Outbox(Path(state) / "outbox")) as outbox,
        closing(Publisher(30.0)) as publisher,
    ):
        keeper = Keeper(LocalStore(Path(state)), "file")
        source = FileSource([folder / "posts.jsonl"], {})
        ingest = Ingest(source, sorter, Delivery(publisher.send, outbox), keeper)
        counts = ingest.run(threading.Event())
    assert counts["published"] == count, counts


def google_client(folder: Path, count: int) -> None:
    """Google's batching client, given rows that are encoded already."""
    client = BatchingClient(BatchSettings(max_messages=500, max_bytes=5_000_000, max_latency=0.05))
    futures = []
    with (folder / "posts.jsonl").open("rb") as file:
        for number, line in enumerate(file):
            attributes = {"post_id": f"file:{number}", "created_at": "2026-03-02T12:00:00Z"}
            futures.append(client.publish(TOPIC, line, source="file", schema="1", **attributes))
    for future in futures:
        future.result(timeout=60)
    client.stop()


WAYS = {"the whole loop": whole_loop, "Google's batching client alone": google_client}


def measured(what: Callable[[Path, int], None], folder: Path, count: int) -> str:
    what(folder, count)  # connections, caches
    wall, cpu = time.perf_counter(), time.process_time()
    what(folder, count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return f"{count / wall:,.0f} a second | {1e6 * cpu / count:,.0f} µs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--profile", action="store_true", help="of the loop, by own time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_emulator() as address:
        os.environ["PUBSUB_EMULATOR_HOST"] = address
        with PublisherClient() as publisher:
            publisher.create_topic(request={"name": TOPIC})
        folder = Path(name)
        (folder / "posts.jsonl").write_bytes(b"\n".join(rows(given.messages)) + b"\n")
        if given.profile:
            profile = cProfile.Profile()
            profile.runcall(whole_loop, folder, given.messages)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return
        print("| what | messages | CPU time a message |\n|---|---:|---:|")
        for title, what in WAYS.items():
            print(f"| {title} | {measured(what, folder, given.messages)} |", flush=True)


if __name__ == "__main__":
    main()
