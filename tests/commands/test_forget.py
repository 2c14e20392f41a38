"""`mltox forget` with ids, and what a message says is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands.forget import EXIT_WAITING, main
from mltox.posts.envelope import encode_deletion
from mltox.warehouse import open_warehouse
from pipelines.runs import stream
from pipelines.runs.local_stream.deletions import deletions_of
from tests.bigquery_server import Backend, serve
from tests.mltox.warehouse.examples import dead_letter, scored_post


@pytest.fixture
def warehouse(tmp_path: Path) -> str:
    uri = str(tmp_path / "w.duckdb")
    with open_warehouse(uri) as opened:
        opened.create()
        opened.upsert("scored_posts", [scored_post(post_id=f"x:{n}") for n in range(5)])
        opened.upsert("dead_letters", [dead_letter(post_id="x:7")])
    return uri


def texts(uri: str) -> dict[str, str | None]:
    with open_warehouse(uri) as opened:
        rows = opened.query("SELECT post_id, text FROM scored_posts").to_pylist()
    return {row["post_id"]: row["text"] for row in rows}


def test_ids_from_options_and_a_file_are_forgotten_and_counted(
    warehouse: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("x:1\n\n  x:2  \nx:7\nx:404\n", encoding="utf-8")
    arguments = ["--warehouse", warehouse, "--post-id", "x:0", "--file", str(file)]
    assert main(arguments) == 0
    assert [post for post, text in texts(warehouse).items() if text] == ["x:3", "x:4"]
    shown = [line.rsplit(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [(name.strip(), count) for name, count in shown] == [
        ("deletions", "5"),
        ("rows of posts emptied", "3"),
        ("dead letters emptied", "1"),
        ("anomalies with an example less", "0"),
        ("wait in the streaming buffer", "0"),
        ("messages that are no deletion", "0"),
    ]


BAD = {
    "nothing": ([], "--post-id"),
    "both": (["--post-id", "x:1", "--subscription", "projects/p/subscriptions/s"], "--post-id"),
    "once alone": (["--post-id", "x:1", "--once"], "--subscription"),
    "no source": (["--post-id", "12345"], "source:id"),
    "no file": (["--file", "nowhere.txt"], "nowhere.txt"),
    "no warehouse": (["--post-id", "x:1"], "there is no warehouse"),
    "a topic": (["--subscription", "projects/p/topics/t"], "projects/PROJECT/subscriptions/NAME"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_person_can_mend_is_one_line(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, named = BAD[case]
    assert main(["--warehouse", str(tmp_path / "none.duckdb"), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line


def test_what_bigquery_cannot_forget_yet_is_told_by_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = "bq://some-project.mltox"
    with serve() as (address, backend):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
        with open_warehouse(uri) as opened:
            opened.create()
            opened.upsert("scored_posts", [scored_post(post_id="x:1"), scored_post(post_id="x:2")])
        arguments = ["--warehouse", uri, "--post-id", "x:1"]
        assert main(arguments) == EXIT_WAITING
        assert "wait in the streaming buffer" in capsys.readouterr().out
        backend.flush()
        assert main(["--warehouse", uri, "--post-id", "x:404"]) == 0  # any run makes it good
        assert forgotten(backend) == ["x:1"]


def forgotten(backend: Backend) -> list[str]:
    sql = 'SELECT post_id FROM "some-project".mltox.scored_posts WHERE text IS NULL'
    return [post_id for (post_id,) in backend.connection.execute(sql).fetchall()]


@pytest.mark.parametrize(
    ("payload", "gone"),
    [
        (encode_deletion("x:1"), ["x:1"]),
        (b'[{"schema": 1, "deleted": "x:1"}, {"schema": 1, "deleted": "x:2"}]', ["x:1", "x:2"]),
        (b'{"schema": 2, "deleted": "x:1"}', []),
        (b'{"schema": 1, "deleted": ""}', []),
        (b'{"schema": 1, "deleted": 7}', []),
        (b"{", []),
        (json.dumps({"id": "1", "text": "t", "created_at": "2026-03-02T12:00:00Z"}).encode(), []),
    ],
)
def test_messages_tell_what_is_gone(payload: bytes, gone: list[str]) -> None:
    assert deletions_of(payload) == gone


def test_a_stream_into_bigquery_names_the_command_that_forgets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [
        *("--input_subscription", "projects/p/subscriptions/s"),
        *("--deletions_subscription", "projects/p/subscriptions/gone"),
        *("--warehouse", "bq://some-project.mltox"),
    ]
    assert stream.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "mltox forget --warehouse bq://some-project.mltox" in line
