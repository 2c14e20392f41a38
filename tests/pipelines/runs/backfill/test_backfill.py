"""The whole graph on small inputs, with the real model and a real DuckDB file."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mltox.posts.authors import AuthorKeys
from mltox.posts.topics import Topic, TopicMatcher
from mltox.scoring import DEFAULT_BUNDLE, load_bundle
from mltox.warehouse import Warehouse, open_warehouse
from mltox.warehouse.schema import TABLES
from pipelines.graph import Settings
from pipelines.options import StoreText
from pipelines.runs.backfill.local import backfill
from pipelines.runs.backfill.report import Report

START = datetime(2026, 3, 2, tzinfo=UTC)
TEXTS = (
    "what a lovely morning in the park",
    "the council votes on the budget tonight",
    "you are a stupid idiot and nobody likes you",
    "RT @someone: the budget is a disgrace &amp; you know it",
    "great goal 🎉 https://example.org/1",
    "shut up, you pathetic moron",
)
TOPICS = (
    Topic("budget", keywords=("budget",), phrases=(), hashtags=()),
    Topic("rude", keywords=("idiot", "moron"), phrases=(), hashtags=()),
)


def settings(**changed: Any) -> Settings:
    values: dict[str, Any] = {
        "matcher": TopicMatcher(TOPICS),
        "authors": AuthorKeys(b"a long enough key for tests"),
        "bundle": str(DEFAULT_BUNDLE),
        "threshold": load_bundle(DEFAULT_BUNDLE).threshold,
        "default_topic": "everything else",
    }
    return Settings(**(values | changed))


def plain_rows(count: int, seed: int = 0) -> list[dict[str, Any]]:
    chooser = random.Random(seed)
    return [
        {
            "id": f"{i}",
            "text": chooser.choice(TEXTS),
            "created_at": (START + timedelta(minutes=chooser.randrange(5 * 24 * 60))).isoformat(),
            "author": f"person {chooser.randrange(9)}",
            "lang": "en",
        }
        for i in range(count)
    ]


def write(path: Path, rows: Sequence[Any]) -> str:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def run(folder: Path, *inputs: str, slice_posts: int = 50_000, **changed: Any) -> Report:
    warehouse = open_warehouse(str(folder / "w.duckdb"))
    try:
        return backfill(inputs, settings(**changed), warehouse, slice_posts=slice_posts, show=False)
    finally:
        warehouse.close()


def contents(folder: Path, *, volatile: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Every table as sorted rows, without the columns that hold a time of writing."""
    warehouse = open_warehouse(str(folder / "w.duckdb"))
    try:
        return {name: table_rows(warehouse, name, volatile) for name in TABLES}
    finally:
        warehouse.close()


def table_rows(warehouse: Warehouse, name: str, volatile: bool) -> list[dict[str, Any]]:
    left_out = set() if volatile else set(TABLES[name].volatile)
    if name == "dead_letters":
        left_out |= {"letter_id", "message"}  # they tell in which folder the row was
    rows = warehouse.query(f"SELECT * FROM {name}").to_pylist()  # noqa: S608
    kept = [{k: v for k, v in row.items() if k not in left_out} for row in rows]
    return sorted(kept, key=repr)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    return tmp_path / "one", tmp_path / "other"


BAD_ROWS = {
    '{"id": "1", "text": "cut o': "malformed_json",
    '{"id": "b1", "created_at": "2026-03-02T00:00:00Z"}': "missing_text",
    '{"id": "b2", "text": " ", "created_at": "2026-03-02T00:00:00Z"}': "empty_text",
    '{"id": "b3", "text": "no stamp"}': "missing_created_at",
    '{"id": "b4", "text": "when?", "created_at": "yesterday"}': "bad_created_at",
    '{"id": "b5", "text": "old", "created_at": "1970-01-01T00:00:00Z"}': (
        "created_at_out_of_range"
    ),
    '{"id": "b6", "text": "new", "created_at": "2999-01-01T00:00:00Z"}': (
        "created_at_out_of_range"
    ),
    '{"id": "b7", "text": ["not", "text"], "created_at": "2026-03-02T00:00:00Z"}': "wrong_type",
    '"only a string"': "not_an_object",
}


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    good = plain_rows(200)
    rows = [*good, *good[:7], *BAD_ROWS]
    report = run(tmp_path, write(tmp_path / "posts.jsonl", rows))
    assert report["rows_read"] == len(rows)
    assert report["dead_letters"] == len(BAD_ROWS)
    copies = report["topic_copies"]
    assert report["duplicates"] >= 7
    assert report["posts_kept"] == 200 + copies - (report["duplicates"] - 7)
    tables = contents(tmp_path)
    assert len(tables["scored_posts"]) == report["posts_kept"]
    assert sum(row["posts"] for row in tables["hourly_toxicity"]) == report["posts_kept"]
    found = {row["payload"]: row["error_type"] for row in tables["dead_letters"]}
    assert sorted(found.values()) == sorted(BAD_ROWS.values())
    assert all(row["stage"] == "parse" for row in tables["dead_letters"])


