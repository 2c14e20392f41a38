"""Records to Arrow, Arrow to records, records to BigQuery's JSON rows. Imports no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from pipelines.warehouse.schema import Column, Table, Type

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP = pa.timestamp("us", "UTC")
_ARROW: Mapping[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.INT64: pa.int64(),
    Type.FLOAT64: pa.float64(),
    Type.BOOL: pa.bool_(),
    Type.TIMESTAMP: _STAMP,
    Type.STRINGS: pa.list_(pa.string()),
}


class RowError(ValueError):
    """A row that doesn't fit its table, in one line that names the column."""


def storable(text: str) -> str:
    """`text` with lone surrogates replaced by U+FFFD: what is left is valid UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, tuple):
        return tuple(map(_storable, value))
    return value


def _arrow_column(column: Column, values: Sequence[Any]) -> pa.Array:
    kind = _ARROW[column.type]
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array([_storable(value) for value in values], kind)


def to_arrow(table: Table, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Rows as one Arrow table with the table's columns. Raises RowError."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(table.columns)
    if len(columns) != len(table.columns):
        raise RowError(f"{table.name}: a row has {len(columns)} fields, not {len(table.columns)}")
    arrays = []
    for column, values in zip(table.columns, columns, strict=True):
        try:
            array = _arrow_column(column, values)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise RowError(
                f"{table.name}.{column.name}: not {column.type.value} ({error})"
            ) from None
        if column.required and array.null_count:
            raise RowError(f"{table.name}.{column.name}: NULL in a required column")
        arrays.append(array)
    return pa.table(arrays, names=list(table.names))


def from_arrow(table: Table, data: pa.Table) -> list[Any]:
    """Arrow rows with (at least) the table's columns as records: stamps as Micros, arrays as
    tuples."""
    columns = []
    for column in table.columns:
        array = data.column(column.name)
        if column.type is Type.TIMESTAMP:
            array = array.cast(_STAMP).cast(pa.int64())
        values = array.to_pylist()
        if column.type is Type.STRINGS:
            values = [tuple(value or ()) for value in values]
        columns.append(values)
    return [table.record(*row) for row in zip(*columns, strict=True)]


def _json_value(column: Column, value: Any) -> Any:
    if value is None:
        return [] if column.type is Type.STRINGS else None
    if column.type is Type.TIMESTAMP:
        stamp = _EPOCH + timedelta(microseconds=value)
        return stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if column.type is Type.STRINGS:
        return [storable(item) for item in value]
    if column.type is Type.STRING:
        return storable(value)
    return value


def to_json_row(table: Table, row: Sequence[Any]) -> dict[str, Any]:
    """A row as BigQuery's insertAll takes it: stamps in RFC 3339, arrays as lists."""
    return {
        column.name: _json_value(column, value)
        for column, value in zip(table.columns, row, strict=True)
    }
