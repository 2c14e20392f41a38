"""Logs as JSON: one object a line, and no text of a post."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

from mltox.base.logs import PACKAGES, JsonFormatter


def record(message: str, *arguments: object, exc_info: object = None) -> logging.LogRecord:
    return logging.LogRecord(
        "pipelines.x",
        logging.INFO,
        "x.py",
        1,
        message,
        arguments,
        exc_info,  # type: ignore[arg-type]
    )


def test_a_record_is_one_object_on_one_line() -> None:
    line = JsonFormatter().format(record("%d rows\nin %s", 3, "ünïcode \ud800"))
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["severity"], entry["logger"]) == ("INFO", "pipelines.x")
    assert entry["message"] == "3 rows\nin ünïcode \ud800"
    assert entry["time"].endswith("+00:00")


def test_an_exception_shows_where_it_was_raised_and_no_text_of_a_post() -> None:
    try:
        raise ValueError("the text of a post")
    except ValueError:
        line = JsonFormatter().format(record("a bundle failed", exc_info=sys.exc_info()))
    entry = json.loads(line)
    assert entry["error"] == "ValueError"
    assert entry["frames"][-1].endswith(
        "test_an_exception_shows_where_it_was_raised_and_no_text_of_a_post"
    )
    assert "the text of a post" not in line


def run(*arguments: str, cwd: Path) -> list[dict[str, str]]:
    ended = subprocess.run(
        [sys.executable, "-m", "mltox", *arguments, "--log_format", "json"],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )
    return [json.loads(line) for line in ended.stderr.splitlines()]


def test_a_run_logs_json_alone(tmp_path: Path) -> None:
    secret = "words of a post that no log may hold"
    (tmp_path / "posts.csv").write_text(
        f"id,text,created_at\n1,{secret},2026-03-02T00:00:00Z\n2,{secret},no time\n", "utf-8"
    )
    entries = run("backfill", "--input", "posts.csv", cwd=tmp_path)
    assert [each["message"] for each in entries if each["logger"] == "pipelines.runners"] == [
        "runner: FnApiRunner, in this process"
    ]
    assert secret not in json.dumps(entries)


def test_what_a_person_can_mend_is_an_object_too(tmp_path: Path) -> None:
    (entry,) = run("backfill", "--input", "nowhere.jsonl", cwd=tmp_path)
    assert entry["severity"] == "ERROR" and "nowhere.jsonl" in entry["message"]


def logged(tmp_path: Path, script: str) -> str:
    """What a process of its own writes to standard error."""
    command = [sys.executable, "-c", f"import logging\nfrom mltox.base.logs import *\n{script}"]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=True
    ).stderr


def test_every_package_of_ours_is_heard_from_info_on_and_others_from_warning_on(
    tmp_path: Path,
) -> None:
    found = {
        path.parent.name
        for path in Path(__file__).parents[3].glob("*/__init__.py")
        if path.parent.name not in ("tests", "benchmarks")
    }
    assert found <= set(PACKAGES)
    script = "set_up(LogFormat.TEXT)\n" + "\n".join(
        f"logging.getLogger('{name}.x').info('hello')" for name in (*PACKAGES, "somebody")
    )
    shown = logged(tmp_path, script).splitlines()
    assert shown == [f"INFO {name}.x: hello" for name in PACKAGES]


def test_the_format_that_was_chosen_stays_chosen(tmp_path: Path) -> None:
    """A command ends through `reporting_errors`, which sets logs up where nobody has."""
    script = """
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
import warnings
def command() -> int:
    logging.getLogger("mltox.x").info("working")
    warnings.warn("look out")
    raise UsageError("--topic: what?")
set_up(LogFormat.{format})
set_up()
reporting_errors(command)
"""
    as_json = [
        json.loads(line)
        for line in logged(tmp_path, script.replace("{format}", "JSON")).splitlines()
    ]
    assert [each["message"] for each in as_json[::2]] == ["working", "--topic: what?"]
    assert "look out" in as_json[1]["message"]
    as_text = logged(tmp_path, script.replace("{format}", "TEXT"))
    assert as_text.startswith("INFO mltox.x: working\n")
    assert as_text.endswith("mltox: --topic: what?\n")


def test_without_a_choice_logs_are_lines_for_a_person(tmp_path: Path) -> None:
    script = "set_up()\nset_up()\nlogging.getLogger('ingest.x').warning('hello')"
    assert logged(tmp_path, script) == "WARNING ingest.x: hello\n"
