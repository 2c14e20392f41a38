"""Rows of tables, and JSON objects of no network's shape, as plain rows of a post."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from mltox.posts.formats import is_plain
from mltox.posts.formats.own import notice
from mltox.posts.formats.safe_fields import ACCOUNTS
from mltox.posts.formats.stamps import Times
from mltox.posts.formats.x_v2 import snowflake_millis
from mltox.posts.networks import DEFAULT_SOURCE, network_of
from mltox.posts.reading.columns import checked_fields, fields_of, is_of_tweets, value_at
from mltox.posts.reading.how import How
from mltox.posts.reading.ids import are_zero_filled, row_id, sound_id
from mltox.posts.reading.json_rows import JsonRow
from mltox.posts.reading.remarks import Remarks
from mltox.posts.records import SECOND

_SURE = 0.95
_ROUNDED = "ids are rounded numbers, as spreadsheets write them: a hash of the row stands for each"
_NO_NETWORK = (
    f"rows name no network in their source and are of {DEFAULT_SOURCE!r}; --source names it"
)


class TablePosts:
    """Makes the payload of each row of a table.

    Raises InputError for a column that is not there.
    """

    def __init__(
        self,
        name: str,
        header: Sequence[str],
        mapping: Mapping[str, str],
        how: How,
        remarks: Remarks,
        origin: str,
    ) -> None:
        self._header = list(header)
        self._how = how
        self._remarks = remarks
        self._origin = origin
        tweets = is_of_tweets(header)
        self._network = how.source or ("x" if tweets else None)
        times_in_ids = self._network == "x" and ("id" in mapping or "id" in header)
        required = ("text",) if times_in_ids else ("text", "created_at")
        fields = checked_fields(name, mapping, header, required)
        if tweets and "author" not in fields and "author_id" in header:
            fields["author"] = "author_id"
        self._fields = fields
        self._has_id = "id" in fields
        self._wanted = list(dict.fromkeys(fields.values())) if self._has_id else self._header
        places = {column: place for place, column in reversed(list(enumerate(header)))}
        self._places = [(field, places[column]) for field, column in fields.items()]
        self._names_accounts = "author" in fields or any(
            column.casefold().replace(" ", "_") in ACCOUNTS for column in header
        )
        self._text_at = places[fields["text"]]

    def wanted(self) -> Sequence[str]:
        """The columns to read where not all have to be; without an id all, for the row's hash.
        `payload` then takes the cells of these."""
        index = {column: place for place, column in enumerate(self._wanted)}
        self._places = [(field, index[column]) for field, column in self._fields.items()]
        return self._wanted

    def look_at(self, rows: Sequence[Sequence[Any]]) -> None:
        """Learns from the first rows what their ids are worth and whose they are."""
        places = dict(self._places)
        if not self._has_id or not rows:
            return
        ids = [row[places["id"]] for row in rows]
        if are_zero_filled(ids):
            self._has_id = False
            self._remarks.note(_ROUNDED, f"{self._origin}: {ids[0]}", 0)
        elif self._network is None and "created_at" in places:
            stamps = [row[places["created_at"]] for row in rows]
            if _are_of_x(ids, stamps, self._how.times or Times()):
                self._network = "x"

    def payload(self, cells: Sequence[Any], place: str) -> bytes:
        row = {field: cells[at] for field, at in self._places}
        row["source"] = self._source(row.get("source"), place)
        if self._has_id:
            found = sound_id(row["id"]) if row["id"] is not None else None
            if found is None and row["id"] is not None:
                self._remarks.note(_ROUNDED, f"{place}: {row['id']}")
                found = _hash_of(cells)
            row["id"] = found
        else:
            row["id"] = _hash_of(cells)
        if self._how.times is not None:
            row["created_at"] = _told(row.get("created_at"), self._how.times)
        return _dumped(row)

    def _source(self, value: Any, place: str) -> str:
        if self._how.source:
            return self._how.source
        if not isinstance(value, str) or not value.strip():
            return self._network or DEFAULT_SOURCE
        network = network_of(value)
        if network is None and self._network is None:
            self._remarks.note(_NO_NETWORK, f"{place}: {value.strip()[:60]!r}")
        return network or self._network or DEFAULT_SOURCE

    def rest_of(self, text: str, delimiter: str) -> str:
        """What may be kept of a damaged row: its text, or wherever that has slipped to. Where
        somebody's name may have slipped there, nothing is known to be safe."""
        if self._names_accounts:
            return text
        kept = (self._around_text(line.split(delimiter)) for line in text.splitlines())
        return json.dumps({"text": "\n".join(map(delimiter.join, kept))})

    def _around_text(self, cells: Sequence[str]) -> Sequence[str]:
        slip = len(cells) - len(self._header)
        first = max(0, self._text_at + min(slip, 0))
        return cells[first : self._text_at + max(slip, 0) + 1]


