"""The Storage Write API as far as it goes without Java: rows, schema, and what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam import coders
from apache_beam.io.gcp.bigquery import StorageWriteToBigQuery
from apache_beam.io.gcp.bigquery_tools import get_dict_table_schema
from apache_beam.testing.util import assert_that
from apache_beam.utils.subprocess_server import JavaJarServer
from apache_beam.utils.timestamp import Timestamp

from commands.cli import main
from mltox.warehouse import WarehouseError
from mltox.warehouse.rows import to_json_row
from mltox.warehouse.schema import TABLES
from pipelines.preflight import Needs, problems_of
from pipelines.sinks.storage_write import failure, rest_schema, to_storage_row
from pipelines.sinks.write_table import WriteTable
from tests.mltox.warehouse.examples import EXAMPLES, MONDAY, hourly, text_score


def without_java(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def build() -> None:
    pipeline = beam.Pipeline("FnApiRunner")
    sink = WriteTable("bq://some-project.mltox", "text_scores", "STORAGE_WRITE_API")
    _ = pipeline | beam.Create([text_score()]) | sink


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_what_the_schema_says_to_java(name: str) -> None:
    """Beam's own conversion takes them, and its row coder gives them back."""
    table = TABLES[name]
    schema = get_dict_table_schema(rest_schema(table))
    row = to_storage_row(to_json_row(table, EXAMPLES[name]()), name)

    def check(found: list[Any]) -> None:
        (one,) = found
        values = one._asdict()
        assert list(values) == list(table.names)
        assert {k: list(v) if isinstance(v, list | tuple) else v for k, v in values.items()} == row

    with beam.Pipeline("FnApiRunner") as pipeline:
        rows = (
            pipeline
            | beam.Create([row])
            | StorageWriteToBigQuery.ConvertToBeamRows(schema, False).with_output_types()
        )
        assert isinstance(coders.registry.get_coder(rows.element_type), coders.RowCoder)
        assert_that(rows | beam.Reshuffle(), check)


def test_stamps_keep_their_microseconds() -> None:
    table = TABLES["hourly_toxicity"]
    row = to_storage_row(to_json_row(table, hourly(hour=MONDAY + 1)), table.name)
    assert row["hour"] == Timestamp(micros=MONDAY + 1)
    assert failure({"failed_row": row, "error_message": "too bad"}) == (
        row | {"hour": "2016-01-04T00:00:00.000001Z", "updated_at": "2016-01-04T01:00:00Z"},
        "too bad",
    )


def test_without_java_it_is_told_before_the_graph_and_while_it_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_java(monkeypatch, tmp_path)
    (problem,) = problems_of(Needs(storage_write=True))
    assert "needs a Java runtime" in problem and "apt-get install" in problem
    with pytest.raises(WarehouseError, match="needs a Java runtime"):
        build()


def test_a_java_home_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_java(monkeypatch, tmp_path)
    java = tmp_path / "home" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\n", encoding="utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert not list(problems_of(Needs(storage_write=True)))


def test_a_jar_that_cannot_be_had_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\n", encoding="utf-8")
    java.chmod(0o755)
    without_java(monkeypatch, tmp_path)
    for repository in ("MAVEN_CENTRAL_REPOSITORY", "GOOGLE_MAVEN_MIRROR"):
        monkeypatch.setattr(JavaJarServer, repository, "http://127.0.0.1:9/maven2")
    monkeypatch.setattr(JavaJarServer, "JAR_CACHE", str(tmp_path / "jars"))
    with pytest.raises(WarehouseError, match="Java expansion service can't be started") as caught:
        build()
    assert "\n" not in str(caught.value)


def test_a_method_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["stream", "--write_method", "FILE_LOADS"])
    assert ended.value.code == 2
    assert "STREAMING_INSERTS" in capsys.readouterr().err
