"""The dataset, its tables and views: `mltox provision`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.arguments import parse
from pipelines.entry import reporting_errors
from pipelines.options import WarehouseOptions
from pipelines.warehouse import open_warehouse
from pipelines.warehouse.schema import TABLES
from pipelines.warehouse.views import VIEWS


def main(argv: Sequence[str] | None = None) -> int:
    """`mltox provision`: exit code 0, or 2 with one line on what is wrong."""
    options = parse(
        "mltox provision",
        "Makes the dataset, tables and views that are missing. A second run changes nothing.\n\n"
        "reads   which of them are there\n"
        "writes  tables with partitions and clusters, and the views over them",
        "mltox provision --warehouse bq://my-project.mltox",
        (WarehouseOptions,),
        argv,
    )
    return reporting_errors(lambda: run(options))


def run(options: PipelineOptions) -> int:
    with open_warehouse(options.view_as(WarehouseOptions).warehouse) as warehouse:
        warehouse.create()
        print(f"{warehouse.uri}: {len(TABLES)} tables and {len(VIEWS)} views are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