def test_the_rude_topic_is_the_toxic_one(tmp_path: Path) -> None:
    run(tmp_path, write(tmp_path / "posts.jsonl", plain_rows(300)))
    warehouse = open_warehouse(str(tmp_path / "w.duckdb"))
    rows = warehouse.query("SELECT topic, mean_toxicity FROM topic_summary").to_pylist()
    warehouse.close()
    means = {row["topic"]: row["mean_toxicity"] for row in rows}
    assert means["rude"] > 0.5 > means["budget"]
    assert means["everything else"] < 0.2


def test_a_second_run_changes_nothing_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "posts.jsonl", [*plain_rows(150), *BAD_ROWS])
    run(tmp_path, path)
    before = contents(tmp_path, volatile=True)
    run(tmp_path, path)
    assert contents(tmp_path, volatile=True) == before


def test_the_order_of_rows_changes_nothing(folders: tuple[Path, Path]) -> None:
    one, other = folders
    rows = plain_rows(250)
    run(one, write(one / "posts.jsonl", rows))
    run(other, write(other / "posts.jsonl", random.Random(4).sample(rows, len(rows))))
    assert contents(one) == contents(other)


def test_slices_of_time_change_nothing(folders: tuple[Path, Path]) -> None:
    one, other = folders
    rows = [*plain_rows(250), *BAD_ROWS]
    run(one, write(one / "posts.jsonl", rows))
    run(other, write(other / "posts.jsonl", rows), slice_posts=20)
    assert contents(one) == contents(other)


def test_an_hour_in_two_files_ends_as_in_one(folders: tuple[Path, Path]) -> None:
    one, other = folders
    rows = plain_rows(200)
    run(one, write(one / "posts.jsonl", rows))
    run(other, write(other / "first.jsonl", rows[:90]))
    run(other, write(other / "second.jsonl", rows[80:]))
    ours, theirs = contents(one), contents(other)
    for table in ("scored_posts", "hourly_toxicity", "anomalies", "text_scores"):
        assert ours[table] == theirs[table]


def test_another_model_takes_its_posts_along(tmp_path: Path) -> None:
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for file in Path(DEFAULT_BUNDLE).iterdir():
        (renamed / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((renamed / "bundle.json").read_text(encoding="utf-8"))
    manifest["name"] = "renamed"
    (renamed / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    path = write(tmp_path / "posts.jsonl", plain_rows(60))
    report = run(tmp_path, path)
    run(tmp_path, path, bundle=str(renamed))
    posts: dict[str, int] = {}
    for row in contents(tmp_path)["hourly_toxicity"]:
        name = row["model"].partition("@")[0]
        posts[name] = posts.get(name, 0) + row["posts"]
    assert posts.pop("renamed") == report["posts_kept"]
    assert set(posts.values()) == {0}


@pytest.mark.parametrize("store", [StoreText.HASHED, StoreText.NONE])
def test_texts_are_not_stored_unless_wanted(tmp_path: Path, store: StoreText) -> None:
    path = write(tmp_path / "posts.jsonl", [*plain_rows(40), *BAD_ROWS])
    run(tmp_path, path, store_text=store)
    tables = contents(tmp_path)
    assert {row["text"] for row in tables["scored_posts"]} == {None}
    assert all((row["text_sha256"] == "") == (store == "none") for row in tables["scored_posts"])
    assert bool(tables["text_scores"]) == (store == "hashed")
    assert "cut o" not in repr(tables["dead_letters"])


def test_no_raw_author_is_stored(tmp_path: Path) -> None:
    broken = '{"id": "9", "author": "person 3", "text": "cut of'
    run(tmp_path, write(tmp_path / "posts.jsonl", [*plain_rows(40), *BAD_ROWS, broken]))
    stored = repr(contents(tmp_path))
    assert "person 3" not in stored


def test_topics_of_other_hours_keep_their_rows(tmp_path: Path) -> None:
    run(tmp_path, write(tmp_path / "first.jsonl", plain_rows(80)))
    before = contents(tmp_path, volatile=True)["hourly_toxicity"]
    late = {
        "id": "late",
        "text": "a late word on the budget",
        "created_at": (START + timedelta(days=2)).isoformat(),
    }
    run(tmp_path, write(tmp_path / "late.jsonl", [late]))
    after = contents(tmp_path, volatile=True)["hourly_toxicity"]
    changed = [row for row in after if row not in before]
    assert [(row["topic"], row["hour"]) for row in changed] == [
        ("budget", START + timedelta(days=2))
    ]
