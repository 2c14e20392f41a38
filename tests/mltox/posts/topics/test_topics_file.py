from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mltox.posts.topics import Topic, TopicError
from mltox.posts.topics_file import TopicsFile

ONE = "- {name: votes, keywords: [election]}\n"
TWO = ONE + "- {name: ball, hashtags: [hufc], sources: [x, bluesky]}\n"
VOTES = Topic("votes", keywords=("election",))
BALL = Topic("ball", hashtags=("hufc",), sources=("x", "bluesky"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "topics.yaml"
    path.write_text(ONE)
    return path


def test_an_edit_counts_after_a_second(path: Path) -> None:
    clock = Clock()
    topics = TopicsFile(path, clock)
    assert topics.current() == [VOTES]
    path.write_text(TWO)
    assert topics.current() == [VOTES]
    clock.now += 1
    assert topics.current() == [VOTES, BALL]
    assert topics.current() is topics.current()


def test_a_signal_has_it_read_at_once(path: Path) -> None:
    topics = TopicsFile(path, Clock())
    path.write_text(TWO)
    topics.reload()
    assert topics.current() == [VOTES, BALL]


@pytest.mark.parametrize("broken", ["- {name: votes", "[]", "- {name: votes, sources: [x]}", None])
def test_a_broken_edit_keeps_the_topics_and_says_so_once(
    path: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    topics = TopicsFile(path, clock)
    path.write_text(broken) if broken is not None else path.unlink()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            clock.now += 1
            assert topics.current() == [VOTES]
    (record,) = caplog.records
    assert "the topics stay as they were" in record.getMessage()
    assert "\n" not in record.getMessage()
    path.write_text(TWO)
    clock.now += 1
    assert topics.current() == [VOTES, BALL]


def test_a_file_that_is_broken_from_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TopicError, match="cannot read"):
        TopicsFile(tmp_path / "none.yaml")
