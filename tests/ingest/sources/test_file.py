from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from ingest.sources import file as source
from ingest.sources.file import FileSource, identity
from ingest.sources.source import Batch, SourceError
from tests.ingest.sources.contract import Case, SourceContract, posts_of, read_until

ROWS = 450


def row(number: int) -> bytes:
    at = f"2026-03-02T12:{number // 60:02}:{number % 60:02}Z"
    return json.dumps({"id": f"p{number}", "text": "good morning", "created_at": at}).encode()


def written(path: Path, numbers: range) -> Path:
    path.write_bytes(b"".join(row(number) + b"\n" for number in numbers))
    return path


class TestContract(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        written(tmp_path / "a.jsonl", range(ROWS))
        written(tmp_path / "b.jsonl", range(ROWS, ROWS + 50))
        ids = [f"file:p{number}" for number in range(ROWS + 50)]
        return Case("file", ["--input", str(tmp_path / "*.jsonl")], ids)


class TestContractAtAPace(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = written(tmp_path / "a.jsonl", range(20))
        arguments = ["--input", str(path), "--speed", "60"]
        return Case("file", arguments, [f"file:p{number}" for number in range(20)])


def test_columns_of_a_table_are_named(tmp_path: Path) -> None:
    path = tmp_path / "posts.parquet"
    table = pa.table({"tweet": ["hello", "bye"], "date": [1_772_452_800, 1_772_452_801]})
    pyarrow.parquet.write_table(table, path)
    parser = argparse.ArgumentParser()
    source.add_arguments(parser)
    options = parser.parse_args(["--input", str(path), "--columns", "text=tweet,created_at=date"])
    batches = read_until(source.open_source(options, tuple), {}, lambda _: False)
    assert len(posts_of(payload for batch in batches for payload in batch.payloads)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "nowhere.jsonl"], "no such file: nowhere.jsonl"),
        (["--input", ".", "--columns", "txt=tweet"], "no field 'txt'"),
    ],
)
def test_what_cannot_be_read_is_told_before_anything_is(arguments: list[str], message: str) -> None:
    parser = argparse.ArgumentParser()
    source.add_arguments(parser)
    with pytest.raises(SourceError, match=message):
        source.open_source(parser.parse_args(arguments), tuple)


def test_a_file_that_grew_goes_on_and_another_one_starts_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", range(100))
    cursor = {identity(path): "100"}

    def read() -> list[str]:
        batches = read_until(FileSource([path], {}), cursor, lambda _: False)
        return posts_of(payload for batch in batches for payload in batch.payloads)

    assert read() == []
    written(path, range(103))
    assert read() == ["file:p100", "file:p101", "file:p102"]
    written(path, range(7, 107))
    assert len(read()) == 100


def test_a_pace_is_kept_in_order_and_stopped_in_the_middle(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", range(ROWS))
    stopping = threading.Event()
    found: list[Batch] = []
    for batch in FileSource([path], {}, speed=40.0).read({}, stopping):
        found.append(batch)
        if len(found) == 4:
            stopping.set()
    ids = posts_of(payload for batch in found for payload in batch.payloads)
    assert ids == [f"file:p{number}" for number in range(len(ids))]
    assert 0 < len(ids) < ROWS
    assert found[-1].cursor == {identity(path): str(len(ids))}
