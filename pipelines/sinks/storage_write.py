"""Appends by BigQuery's Storage Write API, which Beam does in Java: for those who have a JRE."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.bigquery import BigQueryDisposition, WriteToBigQuery
from apache_beam.pvalue import PCollection
from apache_beam.utils.timestamp import Timestamp

from mltox.warehouse.base import WarehouseError
from mltox.warehouse.schema import TABLES, Table, Type

REST_TYPES: Mapping[Type, str] = {Type.STRINGS: "STRING"}
"""Where REST's name for a type is another than the DDL's."""

Row = dict[str, Any]


def java_problem() -> str | None:
    """One line where there is no Java runtime to start Beam's expansion service with."""
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") or (home and (Path(home) / "bin" / "java").is_file()):
        return None
    return (
        "--write-method STORAGE_WRITE_API needs a Java runtime where the job is launched"
        " (Debian: apt-get install default-jre-headless); STREAMING_INSERTS needs none"
    )


def rest_schema(table: Table) -> dict[str, list[dict[str, str]]]:
    """The table's columns as BigQuery's REST API writes them."""

    def mode(column_type: Type, required: bool) -> str:
        return "REPEATED" if column_type is Type.STRINGS else "REQUIRED" if required else "NULLABLE"

    return {
        "fields": [
            {
                "name": column.name,
                "type": REST_TYPES.get(column.type, column.type.value),
                "mode": mode(column.type, column.required),
            }
            for column in table.columns
        ]
    }


def to_storage_row(row: Mapping[str, Any], table: str) -> Row:
    """A row of `to_json_row` as the Java side takes it: stamps are Beam's, not RFC 3339."""
    stamps = {column.name for column in TABLES[table].columns if column.type is Type.TIMESTAMP}
    return {
        name: Timestamp.from_rfc3339(value) if name in stamps and value is not None else value
        for name, value in row.items()
    }


def failure(failed: Mapping[str, Any]) -> tuple[Row, str]:
    """What Beam says of a row that was not taken -> the row, and why."""
    row = {
        name: value.to_rfc3339() if isinstance(value, Timestamp) else value
        for name, value in failed["failed_row"].items()
    }
    return row, str(failed["error_message"])


@dataclass(eq=False)
class StorageWrite(beam.PTransform):
    """PCollection of JSON rows -> the table; PCollection[(row, why)] of those that were refused.

    Exactly once per row of the input. `expand` raises WarehouseError where there is no Java, or
    its expansion service, which Beam downloads once from Maven Central, can't be had.
    """

    destination: str
    """project:dataset.table"""
    table: str

    def expand(self, rows: PCollection[Row]) -> PCollection[tuple[Row, str]]:
        problem = java_problem()
        if problem:
            raise WarehouseError(problem)
        try:
            written = (
                rows
                | "ToStorageRow" >> beam.Map(to_storage_row, self.table)
                | "StorageWrite" >> WriteToBigQuery(
                    self.destination,
                    schema=rest_schema(TABLES[self.table]),
                    method=WriteToBigQuery.Method.STORAGE_WRITE_API,
                    create_disposition=BigQueryDisposition.CREATE_NEVER,
                    write_disposition=BigQueryDisposition.WRITE_APPEND,
                )
            )  # fmt: skip
        except (OSError, RuntimeError) as error:
            raise WarehouseError(
                "--write-method STORAGE_WRITE_API: Beam's Java expansion service can't be started"
                f" ({str(error).partition(chr(10))[0]}); it is downloaded from Maven Central into"
                " ~/.apache_beam/cache/jars the first time"
            ) from error
        return written.failed_rows_with_errors | "Failure" >> beam.Map(failure)
