"""The live run on one machine, measured from outside: throughput, delay, memory, idle CPU.

    python benchmarks/live.py                 # a few minutes
    python benchmarks/live.py --soak 30       # and half an hour under load, for the memory

Starts the Pub/Sub emulator and `mltox stream` as processes of their own, on the same cores as the
publisher. "Repeated": four of five texts have come before, as in collected political tweets.
Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from google.pubsub_v1 import PublisherClient, SubscriberClient

from commands.emulator import running_emulator
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from model_export import contrast

TOPIC = "projects/bench/topics/posts"
SUBSCRIPTION = "projects/bench/subscriptions/posts"
BATCH = 200


class Texts:
    """Distinct composed texts, or each of them five times."""

    def __init__(self, repeats: int) -> None:
        self._repeats = repeats
        self._composed = [case.text for _, case in contrast.compose(20_000, seed=5)]
        self._count = 0
        self._random = random.Random(1)
        self._recent: list[str] = []

    def __call__(self) -> str:
        self._count += 1
        if self._recent and self._count % self._repeats:
            return self._random.choice(self._recent)
        text = f"{self._random.choice(self._composed)} {self._count}"
        self._recent = [*self._recent[-2_000:], text]
        return text


class Stream:
    """`mltox stream` as a process, its log read line by line."""

    def __init__(self, folder: Path, address: str) -> None:
        self.path = folder / "live.duckdb"
        self.turns: list[tuple[float, int]] = []
        command = [sys.executable, "-m", "mltox", "stream", "--input-subscription", SUBSCRIPTION,
                   "--warehouse", str(self.path), "--topic", "bench"]  # fmt: skip
        environment = os.environ | {
            "PUBSUB_EMULATOR_HOST": address,
            "MLTOX_AUTHOR_KEY": "a long enough key for benchmarks",
        }
        self.process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if (found := re.search(r"(\d+) rows: ", line)) is not None:
                self.turns.append((time.time(), int(found[1])))

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.turns)

    def wait_for(self, rows: int, at_most: float = 900) -> None:
        deadline = time.monotonic() + at_most
        while self.rows < rows:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"only {self.rows} of {rows} rows came through")
            time.sleep(0.1)

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


@contextmanager
def streaming() -> Iterator[Stream]:
    with tempfile.TemporaryDirectory() as folder, running_emulator() as address:
        os.environ["PUBSUB_EMULATOR_HOST"] = address
        with PublisherClient() as publisher:
            publisher.create_topic(request={"name": TOPIC})
        with SubscriberClient() as subscriber:
            subscriber.create_subscription(
                request={"name": SUBSCRIPTION, "topic": TOPIC, "ack_deadline_seconds": 60}
            )
        stream = Stream(Path(folder), address)
        try:
            yield stream
        finally:
            stream.process.kill()
            stream.process.wait()


def payload(number: int, text: str) -> bytes:
    row = {"id": str(number), "text": text, "created_at": datetime.now(UTC).isoformat(),
           "lang": "en", "author": f"a{number % 20_000}"}  # fmt: skip
    return json.dumps(row).encode()


def publish(texts: Callable[[], str], numbers: range, rate: float) -> None:
    """At most `rate` messages a second; inf: as fast as it goes."""
    began = time.monotonic()
    with PublisherClient() as publisher:
        for start in range(numbers.start, numbers.stop, BATCH):
            batch = range(start, min(start + BATCH, numbers.stop))
            messages = [{"data": payload(number, texts())} for number in batch]
            publisher.publish(request={"topic": TOPIC, "messages": messages})
            ahead = (batch.stop - numbers.start) / rate - (time.monotonic() - began)
            time.sleep(max(0.0, ahead))


class Throughput(NamedTuple):
    name: str
    a_second: float


def throughput(name: str, repeats: int, count: int) -> Throughput:
    """Messages that wait on the subscription, worked off; the first turn is not counted."""
    with streaming() as stream:
        publish(Texts(repeats), range(count), float("inf"))
        stream.wait_for(count)
        (first, warm), (last, _) = stream.turns[0], stream.turns[-1]
        return Throughput(name, (count - warm) / (last - first))


def delay(rate: float, seconds: int) -> tuple[float, float]:
    """(median, 95th percentile) of the seconds from publishing to the commit of the row."""
    with streaming() as stream:
        texts = Texts(5)
        publish(texts, range(500), rate)
        stream.wait_for(500)
        count = int(rate * seconds)
        publish(texts, range(500, 500 + count), rate)
        stream.wait_for(500 + count)
        commits = np.array([moment for moment, _ in stream.turns])
        stream.stop()
        with DuckDBWarehouse(stream.path) as warehouse:
            rows = warehouse.query(
                "SELECT epoch(created_at), epoch(ingested_at) FROM scored_posts"
                " WHERE TRY_CAST(split_part(post_id, ':', 2) AS INT) >= 500"
            )
        published, parsed = (column.to_numpy() for column in rows.columns)
        visible = commits[np.minimum(np.searchsorted(commits, parsed), len(commits) - 1)]
        waited = visible - published
        return float(np.median(waited)), float(np.quantile(waited, 0.95))


def idle(seconds: int) -> float:
    """Share of one core that a live run without messages takes."""
    with streaming() as stream:
        publish(Texts(5), range(200), float("inf"))
        stream.wait_for(200)
        time.sleep(5)
        before = stream.cpu_seconds()
        time.sleep(seconds)
        return (stream.cpu_seconds() - before) / seconds


def soak(minutes: int, rate: float) -> list[float]:
    """Memory in MB under load: the median of each minute, for it is higher within a turn than
    between two."""
    with streaming() as stream:
        count = int(rate * 60 * minutes)
        sender = threading.Thread(target=publish, args=(Texts(5), range(count), rate), daemon=True)
        sender.start()
        found = []
        for minute in range(minutes):
            seen = []
            for _ in range(60):
                time.sleep(1)
                seen.append(stream.memory_mb())
            found.append(float(np.median(seen)))
            print(
                f"minute {minute + 1}: {found[-1]:.0f} MB (up to {max(seen):.0f}),"
                f" {stream.rows:,} rows",
                flush=True,
            )
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--messages", type=int, default=40_000, help="for the throughput")
    parser.add_argument("--rate", type=float, default=600, help="a second, for delay and memory")
    parser.add_argument("--soak", type=int, default=0, metavar="MINUTES")
    given = parser.parse_args()
    print("| what | figure |\n|---|---:|")
    for row in (
        throughput("repeated texts", 5, given.messages),
        throughput("distinct texts", 1, given.messages // 4),
    ):
        print(f"| {row.name} | {row.a_second:,.0f} messages a second |", flush=True)
    middle, late = delay(given.rate, 60)
    print(f"| delay at {given.rate:,.0f} a second | median {middle:.1f} s, p95 {late:.1f} s |")
    print(f"| CPU when idle | {100 * idle(60):.1f} % of a core |", flush=True)
    if given.soak:
        found = soak(given.soak, given.rate)
        growth = found[-1] / found[min(4, len(found) - 1)] - 1
        print(f"| memory after {given.soak} minutes | {found[-1]:.0f} MB, {growth:+.1%} since the"
              " fifth |")  # fmt: skip


if __name__ == "__main__":
    main()
