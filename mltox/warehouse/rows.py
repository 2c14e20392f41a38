"""Records to Arrow, Arrow to records, records to BigQuery's JSON rows. Imports no database."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from numbers import Integral, Real
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltox.base.text import storable
from mltox.warehouse.schema import Column, Table, Type

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


def _check_length(table: Table, row: Sequence[Any]) -> None:
    if len(row) != len(table.columns):
        raise RowError(f"{table.name}: a row has {len(row)} fields, not {len(table.columns)}")


def to_arrow(table: Table, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Rows as one Arrow table with the table's columns. Raises RowError."""
    for row in rows:
        _check_length(table, row)
    columns = zip(*rows, strict=True) if rows else [()] * len(table.columns)
    arrays = []
    for column, values in zip(table.columns, columns, strict=True):
        name = f"{table.name}.{column.name}"
        try:
            array = _arrow_column(column, values)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            reason = str(error).partition("\n")[0]
            raise RowError(f"{name}: not {column.type.value} ({reason})") from None
        if column.required and array.null_count:
            raise RowError(f"{name}: NULL in a required column")
        if column.type is Type.FLOAT64 and pc.any(pc.invert(pc.is_finite(array))).as_py():
            raise RowError(f"{name}: neither a number nor NULL")
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


def _json_value(kind: Type, value: Any) -> Any:
    match kind, value:
        case Type.BOOL, bool():
            return value
        case Type.TIMESTAMP, Integral():
            stamp = _EPOCH + timedelta(microseconds=int(value))
            return stamp.isoformat(timespec="microseconds").replace("+00:00", "Z")
        case Type.INT64, Integral():
            return int(value)
        case Type.FLOAT64, Real() if math.isfinite(value):
            return float(value)
        case Type.STRING, str():
            return storable(value)
        case Type.STRINGS, tuple() if all(isinstance(item, str) for item in value):
            return [storable(item) for item in value]
    raise ValueError


def to_json_row(table: Table, row: Sequence[Any]) -> dict[str, Any]:
    """A row as BigQuery's insertAll takes it: stamps in RFC 3339, arrays as lists.

    Raises RowError. One NaN would make the whole request of 500 rows fail, so it is caught here.
    """
    _check_length(table, row)
    values = {}
    for column, value in zip(table.columns, row, strict=True):
        name = f"{table.name}.{column.name}"
        if value is None and column.required:
            raise RowError(f"{name}: NULL in a required column")
        try:
            values[column.name] = None if value is None else _json_value(column.type, value)
        except (ValueError, OverflowError):
            raise RowError(f"{name}: {str(value)[:100]!r} is no {column.type.value}") from None
    return values
