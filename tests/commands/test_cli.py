"""What a person sees of the commands: help, one line where something is wrong, exit codes."""

import importlib.util
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from commands.cli import VERBS, main
from mltox.warehouse import open_warehouse


def mltox(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mltox", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )


def test_without_a_verb_all_verbs_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb}" in shown for verb in VERBS)


def test_an_unknown_verb_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scroe"]) == 2
    assert "no verb 'scroe'" in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"mltox {version('mltox')}\n"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_ctrl_c_is_one_line_and_code_130_in_every_verb(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    module = SimpleNamespace(main=interrupted)
    monkeypatch.setattr("commands.cli.importlib.import_module", lambda name: module)
    assert main([verb]) == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert "interrupted" in line


@pytest.mark.parametrize("verb", [verb for verb in sorted(VERBS) if verb != "ingest"])
def test_options_have_dashes_and_are_not_abbreviated(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not is_installed(verb):
        pytest.skip(f"{verb} needs an extra")
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    options = re.findall(r"(?<![\w-])--[a-z][\w-]*", capsys.readouterr().out)
    assert options and not [option for option in options if "_" in option]
    longest = max(options, key=len)
    with pytest.raises(SystemExit) as ended:
        main([verb, longest[:-1], "x"])
    assert ended.value.code == 2


def is_installed(verb: str) -> bool:
    needed = ("torch", "onnx", "transformers", "sklearn") if VERBS[verb].extra else ()
    return all(importlib.util.find_spec(name) for name in needed)


@pytest.mark.parametrize("verb", [verb for verb in sorted(VERBS) if is_installed(verb)])
def test_help_says_what_is_read_and_written_with_an_example(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out.lower()
    assert "reads" in shown and "writes" in shown
    assert "example" in shown and f"mltox {verb}" in shown


def test_a_missing_extra_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_torch(name: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("commands.cli.importlib.import_module", without_torch)
    assert main(["train"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "needs torch" in line and "[export,train]" in line


BAD_COMMANDS = {
    "no input": (["backfill"], "--input"),
    "no such file": (["backfill", "--input", "nowhere.jsonl"], "nowhere.jsonl"),
    "no such column": (
        ["backfill", "--input", "posts.csv", "--columns", "text=tweet"],
        "tweet",
    ),
    "bad columns": (["backfill", "--input", "posts.csv", "--columns", "tweet"], "FIELD=COLUMN"),
    "keywords without topic": (
        ["backfill", "--input", "posts.csv", "--keywords", "x"],
        "--topic",
    ),
    "two topics, no keywords": (
        ["backfill", "--input", "posts.csv", "--topic", "a", "--topic", "b"],
        "--keywords",
    ),
    "no such bundle": (
        ["backfill", "--input", "posts.csv", "--bundle", "nowhere"],
        "nowhere",
    ),
    "threshold": (["backfill", "--input", "posts.csv", "--threshold", "7"], "7.0"),
    "a typing error": (["backfill", "--input", "posts.csv", "--warehose", "x"], "--warehose"),
    "nothing to forecast": (["forecast", "--warehouse", "new.duckdb"], "backfill"),
}


@pytest.mark.parametrize("case", sorted(BAD_COMMANDS))
def test_what_a_person_can_mend_is_one_line_and_code_2(case: str, tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("id,words\n1,hello\n", encoding="utf-8")
    arguments, named = BAD_COMMANDS[case]
    ended = mltox(*arguments, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    said = [line for line in ended.stderr.splitlines() if "error:" in line or "mltox:" in line]
    assert len(said) == 1 and named in said[0]


def test_a_warehouse_in_use_is_one_line_and_code_2(tmp_path: Path) -> None:
    path = tmp_path / "busy.duckdb"
    with open_warehouse(str(path)) as held:
        held.create()
        for verb in ("forecast", "dashboard"):
            ended = mltox(verb, "--warehouse", str(path), cwd=tmp_path)
            assert ended.returncode == 2
            assert "Traceback" not in ended.stderr
            assert "in use by another mltox run" in ended.stderr


def test_direct_runner_is_the_named_local_one(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text(
        "id,text,created_at\n1,hello there,2026-03-02T00:00:00Z\n", encoding="utf-8"
    )
    ended = mltox("backfill", "--input", "posts.csv", "--runner=DirectRunner", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "FnApiRunner, in this process (asked for DirectRunner)" in ended.stderr
    assert "posts kept" in ended.stdout
    assert (tmp_path / "mltox.duckdb").exists()
