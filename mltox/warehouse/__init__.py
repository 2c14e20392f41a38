"""Where the tables live: one interface, an adapter for DuckDB, one for Parquet files and one
for BigQuery.

The tables are defined in `schema`; DDL, row conversions and views follow from it. Only `sinks`
imports Beam.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from mltox.warehouse.base import Warehouse, WarehouseBroken, WarehouseBusy, WarehouseError
from mltox.warehouse.location import BigQueryDataset, DuckDBFile, ParquetFolder, parse_uri
from mltox.warehouse.rows import from_arrow
from mltox.warehouse.schema import TABLES

__all__ = [
    "Warehouse",
    "WarehouseBroken",
    "WarehouseBusy",
    "WarehouseError",
    "open_for_reading",
    "open_warehouse",
    "read_records",
]

Record = TypeVar("Record", bound=tuple[Any, ...])


def open_warehouse(uri: str) -> Warehouse:
    """The warehouse at `uri`: a path, `duckdb://path`, `parquet://folder`, or
    `bq://project.dataset`.

    Raises WarehouseError for a uri that is none of these and for a file that can't be opened,
    WarehouseBusy where another process holds it.
    """
    location = parse_uri(uri)
    # The adapters are imported here: each loads a client that the other has no need of.
    if isinstance(location, BigQueryDataset):
        from mltox.warehouse.bigquery.warehouse import BigQueryWarehouse

        return BigQueryWarehouse(location)
    if isinstance(location, ParquetFolder):
        from mltox.warehouse.parquet.warehouse import ParquetWarehouse

        return ParquetWarehouse(location.folder)
    from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse

    return DuckDBWarehouse(location.path)


def open_for_reading(uri: str) -> Warehouse:
    """As `open_warehouse`, for whoever reads views. A DuckDB file of an older mltox gets those that
    it lacks, a file that is not there is not made; the views of BigQuery are the provisioning's.

    Raises WarehouseError as well where the file lacks a column.
    """
    location = parse_uri(uri)
    warehouse = open_warehouse(uri)
    if isinstance(location, DuckDBFile) and location.path.expanduser().exists():
        try:
            warehouse.create()
        except BaseException:
            warehouse.close()
            raise
    return warehouse


def read_records(
    warehouse: Warehouse,
    relation: str,
    record: type[Record],
    *,
    where: str = "",
    params: Sequence[Any] = (),
    order_by: str = "",
) -> list[Record]:
    """Rows of a table or view as records of type `record`: stamps as Micros, arrays as tuples.

    `where` and `order_by` are SQL; values belong into `params`, bound to the `?` in order. A stamp
    in `params` is a datetime with a time zone.
    """
    table = next(table for table in TABLES.values() if table.record is record)
    sql = f"SELECT {', '.join(table.names)} FROM {warehouse.relation(relation)}"  # noqa: S608 - names of ours
    if where:
        sql += f" WHERE {where}"
    if order_by:
        sql += f" ORDER BY {order_by}"
    records: list[Record] = from_arrow(table, warehouse.query(sql, params))
    return records
