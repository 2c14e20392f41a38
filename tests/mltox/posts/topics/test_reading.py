"""Topics out of a file, whatever it holds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.topics import Topic, TopicError, load_topics


def test_a_topics_file(tmp_path: Path) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(
        "topics:\n"
        "- name: votes\n  keywords: [election, '2025']\n  phrases: polling station\n"
        "- {name: ball, hashtags: ['#HUFC'], languages: [en, de], sources: [x]}\n"
    )
    assert load_topics(path) == [
        Topic("votes", keywords=("election", "2025"), phrases=("polling station",)),
        Topic("ball", hashtags=("#HUFC",), languages=("en", "de"), sources=("x",)),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no list of topics"),
        ("topics: 5", "no list of topics"),
        ("- 5", "topic 1: not a mapping"),
        ("- {name: a}", "topic 1: no keyword, phrase or hashtag"),
        ("- {keywords: [a]}", "topic 1: the name is missing"),
        ("- {name: a, keywords: [no]}", "topic 1, keywords: False is no string; put it in quotes"),
        ("- {name: a, keywords: 5}", "not a list of strings"),
        ("- {name: a, keyword: [b]}", "unknown field 'keyword'"),
        ("- {name: a, keywords: [b]}\n- {name: a, keywords: [c]}", "two topics are called 'a'"),
        ("- {name: a, keywords: [b], languages: [xx]}", "topic 1: 'xx' is no language"),
        ("- {name: a, keywords: [b], languages: [Elvish]}", "'Elvish' is no language"),
        ("- {name: a, keywords: [b], sources: [twiter]}", "topic 1: 'twiter' is no network"),
        ("- {name: a, keywords: [b], sources: [Twitter for iPhone]}", "is no network; known are"),
        ("{", "not valid YAML"),
        ("!!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_a_topics_file_at_fault_is_one_clear_line(
    content: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(content)
    with pytest.raises(TopicError) as caught:
        load_topics(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("languages", "sources"),
    [("[EN]", "[Twitter]"), ("[en-US, en_GB]", "[X]"), ("[eng]", "[x.com, x]"), ("English", "x")],
)
def test_languages_and_networks_are_as_posts_have_them(
    languages: str, sources: str, tmp_path: Path
) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(f"- {{name: a, keywords: [b], languages: {languages}, sources: {sources}}}\n")
    assert load_topics(path) == [Topic("a", ("b",), languages=("en",), sources=("x",))]


def test_a_topics_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TopicError, match="cannot read"):
        load_topics(tmp_path / "none.yaml")


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- {name: a, keywords: [9999-99-99]}", "9999-99-99 is no string; put it in quotes"),
        ("- {name: a, keywords: [2024-01-01T99:99:99Z]}", "is no string"),
        ("- {name: a, keywords: [" + "9" * 5_000 + "]}", "is no string"),
        ("- {name: a, keywords: [1:2:3:4:5e9]}", None),
        ("- {name: a, keywords: [.inf, .nan]}", ".inf is no string"),
        ("- {name: a, keywords: [!!binary '***']}", "is no string"),
        ("- {name: a, keywords: [!!int abc]}", "abc is no string"),
        ("- {name: a, keywords: [!!bool maybe]}", "is no string"),
        ("- {name: a, keywords: !!set {b, c}}", "not a list of strings"),
        ("- {name: a, keywords: [[b]]}", "not a list of strings"),
        ("- {name: !!timestamp x, keywords: [b]}", "the name is missing"),
        ("- {name: " + "a" * 1_000 + ", keywords: [b]}", "more than 200 characters"),
        ("- {name: a, keywords: [" + "b" * 1_000 + "]}", "more than 500 characters"),
        ("- {? [a] : b}", "not valid YAML"),
        ("- =", "not valid YAML"),
        ('- "\\ud800"', "not valid YAML"),
        ("[" * 3_000 + "]" * 3_000, "deeper than 20 levels"),
        ("[" * 200_000, "deeper than 20 levels"),
        ("{a: " * 50_000, "deeper than 20 levels"),
        ("\n".join(" " * n + "-" for n in range(2_000)), "deeper than 20 levels"),
        (BOMB, "more than 1,000,000 values"),
        ("- &a {name: x, keywords: *a}", "stands for what it is in"),
        ("- &a [*a]", "stands for what it is in"),
        ("- *a", "not valid YAML"),
    ],
)
def test_a_hostile_topics_file_is_one_clear_line_soon(
    content: str, message: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(content)
    began = time.process_time()
    try:
        load_topics(path)
    except TopicError as error:
        assert message is not None and message in str(error)
        assert "\n" not in str(error) and len(str(error)) < 500
    else:
        assert message is None
    assert time.process_time() - began < 2.0


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(
        "- &base {name: a, keywords: &words [vote], languages: [en]}\n"
        "- {<<: *base, name: b}\n- {name: c, keywords: *words}\n"
    )
    assert load_topics(path) == [
        Topic("a", keywords=("vote",), languages=("en",)),
        Topic("b", keywords=("vote",), languages=("en",)),
        Topic("c", keywords=("vote",)),
    ]


@given(st.text(st.sampled_from("-:[]{}&*!?|>'\"%@,#a1. \n\t~<="), max_size=60))
def test_any_text_is_topics_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text)
    try:
        load_topics(path)
    except TopicError as error:
        assert "\n" not in str(error)


def test_a_file_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "topics.yaml"
    os.mkfifo(fifo)
    with pytest.raises(TopicError, match="no regular file"):
        load_topics(fifo)
    for other in (Path("/dev/zero"), tmp_path):
        with pytest.raises(TopicError, match="cannot read"):
            load_topics(other)


def test_a_list_of_ten_thousand_keywords(tmp_path: Path) -> None:
    path = tmp_path / "topics.yaml"
    words = [f"keyword {number}" for number in range(10_000)]
    path.write_text("- name: many\n  keywords:\n" + "".join(f"  - {word}\n" for word in words))
    assert load_topics(path) == [Topic("many", keywords=tuple(words))]
