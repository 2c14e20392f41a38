from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.base.text import storable
from mltox.posts.records import HOUR
from mltox.warehouse.rows import RowError, from_arrow, to_arrow, to_json_row
from mltox.warehouse.schema import TABLES, Column, Type
from tests.mltox.warehouse.examples import EXAMPLES, MONDAY, anomaly, hourly, text_score

YEAR_9999 = 253_402_300_799 * 1_000_000

VALUES: dict[Type, st.SearchStrategy[Any]] = {
    Type.STRING: st.text(),
    Type.INT64: st.integers(-(2**63), 2**63 - 1),
    Type.FLOAT64: st.floats(allow_nan=False, allow_infinity=False),
    Type.BOOL: st.booleans(),
    Type.TIMESTAMP: st.integers(-62_135_596_800 * 1_000_000, YEAR_9999),
    Type.STRINGS: st.lists(st.text(), max_size=3).map(tuple),
}


def value_of(column: Column) -> st.SearchStrategy[Any]:
    return VALUES[column.type] if column.required else st.none() | VALUES[column.type]


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_arrow_round_trip(name: str, data: st.DataObject) -> None:
    table = TABLES[name]
    records = st.tuples(*map(value_of, table.columns)).map(lambda row: table.record(*row))
    rows = data.draw(st.lists(records, max_size=4))
    assert from_arrow(table, to_arrow(table, rows)) == rows


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_json_row_is_json(name: str, data: st.DataObject) -> None:
    table = TABLES[name]
    row = data.draw(st.tuples(*map(value_of, table.columns)))
    converted = to_json_row(table, row)
    assert json.loads(json.dumps(converted, allow_nan=False)) == converted
    assert tuple(converted) == table.names


def test_json_row_by_hand() -> None:
    row = to_json_row(TABLES["anomalies"], anomaly(hour=MONDAY + HOUR + 5))
    assert row == {
        "topic": "politics",
        "hour": "2016-01-04T01:00:00.000005Z",
        "metric": "mean_toxicity",
        "observed": 0.9,
        "expected": 0.2,
        "lower": 0.1,
        "upper": 0.3,
        "score": 7.0,
        "severity": "high",
        "direction": "up",
        "detector": "seasonal",
        "status": "open",
        "terms": ["debate", "wall"],
        "example_post_ids": ["x:1"],
        "explained_share": None,
        "updated_at": "2016-01-04T01:00:00.000000Z",
    }


@given(st.text())
def test_storable_keeps_what_is_valid(text: str) -> None:
    assert storable(text) == text


def test_storable_mends_surrogates() -> None:
    assert storable("a\ud800b\udfff") == "a\ufffdb\ufffd"
    assert storable("\ud83d\ude00") == "\U0001f600"  # a pair is one character written in two
    assert storable("\x00") == "\x00"


def test_surrogates_are_mended_in_both_conversions() -> None:
    row = anomaly(topic="\ud800", terms=("\udc00", "ok"))
    table = TABLES["anomalies"]
    [stored] = from_arrow(table, to_arrow(table, [row, row]))[:1]
    assert (stored.topic, stored.terms) == ("\ufffd", ("\ufffd", "ok"))
    assert to_json_row(table, row)["terms"] == ["\ufffd", "ok"]


UNFIT = [
    (hourly(hour=None), "hourly_toxicity.hour: NULL in a required column"),
    (hourly(posts="ten"), "hourly_toxicity.posts"),
    (hourly(hour=2**63), "hourly_toxicity.hour"),
    (hourly(mean_toxicity=math.nan), "hourly_toxicity.mean_toxicity"),
    (hourly(p90_toxicity=math.inf), "hourly_toxicity.p90_toxicity"),
    (hourly(topic=7), "hourly_toxicity.topic"),
    (hourly(is_final="yes"), "hourly_toxicity.is_final"),
    (("politics", MONDAY), "hourly_toxicity: a row has 2 fields, not 18"),
]


@pytest.mark.parametrize(("row", "message"), UNFIT)
def test_unfit_row_names_its_column(row: tuple[Any, ...], message: str) -> None:
    table = TABLES["hourly_toxicity"]
    for convert in (lambda: to_arrow(table, [row]), lambda: to_json_row(table, row)):
        with pytest.raises(RowError) as caught:
            convert()
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)


def test_rows_of_unequal_length() -> None:
    with pytest.raises(RowError, match="text_scores: a row has 2 fields, not 9"):
        to_arrow(TABLES["text_scores"], [text_score(), ("1", "2")])


@pytest.mark.parametrize("name", TABLES)
def test_no_rows(name: str) -> None:
    assert to_arrow(TABLES[name], []).num_rows == 0


@pytest.mark.parametrize("name", TABLES)
def test_example_fits(name: str) -> None:
    table = TABLES[name]
    row = EXAMPLES[name]()
    assert from_arrow(table, to_arrow(table, [row])) == [row]