class JsonPosts:
    """Makes the payload of each JSON value: as it is, but for plain rows that need mending."""

    def __init__(self, mapping: Mapping[str, str], how: How, remarks: Remarks) -> None:
        self._mapping = mapping
        self._how = how
        self._remarks = remarks
        self._told = how.source is not None or how.times is not None

    def payload(self, row: JsonRow, place: str) -> bytes:
        value = row.value
        if not isinstance(value, dict):
            return row.payload
        if self._mapping:
            value = {
                field: value_at(value, key)
                for field, key in fields_of(self._mapping, value).items()
            }
            return self._mended(value, row.payload, place)
        if (self._told or self._is_doubtful(value)) and is_plain(value):
            return self._mended(dict(value), row.payload, place)
        return row.payload

    def _is_doubtful(self, value: dict[str, Any]) -> bool:
        native_id = value.get("id")
        if isinstance(native_id, float) or (isinstance(native_id, str) and "+" in native_id):
            return True
        source = value.get("source")
        return isinstance(source, str) and network_of(source) is None

    def _mended(self, value: dict[str, Any], payload: bytes, place: str) -> bytes:
        native_id = value.get("id")
        if native_id is not None:
            native_id = sound_id(native_id) if isinstance(native_id, str | float) else native_id
            if native_id is None:
                self._remarks.note(_ROUNDED, f"{place}: {value['id']}")
        if native_id is None and (self._mapping or "id" in value):
            native_id = row_id([payload.decode("utf-8", "replace")])
        value["id"] = native_id
        source = value.get("source")
        if self._how.source is not None:
            value["source"] = self._how.source
        elif isinstance(source, str) and source.strip() and network_of(source) is None:
            self._remarks.note(_NO_NETWORK, f"{place}: {source.strip()[:60]!r}")
        if self._how.times is not None:
            value["created_at"] = _told(value.get("created_at"), self._how.times)
        return _dumped(value)


def _are_of_x(ids: Sequence[Any], stamps: Sequence[Any], times: Times) -> bool:
    """Whether the ids hold the times that stand beside them, as those of X do."""
    agree = 0
    for native_id, stamp in zip(ids, stamps, strict=True):
        held = snowflake_millis(native_id)
        if isinstance(stamp, datetime):
            stamp = stamp.isoformat()
        told = times.micros_of(stamp) if isinstance(stamp, str | int | float) else None
        agree += held is not None and told is not None and abs(told - held * 1000) <= SECOND
    return agree >= max(1, _SURE * len(ids))


def _told(value: Any, times: Times) -> Any:
    """A time as the person said that it is written; as it stands where it is not."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=times.zone)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        stamp = times.micros_of(value)
        return value if stamp is None else stamp
    return value


def _hash_of(cells: Sequence[Any]) -> str:
    return row_id([cell if isinstance(cell, str) else repr(cell) for cell in cells])


def _dumped(row: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, default=_json_of, option=orjson.OPT_NAIVE_UTC)
    except TypeError:
        return _without_surrogates(row)


def _without_surrogates(row: Mapping[str, Any]) -> bytes:
    """Only what is no UTF-8 in the file, or half of a surrogate pair in JSON, cannot be written."""
    text = json.dumps(row, default=repr)
    if not any(_is_of_bytes(value) for value in row.values()):
        return text.encode()
    return notice("bad_encoding", "the row is not UTF-8; save the file as UTF-8", text)


def _is_of_bytes(value: Any) -> bool:
    """Whether a string holds bytes that were no UTF-8 (`surrogateescape`), or are bytes."""
    if isinstance(value, bytes):
        return True
    return isinstance(value, str) and any("\udc80" <= letter <= "\udcff" for letter in value)


def _json_of(value: object) -> str:
    """The JSON of a cell that is of no JSON type: some writers of Parquet store text as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)
