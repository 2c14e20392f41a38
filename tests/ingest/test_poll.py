"""What a poll takes from the environment, and what it says of what is wrong there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest import poll
from ingest.cursors.store import Conflict
from ingest.poll import Busy, PollError, PollSettings, poll_all
from ingest.sources.source import Batch, SourceError
from mltox.base.logs import JsonFormatter
from mltox.posts.authors import AuthorKeys

ENVIRONMENT = {
    "MLTOX_SOURCES": "x-search reddit",
    "MLTOX_TOPIC": "projects/p/topics/posts",
    "MLTOX_TOPICS": "topics.yaml",
    "MLTOX_STATE": "gs://bucket/cursors",
}


@pytest.fixture(autouse=True)
def author_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTOX_AUTHOR_KEY", "a long enough key for tests")


def test_a_source_gets_the_common_options_and_its_own() -> None:
    environment = ENVIRONMENT | {
        "MLTOX_DELETIONS_TOPIC": "projects/p/topics/gone",
        "MLTOX_OPTIONS_X_SEARCH": "--monthly-budget '50 usd' --price-per-read 0.005",
        "MLTOX_POLL_SECONDS": "45.5",
    }
    common = [
        *("--output-topic", "projects/p/topics/posts", "--topics-file", "topics.yaml"),
        *("--state", "gs://bucket/cursors", "--deletions-topic", "projects/p/topics/gone"),
    ]
    settings = PollSettings.of(environment)
    assert settings.seconds == 45.5
    assert settings.arguments == {
        "x-search": ["--monthly-budget", "50 usd", "--price-per-read", "0.005", *common],
        "reddit": ["--once", *common],
    }


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(PollError, match=f"^{name} is not set$"):
        PollSettings.of({**ENVIRONMENT, name: " "})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLTOX_SOURCES", "x-search bluesky"),
        ("MLTOX_POLL_SECONDS", "soon"),
        ("MLTOX_POLL_SECONDS", "-1"),
        ("MLTOX_POLL_SECONDS", "nan"),
        ("MLTOX_OPTIONS_REDDIT", "--subreddits 'a"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(PollError, match=name):
        PollSettings.of(ENVIRONMENT | {name: value})


def test_options_that_a_source_does_not_know_end_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = ENVIRONMENT | {"MLTOX_SOURCES": "x-search", "MLTOX_OPTIONS_X_SEARCH": "--evry 5"}
    with pytest.raises(PollError, match="mltox ingest x-search --help"):
        poll_all(environment)


def test_a_key_for_author_hashes_has_to_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every instance would make one of its own."""
    monkeypatch.delenv("MLTOX_AUTHOR_KEY")
    with pytest.raises(PollError, match="MLTOX_AUTHOR_KEY is not set"):
        poll_all(ENVIRONMENT)


def polled(monkeypatch: pytest.MonkeyPatch, **outcomes: object) -> None:
    def poll_source(name: str, arguments: Sequence[str], authors: AuthorKeys, _: float) -> object:
        outcome = outcomes[name.replace("-", "_")]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(poll, "poll_source", poll_source)


def test_a_source_that_fails_does_not_keep_others_from_being_polled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    def poll_source(name: str, *_: object) -> dict[str, int]:
        done.append(name)
        if name == "x-search":
            raise SourceError("X refuses the bearer token in X_BEARER_TOKEN")
        return {"read": 1}

    monkeypatch.setattr(poll, "poll_source", poll_source)
    with pytest.raises(PollError, match=r"^x-search: X refuses the bearer token") as raised:
        poll_all(ENVIRONMENT)
    assert done == ["x-search", "reddit"] and not isinstance(raised.value, Busy)


def test_the_text_of_a_defect_is_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may quote a request with a key in it."""
    polled(monkeypatch, x_search={"read": 0}, reddit=KeyError("Authorization: Bearer secret"))
    with pytest.raises(PollError, match=r"^reddit: a defect: KeyError$"):
        poll_all(ENVIRONMENT)
    logged = [JsonFormatter().format(record) for record in caplog.records]
    assert any("KeyError" in line for line in logged)
    assert not any("secret" in line for line in logged)


def test_a_cursor_that_another_poll_has_moved_is_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    polled(monkeypatch, x_search=Conflict("another run has changed it"), reddit={"read": 0})
    with pytest.raises(Busy, match="another run"):
        poll_all(ENVIRONMENT)


def test_one_poll_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def poll_source(*_: object) -> dict[str, int]:
        with pytest.raises(Busy):
            poll_all(ENVIRONMENT)
        return {"read": 1}

    monkeypatch.setattr(poll, "poll_source", poll_source)
    for _ in range(2):
        assert poll_all(ENVIRONMENT) == {"x-search": {"read": 1}, "reddit": {"read": 1}}


def test_a_poll_that_got_no_answer_is_no_poll_without_posts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the scheduler sees is a failure, with a line for each source, and nobody's secret."""
    monkeypatch.setenv("X_BEARER_TOKEN", "AAAA-the-token-of-the-tests")

    class Troubled:
        name = "x-search"

        def read(self, cursor: object, stopping: threading.Event) -> Iterator[Batch]:
            yield Batch()
            yield Batch(trouble="X does not answer (200 not AAAA-the-token-of-the-tests)")

    class Module:
        add_arguments = staticmethod(lambda parser: None)
        open_source = staticmethod(lambda options, topics: Troubled())

    (tmp_path / "topics.yaml").write_text("- {name: votes, keywords: [vote]}")
    monkeypatch.setattr(poll, "source_module", lambda name: Module)
    monkeypatch.setattr(poll, "check_topics", lambda *topics: None)
    monkeypatch.setattr(poll, "Publisher", lambda seconds: SimpleNamespace(send=None, close=int))
    environment = ENVIRONMENT | {
        "MLTOX_SOURCES": "x-search",
        "MLTOX_TOPICS": str(tmp_path / "topics.yaml"),
        "MLTOX_STATE": str(tmp_path),
    }
    with pytest.raises(PollError) as raised:
        poll_all(environment)
    assert str(raised.value) == "x-search: X does not answer (200 not [secret])"
