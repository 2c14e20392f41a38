import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from commands.dashboard import main
from dashboards.errors import DashboardError
from dashboards.page import render, write_page
from mltox.posts.records import HOUR, SECOND, Anomaly, DeadLetter, HourlyToxicity, ScoredPost
from mltox.warehouse import open_warehouse

START = 1_451_952_000 * SECOND  # Tuesday 5 January 2016, 00:00 UTC
BAD = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A warehouse of two hours of one topic, with one anomaly; every text is hostile."""
    path = tmp_path / "w.duckdb"
    hour = HourlyToxicity(
        BAD, START, "m@1", 9, 1, 5, 0.25, 0.25, 0.25, 0.1, 0.1, 0.1, 0.1, 0.1, None, 1, True, START
    )
    rows = [hour, hour._replace(hour=START + HOUR)]
    post = ScoredPost(
        BAD, "x:1", BAD, None, BAD, "0", "en", START, START, START, "m@1", "f", *[0.9] * 7
    )  # fmt: skip
    anomaly = Anomaly(
        BAD, START + HOUR, "posts", 9.0, 3.0, 1.0, 5.0, 6.0, "info", "up", "d", "open", (BAD,),
        ("x:1",), 0.5, START,
    )  # fmt: skip
    with open_warehouse(str(path)) as warehouse:
        warehouse.create()
        warehouse.upsert("hourly_toxicity", rows)
        warehouse.upsert("scored_posts", [post])
        warehouse.upsert("anomalies", [anomaly])
        warehouse.upsert(
            "dead_letters", [DeadLetter("1", "parse", "missing_text", BAD, BAD, None, START)]
        )
    return path


def test_the_page_holds_what_the_views_hold(file: Path) -> None:
    with open_warehouse(str(file)) as warehouse:
        html = render(warehouse, sample=False)
    block = re.search(r'<script type="application/json" id="topic-0">(.*?)</script>', html)
    assert block
    topic = json.loads(block[1])
    assert topic["name"] == BAD
    assert topic["hourly"]["posts"] == [9, 9]
    assert topic["hourly"]["scored"] == [8, 8]
    assert topic["hourly"]["toxic_share"] == [25_000, 25_000]
    assert topic["labels"]["series"]["threat"] == [10_000]
    assert topic["judged"] == [["unjudged", 2]]
    [incident] = topic["incidents"]
    assert incident["terms"] == [BAD]
    assert [e["text"] for e in incident["examples"]] == [BAD]
    opened = re.search(r'<script type="application/json" id="opened-0">(.*?)</script>', html)
    assert opened
    hours = json.loads(opened[1])["hours"]
    assert list(hours) == [str(START // 1000), str((START + HOUR) // 1000)]
    assert [post["text"] for post in hours[str(START // 1000)]["most_toxic"]] == [BAD]


def test_only_our_scripts_are_allowed_and_none_is_from_the_data(file: Path) -> None:
    with open_warehouse(str(file)) as warehouse:
        html = render(warehouse, sample=False)
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    assert len(scripts) == 2
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "unsafe-eval" not in policy[1]
    assert "<img" not in html.replace(scripts[0], "")
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=\"?(https?:|//)", html)


def test_the_same_warehouse_gives_the_same_bytes(file: Path, tmp_path: Path) -> None:
    with open_warehouse(str(file)) as warehouse:
        first = write_page(warehouse, tmp_path / "new" / "a.html", sample=True)
        second = write_page(warehouse, tmp_path / "b.html", sample=True)
    assert first == tmp_path / "new" / "a.html"
    assert first.read_bytes() == second.read_bytes()
    assert [p.name for p in first.parent.iterdir()] == ["a.html"]


def test_sample_data_is_said_to_be_a_sample(file: Path) -> None:
    with open_warehouse(str(file)) as warehouse:
        assert "Sample data." in render(warehouse, sample=True)
        assert "Sample data." not in render(warehouse, sample=False)


def test_a_page_that_cannot_be_written_is_one_line(file: Path) -> None:
    with (
        open_warehouse(str(file)) as warehouse,
        pytest.raises(DashboardError, match=r"cannot write .*: File exists"),
    ):
        write_page(warehouse, file / "page.html", sample=False)


def test_cli_writes_the_page(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    assert main(["--warehouse", str(file), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("make", [None, b"not a database, but long enough to be read as one" * 99])
def test_cli_says_in_one_line_what_is_wrong_with_the_warehouse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: bytes | None
) -> None:
    path = tmp_path / "w.duckdb"
    if make:
        path.write_bytes(make)
    assert main(["--warehouse", str(path), "--out", str(tmp_path / "page.html")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("mltox dashboard: ")
    assert error.count("\n") == 1
    assert path.exists() is bool(make)


def test_cli_says_what_is_wrong_with_the_incidents(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--warehouse", str(file), "--out", str(tmp_path / "p.html"), "--incidents", "none"]
    assert main(arguments) == 2
    assert (
        capsys.readouterr().err == "mltox dashboard: cannot read none: No such file or directory\n"
    )


def test_help_tells_what_is_read_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    for part in (
        "Reads:",
        "Writes:",
        "example:",
        "--warehouse",
        "--out",
        "--sample",
        "--incidents",
    ):
        assert part in said
