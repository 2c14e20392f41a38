"""`mltox dashboard`: write the page from a warehouse."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dashboards.errors import DashboardError
from dashboards.page import write_page
from pipelines.warehouse import WarehouseError, open_warehouse

DESCRIPTION = """\
Writes one HTML file that shows what a warehouse holds: each topic's toxicity by hour with its
anomalies and the coming week, posts per hour, labels, hours of the week, why hours were unusual,
how good the forecasts are, and which posts could not be used.

Reads:  the views of the warehouse.
Writes: the file named by --out. It opens from disk and needs no network.
"""

EXAMPLE = """\
example:
  mltox dashboard --warehouse demo/mltox.duckdb --out page.html
"""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="mltox dashboard",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page; 0 when written, 2 with one line on stderr when it cannot be."""
    options = parser().parse_args(argv)
    try:
        _refuse_missing(options.warehouse)
        warehouse = open_warehouse(options.warehouse)
        try:
            out = write_page(
                warehouse, options.out, sample=options.sample, incidents=options.incidents
            )
        finally:
            warehouse.close()
    except (DashboardError, WarehouseError) as error:
        print(f"mltox dashboard: {error}", file=sys.stderr)
        return 2
    print(out)
    return 0


def _refuse_missing(uri: str) -> None:
    """A DuckDB file that is not there would be made by opening it."""
    if uri.startswith("bq://"):
        return
    path = Path(uri.removeprefix("duckdb://"))
    if not path.is_file():
        raise DashboardError(f"no warehouse at {path}; `mltox demo` makes one")


if __name__ == "__main__":
    sys.exit(main())
