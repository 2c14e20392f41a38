"""`mltox dashboard`: write the page from a warehouse, or serve it."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dashboards.api import ANSWERS
from dashboards.clock import parse_as_of
from dashboards.errors import DashboardError
from dashboards.live import file_stamp
from dashboards.looker import links
from dashboards.opened import Json
from dashboards.page import LivePage, render_live, write_page
from dashboards.serve import HERE, serving_page
from dashboards.view import Told
from mltox.base.command_line import Parser
from mltox.posts.records import Micros
from mltox.warehouse import WarehouseError, open_for_reading, open_warehouse
from mltox.warehouse.location import DuckDBFile, parse_uri

DESCRIPTION = """\
Writes one HTML file that shows what a warehouse holds: each topic's toxicity by hour with its
anomalies and the coming week, posts per hour, labels, hours of the week, why hours were unusual,
how good the forecasts are, and which posts could not be used.

Reads:  the views of the warehouse.
Writes: the file named by --out. It opens from disk and needs no network. With --serve it writes
nothing: the page is at http://127.0.0.1:8050/ until Ctrl-C, and follows the warehouse by itself.
With --looker it reads nothing either, and prints links.
"""

PORT = 8050
BIGQUERY_SECONDS = 60
"""Between two pages of a BigQuery warehouse: each costs queries."""

EXAMPLE = """\
example:
  mltox dashboard --warehouse demo/mltox.duckdb --out page.html
  mltox dashboard --warehouse bq://project.mltox --serve
  mltox dashboard --warehouse bq://project.mltox --looker
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="mltox dashboard",
        description=DESCRIPTION,
        epilog=EXAMPLE,
    )
    made.add_argument(
        "--warehouse",
        required=True,
        metavar="URI",
        help="a DuckDB file, or bq://project.dataset",
    )
    made.add_argument(
        "--out",
        type=Path,
        default=Path("page.html"),
        metavar="FILE",
        help="where to write the page (default: %(default)s)",
    )
    made.add_argument(
        "--sample",
        action="store_true",
        help="say on the page that the posts are generated ones",
    )
    made.add_argument(
        "--incidents",
        type=Path,
        metavar="FILE",
        help="incidents.json of the sample: adds which planted incidents were found",
    )
    made.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="YAML of known events (title, start, end, topics), shown in charts and at incidents",
    )
    made.add_argument(
        "--as-of",
        metavar="TIME",
        help="the moment that counts as now, such as 2026-05-01T12:00Z (default: the end of the"
        " data; with --serve the clock)",
    )
    made.add_argument(
        "--keywords",
        default="",
        metavar="WORD,…",
        help="words of the topics, which explain nothing; those of their names are known",
    )
    made.add_argument(
        "--looker",
        action="store_true",
        help="print links that open a Looker Studio report over the BigQuery views",
    )
    made.add_argument(
        "--looker-template",
        metavar="REPORT",
        help="with --looker: the id of a report to copy, with its charts",
    )
    made.add_argument("--serve", action="store_true", help="serve the page until Ctrl-C")
    made.add_argument(
        "--port",
        type=int,
        default=PORT,
        metavar="N",
        help="where to serve it (default: %(default)s)",
    )
    made.add_argument(
        "--host",
        default=HERE,
        metavar="ADDRESS",
        help="whom to serve it to; the page has no password (default: %(default)s, this machine)",
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page; 0 when written, 2 with one line on stderr when it cannot be."""
    options = parser().parse_args(argv)
    try:
        options.as_of = None if options.as_of is None else parse_as_of(options.as_of)
        if options.looker:
            print(links(options.warehouse, options.looker_template))
            return 0
        if options.serve:
            return serve_until_interrupted(options)
        warehouse = open_for_reading(options.warehouse)
        try:
            out = write_page(
                warehouse,
                options.out,
                sample=options.sample,
                incidents=options.incidents,
                annotations=options.annotations,
                as_of=options.as_of,
                keywords=keywords_of(options.keywords),
            )
        finally:
            warehouse.close()
    except (DashboardError, WarehouseError) as error:
        print(f"mltox dashboard: {error}", file=sys.stderr)
        return 2
    print(out)
    return 0


def serve_until_interrupted(options: argparse.Namespace) -> int:
    """A warehouse that is missing or busy is told on the page, which waits for it."""
    uri: str = options.warehouse
    told = Told(
        sample=options.sample,
        annotations=options.annotations,
        as_of=options.as_of,
        keywords=keywords_of(options.keywords),
    )
    more = {"annotations": told.annotations, "as_of": told.as_of}
    bring_up_to_date(uri)
    with serving_page(
        lambda now: opened_and_closed(uri, now, sample=options.sample, **more),
        (options.host, options.port),
        stamp_of(uri),
        lambda path, asked, now: asked_and_closed(uri, path, asked, told, now),
    ) as where:
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        print(f"the page of {uri} is at {where} until Ctrl-C", flush=True)
        stopping.wait()
    return 0


def keywords_of(text: str) -> tuple[str, ...]:
    """
    >>> keywords_of("vote, polling day,")
    ('vote', 'polling day')
    """
    return tuple(word.strip() for word in text.split(",") if word.strip())


def bring_up_to_date(uri: str) -> None:
    """A file of an older mltox gets the views that the page reads; one that is missing or busy is
    told on the page."""
    with suppress(WarehouseError):
        open_for_reading(uri).close()


def opened_and_closed(uri: str, now: Micros, *, sample: bool, **more: Any) -> LivePage:
    """Between two pages other processes may have the file."""
    with open_warehouse(uri) as warehouse:
        return render_live(warehouse, now, sample=sample, **more)


def asked_and_closed(
    uri: str, path: str, asked: Mapping[str, str], told: Told, now: Micros
) -> Json:
    with open_warehouse(uri) as warehouse:
        return ANSWERS[path](warehouse, asked, told, now)


def stamp_of(uri: str) -> Callable[[], Hashable]:
    location = parse_uri(uri)
    if isinstance(location, DuckDBFile):
        path = location.path.expanduser().resolve()
        return lambda: file_stamp(path)
    return lambda: time.monotonic() // BIGQUERY_SECONDS


if __name__ == "__main__":
    sys.exit(main())
