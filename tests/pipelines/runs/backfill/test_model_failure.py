"""A model that fails on anything ends a backfill with one line, and makes no letters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mltox.warehouse import open_warehouse
from pipelines.runs.backfill.local import main
from pipelines.transforms import score


def fails(*_: object) -> object:
    raise RuntimeError("CUDA out of memory")


def test_it_is_one_line_and_the_posts_are_there_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    posts = tmp_path / "posts.jsonl"
    rows = [
        {"id": str(n), "text": f"good morning {n}", "created_at": "2026-03-02T12:00:00Z"}
        for n in range(5)
    ]
    posts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    warehouse = str(tmp_path / "w.duckdb")
    arguments = ["--input", str(posts), "--warehouse", warehouse, "--store_text", "none"]
    with monkeypatch.context() as patched:
        patched.setattr(score, "scores_of", fails)
        assert main(arguments) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "fails on any text (RuntimeError: CUDA out of memory)" in last
    with open_warehouse(warehouse) as opened:
        assert opened.query("SELECT * FROM dead_letters").num_rows == 0
    assert main(arguments) == 0
    with open_warehouse(warehouse) as opened:
        assert opened.query("SELECT post_id FROM scored_posts").num_rows == 5
        assert opened.query("SELECT * FROM dead_letters").num_rows == 0
