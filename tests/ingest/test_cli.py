from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest import cli
from ingest.sources.registry import SOURCES, source_module
from mltox.google.secrets import SecretError
from mltox.posts.authors import AuthorKeys
from mltox.posts.topics import Topic

TOPIC = ["--output-topic", "projects/p/topics/posts"]


def options_of(name: str, *arguments: str) -> argparse.Namespace:
    return cli.parser(name, SOURCES[name], source_module(name)).parse_args([*TOPIC, *arguments])


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), ([], 2), (["twitter", *TOPIC], 2)]
)
def test_the_sources_are_told(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == code
    captured = capsys.readouterr()
    if code == 0:
        assert all(f"  {name} " in captured.out for name in SOURCES)
    else:
        assert "mltox ingest: error: " in captured.err


@pytest.mark.parametrize("arguments", [["file", "--help"], ["sample", "--help"]])
def test_help_of_a_source(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for word in ("reads  ", "writes ", "example:", "--output-topic ", "--state ", "--health-port "):
        assert word in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["file", *TOPIC, "--input", "nowhere.jsonl"], "mltox: no such file: nowhere.jsonl"),
        (["sample", *TOPIC, "--topics-file", "nowhere.yaml"], "mltox: cannot read nowhere.yaml"),
        (
            ["sample", "--posts", "300", "--output-topic", "posts"],
            "a topic is written projects/PROJECT/",
        ),
    ],
)
def test_what_a_person_can_mend_is_one_line(
    arguments: Sequence[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*arguments, "--state", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1 and not captured.out


def test_a_network_has_to_be_given_topics() -> None:
    entry = SOURCES["bluesky"]
    with pytest.raises(SystemExit):
        cli.parser("bluesky", entry, source_module("sample")).parse_args(TOPIC)


def test_an_outbox_lies_where_the_disk_stays() -> None:
    assert cli.outbox_folder("sample", options_of("sample", "--state", "s")) == Path(
        "s/outbox/sample"
    )
    assert cli.outbox_folder("sample", options_of("sample", "--state", "gs://b/s")) is None
    both = options_of("sample", "--state", "gs://b/s", "--outbox", "disk")
    assert cli.outbox_folder("sample", both) == Path("disk/sample")


def test_a_source_is_asked_for_its_own_topics_only() -> None:
    everything = [Topic("all", ("a",)), Topic("x", ("b",), sources=("x",))]
    of_x, of_bluesky = (cli.of_network(lambda: everything, name) for name in ("x", "bluesky"))
    assert [topic.name for topic in of_x()] == ["all", "x"]
    assert [topic.name for topic in of_bluesky()] == ["all"]
    assert [topic.name for topic in cli.of_network(lambda: everything, None)()] == ["all", "x"]
    assert of_x() is of_x()
    everything = [Topic("other", ("c",))]
    assert [topic.name for topic in of_x()] == ["other"]


def test_a_name_in_secret_manager_is_never_taken_for_the_author_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would be the same for everybody who can read the configuration."""
    monkeypatch.setenv("MLTOX_AUTHOR_KEY", "a long enough key for tests")
    expected = AuthorKeys(b"a long enough key for tests")
    assert cli.author_keys().key("x", "1") == expected.key("x", "1")
    monkeypatch.delenv("MLTOX_AUTHOR_KEY")
    monkeypatch.setenv("MLTOX_AUTHOR_KEY_SECRET", "no name of a version")
    with pytest.raises(SecretError, match="MLTOX_AUTHOR_KEY_SECRET is written projects/"):
        cli.author_keys()
