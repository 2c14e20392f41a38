from __future__ import annotations

from pathlib import Path

import pytest

from mltox.warehouse import WarehouseError
from mltox.warehouse.location import BigQueryDataset, DuckDBFile, parse_uri


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("posts.duckdb", DuckDBFile(Path("posts.duckdb"))),
        ("a/b c.db", DuckDBFile(Path("a/b c.db"))),
        ("duckdb:///tmp/x.duckdb", DuckDBFile(Path("/tmp/x.duckdb"))),
        ("bq://my-project.mltox", BigQueryDataset("my-project", "mltox")),
        ("bq://example.com:my-project.mltox", BigQueryDataset("example.com:my-project", "mltox")),
    ],
)
def test_uri(uri: str, location: object) -> None:
    assert parse_uri(uri) == location


@pytest.mark.parametrize(
    "uri",
    ["", "duckdb://", "bq://mltox", "bq://p.d.t", "bq://p.d`; DROP", "bq://P.", "gs://bucket/x"],
)
def test_bad_uri_is_one_line(uri: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        parse_uri(uri)
    expected = (
        f"{uri!r} is no warehouse: give a path.duckdb, parquet://folder or bq://project.dataset"
    )
    assert str(caught.value) == expected
