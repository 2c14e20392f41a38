"""`mltox stream`: the streaming run, and the page that it serves of itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from dashboards.api import ANSWERS
from dashboards.errors import DashboardError
from dashboards.live import file_stamp
from dashboards.opened import Json
from dashboards.page import LivePage, render_live
from dashboards.serve import HERE, serving_page
from dashboards.view import Told
from mltox.base.errors import UsageError
from mltox.posts.records import Micros
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.runs import stream


@contextmanager
def serve_page(warehouse: DuckDBWarehouse, port: int, *, sample: bool = False) -> Iterator[str]:
    """Serves what is committed, from the process that writes it. Raises UsageError."""

    def render(now: Micros) -> LivePage:
        # One snapshot for all queries, so that a page is never of two moments.
        with reader.transaction():
            return render_live(reader, now, sample=sample)

    def ask(path: str, asked: Mapping[str, str], now: Micros) -> Json:
        return ANSWERS[path](reader, asked, Told(sample=sample), now)

    with warehouse.committed() as reader:
        try:
            serving = serving_page(render, (HERE, port), lambda: file_stamp(warehouse.path), ask)
            with serving as where:
                print(f"the page is at {where} until Ctrl-C", flush=True)
                yield where
        except DashboardError as error:
            raise UsageError(f"--port: {error}") from error


def main(argv: Sequence[str] | None = None) -> int:
    return stream.main(argv, serve_page)


if __name__ == "__main__":
    sys.exit(main())
