"""Where a warehouse is, read off its uri."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mltox.warehouse.base import WarehouseError

_DATASET = re.compile(
    r"(?P<project>([a-z0-9.-]+:)?[a-z][a-z0-9-]*[a-z0-9])\.(?P<dataset>\w+)", re.ASCII
)


@dataclass(frozen=True)
class DuckDBFile:
    path: Path


@dataclass(frozen=True)
class ParquetFolder:
    """A path of this machine, or an address as gs://bucket/folder."""

    folder: str


@dataclass(frozen=True)
class BigQueryDataset:
    project: str
    dataset: str

    def __str__(self) -> str:
        return f"{self.project}.{self.dataset}"


def parse_uri(uri: str) -> DuckDBFile | ParquetFolder | BigQueryDataset:
    """`path`, `duckdb://path`, `parquet://folder` or `bq://project.dataset`; a folder is a path or
    has a scheme of its own: `parquet://s3://bucket/folder`. Raises WarehouseError for another."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        scheme, rest = "duckdb", uri
    if scheme == "duckdb" and rest:
        return DuckDBFile(Path(rest))
    if scheme == "parquet" and rest.strip("/"):
        return ParquetFolder(rest.rstrip("/"))
    match = _DATASET.fullmatch(rest)
    if scheme == "bq" and match:
        return BigQueryDataset(match["project"], match["dataset"])
    raise WarehouseError(
        f"{uri!r} is no warehouse: give a path.duckdb, parquet://folder or bq://project.dataset"
    )
