"""Posts that come more than once: corrected, numbered alike, deleted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mltox.posts.authors import AuthorKeys
from mltox.posts.topics import TopicMatcher
from mltox.scoring import DEFAULT_BUNDLE
from mltox.warehouse import open_warehouse
from pipelines.graph import Settings
from pipelines.runs.backfill.local import backfill, main
from pipelines.runs.backfill.report import Report

SETTINGS = Settings(
    matcher=TopicMatcher([]),
    authors=AuthorKeys(b"a long enough key for tests"),
    bundle=str(DEFAULT_BUNDLE),
    threshold=0.5,
    default_topic="all",
)


def run(folder: Path, *files: list[dict[str, Any]]) -> Report:
    names = []
    for number, rows in enumerate(files):
        path = folder / f"{len(list(folder.iterdir()))}-{number}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        names.append(str(path))
    with open_warehouse(str(folder / "w.duckdb")) as warehouse:
        return backfill(names, SETTINGS, warehouse, show=False)


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_warehouse(str(folder / "w.duckdb")) as warehouse:
        return [tuple(row.values()) for row in warehouse.query(sql).to_pylist()]


def post(number: int, created_at: str, text: str | None = None) -> dict[str, Any]:
    return {"id": str(number), "text": text or f"post {number}", "created_at": created_at}


HOURS = "SELECT strftime(hour, '%d %H'), posts FROM latest_hourly_toxicity ORDER BY hour"


def test_a_post_whose_time_is_corrected_leaves_its_hour(tmp_path: Path) -> None:
    first = [
        post(1, "2020-01-01T10:00Z"),
        post(2, "2020-01-01T10:10Z"),
        post(3, "2020-01-05T09:00Z"),
    ]
    run(tmp_path, first)
    report = run(tmp_path, [post(1, "2020-01-01T12:00Z"), post(3, "2020-01-01T10:20Z")])
    assert report["moved"] == 2 and "rolled up again" in report.text()
    assert rows(tmp_path, HOURS) == [("01 10", 2), ("01 12", 1), ("05 09", 0)]
    assert rows(tmp_path, "SELECT count(*) FROM scored_posts") == [(3,)]


def test_versions_and_rows_of_one_number_in_one_run(tmp_path: Path) -> None:
    months = [
        [post(n, f"2020-0{month}-0{n}T10:00Z", f"{month} {n}") for n in range(1, 4)]
        for month in range(1, 4)
    ]
    corrected = [post(1, "2020-01-01T12:00Z", "1 1")]
    report = run(tmp_path, *months, corrected)
    assert (report["posts_kept"], report["apart"], report["superseded"]) == (9, 6, 1)
    again = run(tmp_path, *months)
    assert rows(tmp_path, "SELECT sum(posts) FROM latest_hourly_toxicity") == [(9,)]
    assert rows(tmp_path, "SELECT count(*) FROM scored_posts") == [(9,)]
    assert again["posts_kept"] == 9


def test_a_deletion_in_a_file_deletes(tmp_path: Path) -> None:
    tweet = {"id": "1212092628029698048", "text": "gone", "author_id": "5"}
    deletion = {"delete": {"status": {"id_str": "1212092628029698048"}}}
    report = run(tmp_path, [tweet, post(2, "2020-01-01T10:10Z"), deletion])
    assert (report["rows_read"], report["posts_kept"], report["deletions"]) == (3, 2, 1)
    assert report["dead_letters"] == 0
    found = rows(tmp_path, "SELECT post_id, text, author_key FROM scored_posts ORDER BY post_id")
    assert found == [("file:2", "post 2", None), ("x:1212092628029698048", None, None)]


def test_a_dry_run_writes_nothing_and_nothing_kept_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(
        "id,text,created_at\n1,a,2020-01-01\n2,b,2020-01-02\n3,a,2020-01-03\n4,c,never\n"
    )
    given = ["--input", "a.csv", "--warehouse", "w.duckdb"]
    assert main([*given, "--dry-run", "--until", "2020-01-03"]) == 0
    said = capsys.readouterr().out
    assert "bad_created_at (first: a.csv:5" in said and "nothing was written" in said
    assert said.split("distinct texts")[1].split()[0] == "2"
    assert said.split("outside the time")[1].split()[0] == "1"
    assert not Path("w.duckdb").exists()
    assert main([*given, "--since", "2021-01-01"]) == 1
    assert "no post was kept" in capsys.readouterr().err
