"""Time and peak memory of a backfill, run as a person runs it, for several sizes of slice.

    python benchmarks/backfill.py posts.parquet --slices 25000 50000 100000 -- --topics-file t.yaml

Prints a table in Markdown. What stands after `--` is handed to `mltox backfill`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from mltox.warehouse import open_warehouse


class Run(NamedTuple):
    slice_posts: int
    seconds: float
    peak_mb: float
    posts: int
    texts: int


def measure(path: str, slice_posts: int, options: list[str]) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = str(Path(folder) / "w.duckdb")
        command = [sys.executable, "-m", "mltox", "backfill", "--input", path]
        command += ["--warehouse", warehouse, "--slice-posts", str(slice_posts), *options]
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=sys.stderr)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        if status:
            raise SystemExit(f"exit status {status}: {' '.join(command)}")
        with open_warehouse(warehouse) as tables:
            counts = tables.query("SELECT COUNT(*), COUNT(DISTINCT text_sha256) FROM scored_posts")
        posts, texts = (column[0].as_py() for column in counts.columns)
        return Run(slice_posts, seconds, usage.ru_maxrss / 1024, posts, texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("input")
    parser.add_argument("--slices", type=int, nargs="+", default=[50_000], metavar="POSTS")
    parser.add_argument("options", nargs="*", help="options of mltox backfill, after --")
    given = parser.parse_args()
    print("| posts a slice | seconds | posts a second | peak memory | posts | distinct texts |")
    print("|---:|---:|---:|---:|---:|---:|")
    for slice_posts in given.slices:
        run = measure(given.input, slice_posts, given.options)
        print(
            f"| {run.slice_posts:,} | {run.seconds:.0f} | {run.posts / run.seconds:,.0f} "
            f"| {run.peak_mb:,.0f} MB | {run.posts:,} | {run.texts:,} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
