"""CREATE TABLE statements for BigQuery and DuckDB, from the table definitions."""

from __future__ import annotations

from collections.abc import Mapping

from mltox.warehouse.schema import Column, Table, Type

DUCKDB_TYPES: Mapping[Type, str] = {
    Type.STRING: "VARCHAR",
    Type.INT64: "BIGINT",
    Type.FLOAT64: "DOUBLE",
    Type.BOOL: "BOOLEAN",
    Type.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    Type.STRINGS: "VARCHAR[]",
}


def literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bigquery_column(column: Column) -> str:
    # BigQuery's arrays are never NULL and take no NOT NULL.
    required = " NOT NULL" if column.required and column.type is not Type.STRINGS else ""
    description = literal(column.description)
    return f"{column.name} {column.type.value}{required} OPTIONS(description={description})"


def bigquery_table(table: Table, dataset: str) -> str:
    """DDL for `table` in `dataset`, written as project.dataset. Partitions are days."""
    columns = ",\n  ".join(_bigquery_column(column) for column in table.columns)
    partition = f"\nPARTITION BY TIMESTAMP_TRUNC({table.partition}, DAY)" if table.partition else ""
    return (
        f"CREATE TABLE IF NOT EXISTS `{dataset}.{table.name}` (\n  {columns}\n)"
        f"{partition}\nCLUSTER BY {', '.join(table.cluster)}"
        f"\nOPTIONS(description={literal(table.description)})"
    )


def duckdb_table(table: Table) -> str:
    columns = ", ".join(
        f'"{column.name}" {DUCKDB_TYPES[column.type]}{" NOT NULL" if column.required else ""}'
        for column in table.columns
    )
    return f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns})'
