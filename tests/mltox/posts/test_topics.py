from __future__ import annotations

import pickle
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.topics import Topic, TopicError, TopicMatcher, load_topics


def matches(pattern: str, text: str, field: str = "keywords") -> bool:
    return bool(TopicMatcher([Topic("t", **{field: (pattern,)})]).match(text))


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("vote", "Vote now"),
        ("vote", "did you VOTE?"),
        ("vote", "#vote"),
        ("vote", "#Vote!"),
        ("vote", "(vote)"),
        ("vote", "don't…vote"),
        ("vote", "𝐯𝐨𝐭𝐞 early"),  # fancy letters are the same letters
        ("vote", "ＶＯＴＥ"),
        ("straße", "STRASSE"),
        ("café", "cafe\u0301 noir"),  # e and its accent as two characters
        ("İstanbul", "İSTANBUL"),
        ("выборы", "Выборы, 2025"),
        ("चुनाव", "यह चुनाव है"),
        ("選挙", "明日の選挙結果"),  # Japanese writes no spaces
        ("選挙", "#選挙"),
        ("선거", "선거가 시작"),
        ("เลือกตั้ง", "การเลือกตั้งวันนี้"),
        ("🔥", "so🔥good"),
        ("c++", "I like C++"),
        ("c++", "c++20"),
        (".net", "asp.net"),
        ("at&t", "AT&T is down"),
        ("covid-19", "COVID-19 again"),
        ("@mayor", "hey @Mayor!"),
    ],
)
def test_a_keyword_matches(keyword: str, text: str) -> None:
    assert matches(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("vote", "voter"),
        ("vote", "devote"),
        ("vote", "#votenow"),
        ("vote", "vote_now"),
        ("vote", "évote"),
        ("vote", "votes"),
        ("выбор", "выборы"),
        ("चुन", "यह चुनाव है"),  # the vowel sign after it is part of the word
        ("cafe", "cafe\u0301"),
        ("covid-19", "covid 19"),
        ("at&t", "at t"),
        ("@mayor", "mayor"),
        ("c++", "xc++"),
        ("vote", ""),
    ],
)
def test_a_keyword_does_not_match(keyword: str, text: str) -> None:
    assert not matches(keyword, text)


@pytest.mark.parametrize("text", ["#Tag", "＃tag", "(#TAG)", "a #tag."])
@pytest.mark.parametrize("hashtag", ["tag", "#tag", "#Tag"])
def test_a_hashtag_matches(hashtag: str, text: str) -> None:
    assert matches(hashtag, text, "hashtags")


@pytest.mark.parametrize("text", ["tag", "#tags", "#atag", "a#tag", "# tag"])
def test_a_hashtag_does_not_match(text: str) -> None:
    assert not matches("tag", text, "hashtags")


@pytest.mark.parametrize("text", ["Polling  station", "polling\nSTATION", "#polling\u00a0station"])
def test_a_phrase_matches_over_any_white_space(text: str) -> None:
    assert matches("polling station", text, "phrases")


@pytest.mark.parametrize("text", ["pollingstation", "polling stations", "polling, station"])
def test_a_phrase_does_not_match(text: str) -> None:
    assert not matches("polling station", text, "phrases")


def test_several_topics_in_their_order_even_where_patterns_overlap() -> None:
    matcher = TopicMatcher(
        [
            Topic("law", phrases=("climate law",)),
            Topic("climate", keywords=("climate",)),
            Topic("courts", keywords=("law",)),
            Topic("none", keywords=("football",)),
        ]
    )
    assert matcher.match("the climate law") == ("law", "climate", "courts")


def test_a_topic_of_some_sources() -> None:
    matcher = TopicMatcher([Topic("t", keywords=("gift",), sources=("x", "reddit"))])
    assert matcher.match("a gift", source="x") == ("t",)
    assert matcher.match("a gift", source="bluesky") == ()
    assert matcher.match("a gift") == ("t",)


def test_a_topic_of_some_languages() -> None:
    matcher = TopicMatcher([Topic("t", keywords=("gift",), languages=("en",))])
    assert matcher.match("a gift", "en") == ("t",)
    assert matcher.match("a gift", None) == ("t",)
    assert matcher.match("das Gift", "de") == ()


def test_it_survives_pickling() -> None:
    matcher = pickle.loads(pickle.dumps(TopicMatcher([Topic("t", keywords=("vote", "選挙"))])))
    assert matcher.match("vote") == matcher.match("選挙だ") == ("t",)


@given(st.text(), st.text(min_size=1))
def test_a_keyword_between_spaces_always_matches(text: str, keyword: str) -> None:
    if not keyword.strip() or not keyword.strip("# "):
        return
    try:
        matcher = TopicMatcher([Topic("t", keywords=(keyword,))])
    except TopicError:
        return  # nothing but signs and white space
    assert matcher.match(f"{text} {keyword} {text}") == ("t",)


def test_hostile_texts_take_no_long_time() -> None:
    matcher = TopicMatcher([Topic("t", phrases=("a b c d", "a  a a a x"), hashtags=("a",))])
    began = time.process_time()
    for text in ("a " * 50_000, "#" * 100_000, "a" + " " * 100_000, "aa" * 50_000):
        matcher.match(text)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "topics",
    [
        [Topic("t")],
        [Topic("t", keywords=("",))],
        [Topic("t", hashtags=("#",))],
        [Topic("t", keywords=("a",)), Topic("t", keywords=("b",))],
    ],
)
def test_topics_that_cannot_work(topics: list[Topic]) -> None:
    with pytest.raises(TopicError):
        TopicMatcher(topics)


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


def test_a_topics_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TopicError, match="cannot read"):
        load_topics(tmp_path / "none.yaml")
