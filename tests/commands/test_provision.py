"""`mltox provision` as a person sees it."""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands.cli import main
from commands.provision import listing, parser, report, run
from mltox.warehouse.schema import TABLES
from mltox.warehouse.views import VIEWS
from templates.provisioning.apply import make, services, take_away
from templates.provisioning.names import Names
from templates.provisioning.plan import APIS, plan
from templates.provisioning.rest import Rest
from tests.fixtures.provisioning import Local
from tests.templates.provisioning.test_rest_services import BY_REST

PROJECT = ["--project", "some-project", "--region", "europe-west1"]


def mltox(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """On a machine without credentials, whose network leads nowhere."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_GCE_CHECK": "true", "HOME": "/nowhere"}
    unset = ("GOOGLE_APPLICATION_CREDENTIALS", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")
    return subprocess.run(
        [sys.executable, "-m", "mltox", "provision", *arguments],
        env={k: v for k, v in os.environ.items() if k not in unset} | nowhere,
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_dry_run_prints_the_plan_without_credentials(names: Names) -> None:
    ended = mltox(*PROJECT, "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == len(plan(names))
    assert "projects/some-project/subscriptions/posts-deletions" in ended.stdout


def test_without_credentials_it_is_one_line() -> None:
    ended = mltox(*PROJECT)
    assert ended.returncode == 2
    (line,) = (each for each in ended.stderr.splitlines() if "WARNING google" not in each)
    assert line.startswith("mltox: no usable Google credentials (")
    assert line.endswith("run: gcloud auth application-default login")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--project and --region"),
        (["--project", "some-project"], "--region"),
        (["--project", "Some Project", "--region", "europe-west1"], "--project: 'Some Project'"),
        (["--project", "some-project", "--region", "Belgium"], "--region: 'Belgium'"),
        ([*PROJECT, "--dataset", "a-b"], "--dataset: 'a-b'"),
        ([*PROJECT, "--warehouse", "x.duckdb"], "--warehouse"),
        (["--destroy", "--warehouse", "x.duckdb"], "--warehouse"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    assert main(["provision", *arguments]) == 2
    assert named in said.getvalue()
    assert not list(tmp_path.iterdir())


def test_a_warehouse_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "posts.duckdb"
    for _ in range(2):
        assert main(["provision", "--warehouse", str(file)]) == 0
        assert f"{len(TABLES)} tables and {len(VIEWS)} views are there" in capsys.readouterr().out
    assert file.exists()


def unasked(project: str) -> Rest:
    raise AssertionError("nothing may be asked of Google here")


def parsed(*arguments: str) -> argparse.Namespace:
    return parser().parse_args([*PROJECT, *arguments])


@pytest.mark.parametrize("typed", ["", "\n", "yes\n", "some-projec\n"])
def test_destroy_wants_the_projects_id(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert run(parsed("--destroy"), unasked) == 2
    told = capsys.readouterr()
    assert "dataset      some-project.mltox" in told.out
    assert "nothing was removed" in told.err
    assert "serviceusage.googleapis.com" not in told.out  # APIs stay on


def test_destroy_as_a_dry_run_does_not_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(parsed("--destroy", "--dry-run"), unasked) == 0
    assert "type" not in capsys.readouterr().out.replace("templates", "")


def test_what_was_done_is_told_and_summed(
    local: Local, names: Names, capsys: pytest.CaptureFixture[str]
) -> None:
    rest, google, _ = local
    by = services(names, rest)
    assert report(make(BY_REST, by)) == 0
    made = len(BY_REST) - len(APIS)
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(APIS)} changed, {made} made"
    assert report(make(BY_REST, by)) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(BY_REST)} there"
    google.full.add(names.cursors)
    assert report(take_away(BY_REST, by)) == 2
    assert "not empty" in capsys.readouterr().err


def test_the_plan_reads_as_a_table(names: Names) -> None:
    for line in listing(plan(names)).splitlines():
        assert line.startswith("  ") and line[2:14].strip()
