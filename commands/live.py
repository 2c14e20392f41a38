"""`mltox live`: the sample as a live stream, on this machine alone."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from commands.dashboard import PORT
from commands.emulator import running
from commands.publish import arrivals, create, publishing
from commands.stream import serve_page
from ingest.sources.sample.writing import SampleInfo, recent_start, write_sample
from mltox.base.clock import now_micros
from mltox.base.command_line import Parser
from mltox.base.entry import reporting_errors
from mltox.warehouse import open_warehouse
from pipelines.runs import stream

TOPIC = "projects/mltox-live/topics/posts"
SUBSCRIPTION = "projects/mltox-live/subscriptions/posts"
HOST = "PUBSUB_EMULATOR_HOST"

DESCRIPTION = """\
Starts the Pub/Sub emulator, publishes the sample to it as if it came in now, scores it as it comes,
and serves the page of it until Ctrl-C, which commits what was pulled.

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
        default=60.0,
        metavar="X",
        help="how much faster than in life: 60 is an hour a minute (default: 60)",
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


def run(options: argparse.Namespace, rest: Sequence[str]) -> int:
    with emulator(), tempfile.TemporaryDirectory(prefix="mltox-live-") as folder:
        warehouse = emptied(options.out)
        create(TOPIC, SUBSCRIPTION)
        sample = recent_sample(Path(folder), options.posts)
        lines = sample.posts_path.read_bytes().rstrip(b"\n").split(b"\n")
        rows = list(arrivals(lines, now_micros()))
        with publishing(TOPIC, rows, options.speed):
            return stream.main(
                [
                    "--input-subscription", SUBSCRIPTION,
                    "--warehouse", warehouse,
                    "--topics-file", str(sample.topics_path),
                    "--disorder-minutes", str(disorder_minutes(options.speed)),
                    "--port", str(options.port),
                    *rest,
                ],
                partial(serve_page, sample=True),
            )  # fmt: skip


@contextmanager
def emulator() -> Iterator[None]:
    """An emulator of our own, which the Pub/Sub clients of this process then talk to."""
    before = os.environ.get(HOST)
    with running() as address:
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
