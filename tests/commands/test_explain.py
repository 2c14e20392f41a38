"""`mltox explain` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands.explain import main
from mltox.posts.records import HOUR, SECOND, HourlyToxicity, ScoredPost
from mltox.warehouse import open_warehouse

START = 1_451_908_800 * SECOND  # Monday 4 January 2016, 12:00 UTC
HOSTILE = "they lied \x1b[31m to us \u202e again"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two hours of one topic."""
    path = tmp_path / "w.duckdb"
    with open_warehouse(str(path)) as warehouse:
        warehouse.create()
        for at, count in ((START, 4), (START + HOUR, 300)):
            warehouse.upsert(
                "scored_posts",
                [
                    ScoredPost(
                        "dam", f"x:{at}{i}", "x", f"a{i}", HOSTILE if at == START else f"calm {i}",
                        f"{i:08x}", "en", at, at, at, "m@1", "f", 0.5, *[None] * 6,
                    )
                    for i in range(count)
                ],
            )  # fmt: skip
            row = HourlyToxicity(
                "dam", at, "m@1", count, 0, count, 0.5, 0.5, None, None, None, None, None, None,
                None, 1, True, at,
            )  # fmt: skip
            warehouse.upsert("hourly_toxicity", [row])
    return path


def test_it_tells_counts_voices_words_and_posts(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--warehouse", str(file), "--hour", "2016-01-04T12:34Z"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("dam, 2016-01-04T12:00Z to 2016-01-04T13:00Z\n")
    assert "4, of which scored 4" in said
    assert "2 (50.0% of the scored)" in said
    assert "4; 2 of them wrote half of the posts, the busiest 25%" in said
    assert "300 other posts of the topic" in said
    assert "0.500, 4 times by 4 authors" in said
    assert "\x1b" not in said and "\u202e" not in said


def test_json_is_what_the_page_gets(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--warehouse", str(file), "--hour", "2016-01-04T13:00+01:00", "--hours", "2"]
    assert main([*arguments, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["posts"], told["all_posts"], told["start"]) == (304, 304, START // 1000)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--hour", "2016-02-04T12:00Z"], "has no posts at 2016-02-04T12:00Z; its hours are"),
        (["--hour", "2016-01-04T12:00Z", "--topic", "nope"], "there is no 'nope' of: dam"),
    ],
)
def test_one_line_says_what_there_is(
    file: Path, capsys: pytest.CaptureFixture[str], given: list[str], says: str
) -> None:
    assert main(["--warehouse", str(file), *given]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


def test_a_file_that_is_not_there_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.duckdb"
    assert main(["--warehouse", str(path), "--hour", "2016-01-04T12:00Z"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not path.exists()


@pytest.mark.parametrize("given", [["--hour", "noon"], ["--hour", "2016-01-04", "--hours", "0"]])
def test_a_typing_error_is_code_2(given: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--warehouse", "w", *given])
    assert stop.value.code == 2
