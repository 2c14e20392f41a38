"""`mltox live`: the sample as a live stream, on this machine alone."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from commands.dashboard import PORT
from commands.emulator import running_emulator
from commands.publish import Arrival, arrivals, create_channel, publishing
from commands.stream import serve_page
from dashboards.serve import HERE
from ingest.sources.sample.writing import SampleInfo, recent_start, write_sample
from mltox.base.clock import now_micros
from mltox.base.command_line import Parser
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.posts.records import DAY, HOUR, WEEK
from mltox.warehouse import open_warehouse
from pipelines.runs import stream
from pipelines.runs.arguments import settings_of
from pipelines.runs.backfill.local import backfill
from pipelines.runs.forecast import cores, forecast

log = logging.getLogger(__name__)

TOPIC = "projects/mltox-live/topics/posts"
SUBSCRIPTION = "projects/mltox-live/subscriptions/posts"
HOST = "PUBSUB_EMULATOR_HOST"
PAST_SPAN = 2 * WEEK

DESCRIPTION = """\
Starts the Pub/Sub emulator, publishes the sample to it as if it came in now, scores it as it comes,
and serves the page of it until Ctrl-C, which commits what was pulled.

The first two weeks are in the warehouse before the stream begins, with a forecast of the next one:
a past to judge by. The stream begins with an hour in which the talk turns, so that an incident is
on the page within two minutes.

reads   the generated sample; it needs the Pub/Sub emulator of the Google Cloud SDK, no account
writes  a DuckDB warehouse (made anew), in the folder --out

Options of `mltox stream`, such as --bundle, are accepted as well.
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="mltox live",
        description=DESCRIPTION,
        epilog="example:\n  mltox live --speed 600",
    )
    made.add_argument(
        "--speed",
        type=positive,
        default=120.0,
        metavar="X",
        help="how much faster than in life: 120 is two hours a minute (default: 120)",
    )
    made.add_argument("--posts", type=int, default=24_000, help="about how many (%(default)s)")
    made.add_argument(
        "--port", type=int, default=PORT, metavar="N", help="of the page (default: %(default)s)"
    )
    made.add_argument(
        "--out",
        type=Path,
        default=Path("live"),
        metavar="FOLDER",
        help="of the warehouse (default: %(default)s)",
    )
    return made


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def main(argv: Sequence[str] | None = None) -> int:
    options, rest = parser().parse_known_args(argv)
    stream.options_of(rest, parser().prog)  # before anything is started for a typing error
    return reporting_errors(lambda: run(options, rest))


def refuse_taken(port: int) -> None:
    """Before anything is scored. Raises UsageError."""
    try:
        socket.create_server((HERE, port)).close()
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number).lower() if number else "no port from 0 to 65535"
        raise UsageError(f"--port {port}: {reason}; give another --port") from error


def run(options: argparse.Namespace, rest: Sequence[str]) -> int:
    refuse_taken(options.port)
    with emulator(), tempfile.TemporaryDirectory(prefix="mltox-live-") as folder:
        warehouse = emptied(options.out)
        create_channel(TOPIC, SUBSCRIPTION)
        sample = recent_sample(Path(folder), options.posts)
        past, coming = parted(sample)
        topics = ["--topics-file", str(sample.topics_path)]
        fill_past(warehouse, past, Path(folder), topics, rest)
        with publishing(TOPIC, coming, options.speed):
            return stream.main(
                [
                    "--input-subscription", SUBSCRIPTION,
                    "--warehouse", warehouse,
                    *topics,
                    "--disorder-minutes", str(disorder_minutes(options.speed)),
                    "--port", str(options.port),
                    *rest,
                ],
                partial(serve_page, sample=True),
            )  # fmt: skip


def parted(sample: SampleInfo) -> tuple[list[bytes], list[Arrival]]:
    """The rows before the first hour of an incident with two weeks behind it, and the others."""
    lines = sample.posts_path.read_bytes().rstrip(b"\n").split(b"\n")
    rows = list(arrivals(lines, now_micros()))
    first = min(row.at for row in rows if row.at)
    begins = [first - first % DAY + incident.start * HOUR for incident in sample.incidents]
    moment = min(at for at in begins if at - first >= PAST_SPAN)
    past = [row.payload for row in rows if row.at < moment]
    return past, [row for row in rows if row.at >= moment]


def fill_past(
    warehouse: str, rows: Sequence[bytes], folder: Path, topics: Sequence[str], rest: Sequence[str]
) -> None:
    """What is behind the stream: the rows as `mltox backfill` takes them, and a forecast."""
    path = folder / "past.jsonl"
    path.write_bytes(b"\n".join(rows) + b"\n")
    options = stream.options_of([*topics, *rest], parser().prog)
    log.info("two weeks of posts first, and a forecast: about a minute")
    with open_warehouse(warehouse) as opened:
        report = backfill([str(path)], settings_of(options), opened)
        print(f"posts before the stream: {report['posts_kept']:,}", flush=True)
        forecast(opened, processes=cores())


@contextmanager
def emulator() -> Iterator[None]:
    """An emulator of our own, which the Pub/Sub clients of this process then talk to."""
    before = os.environ.get(HOST)
    with running_emulator() as address:
        os.environ[HOST] = address
        try:
            yield
        finally:
            os.environ.pop(HOST)
            if before is not None:
                os.environ[HOST] = before


def recent_sample(folder: Path, posts: int) -> SampleInfo:
    """The sample of the last four whole weeks."""
    start = recent_start(datetime.now(UTC))
    return write_sample(folder / "posts.jsonl", posts=posts, start=start)


def emptied(folder: Path) -> str:
    """A warehouse that is not there yet: the sample would be duplicates of an earlier one's.

    Raises WarehouseError, and takes nothing away, where another run has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    open_warehouse(str(folder / "live.duckdb")).close()
    for name in ("live.duckdb", "live.duckdb.wal"):
        (folder / name).unlink(missing_ok=True)
    return str(folder / "live.duckdb")


def disorder_minutes(speed: float) -> float:
    """Three seconds of the wall clock, for Pub/Sub keeps no order; at least the sample's own."""
    return max(10.0, 3 * speed / 60)


if __name__ == "__main__":
    sys.exit(main())
