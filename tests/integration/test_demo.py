"""The first command that a newcomer runs, as a newcomer runs it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mltox.posts.records import DeadLetter, ScoredPost
from mltox.warehouse import open_warehouse, read_records


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    environment = {
        name: value for name, value in os.environ.items() if name != "MLTOX_AUTHOR_KEY"
    } | {"HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    ended = subprocess.run(
        [sys.executable, "-m", "mltox", "demo", "--out", str(folder / "out")],
        capture_output=True,
        text=True,
        timeout=400,
        env=environment,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    return folder / "out", ended.stdout


def test_the_summary_names_what_was_found(demo: tuple[Path, str]) -> None:
    folder, shown = demo
    planted = json.loads((folder / "sample" / "incidents.json").read_text(encoding="utf-8"))
    found = re.search(r"planted incidents found: (\d+) of (\d+)", shown)
    assert found is not None
    assert int(found[2]) == len(planted)
    assert int(found[1]) >= len(planted) - 1
    beside = re.search(r"episodes beside them: (\d+)", shown)
    assert beside is not None and int(beside[1]) <= 3
    assert (folder / "index.html").as_uri() in shown


def test_the_warehouse_holds_what_the_sample_held(demo: tuple[Path, str]) -> None:
    folder, shown = demo
    with open_warehouse(str(folder / "mltox.duckdb")) as warehouse:
        posts = read_records(warehouse, "latest_scored_posts", ScoredPost)
        letters = read_records(warehouse, "dead_letters", DeadLetter)
    counts = {
        name.strip(): int(count.replace(",", ""))
        for name, count in re.findall(r"^  ([a-z+= ]+?)\s+([\d,]+)$", shown, re.MULTILINE)
    }
    assert len(posts) == counts["= posts kept"] > 20_000
    assert len(letters) == counts["+ dead letters"] > 0
    assert 0.3 < len({post.text_sha256 for post in posts}) / len(posts) < 0.7
    others = [post for post in posts if post.lang in {"es", "de", "fr", "pt", "ar", "ja"}]
    assert others and all(post.toxicity is None for post in others)


def test_the_page_says_that_its_data_is_a_sample(demo: tuple[Path, str]) -> None:
    page = (demo[0] / "index.html").read_text(encoding="utf-8")
    assert "Sample data" in page
    assert page.count("<script") >= 1 and "http-equiv" in page
