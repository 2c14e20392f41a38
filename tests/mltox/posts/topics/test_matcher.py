from __future__ import annotations

import pickle
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.posts.topics import Topic, TopicError, TopicMatcher
from mltox.posts.topics.folding import fold
from mltox.posts.topics.matcher import _WORD, _stands_anywhere


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
    for text in (
        *("a " * 50_000, "#" * 100_000, "a" + " " * 100_000, "aa" * 50_000, "x#a" * 33_000),
        *("a\u0301\u0323" * 30_000, "\u0301\u0316" * 48_000, "\u0f71\u0f73" * 30_000),
    ):
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


@pytest.mark.parametrize("field", ["keywords", "phrases", "hashtags"])
def test_ten_thousand_patterns_are_one_pass(field: str) -> None:
    """Each would take ten thousand searches if they were tried one by one."""
    patterns = tuple(f"the word{number} here" for number in range(10_000))
    if field != "phrases":
        patterns = tuple(pattern.split()[1] for pattern in patterns)
    matcher = TopicMatcher([Topic("t", **{field: patterns}), Topic("u", keywords=("zz",))])
    text = "so " + ("the word77 here. " if field != "hashtags" else "#word77 ") + "the end " * 20
    assert matcher.match(text) == ("t",)
    assert matcher.match(text.replace("77", "77a")) == ()


def test_each_of_many_topics_finds_its_own() -> None:
    matcher = TopicMatcher(
        Topic(f"t{n}", keywords=(f"w{n}",), phrases=("of all",)) for n in range(500)
    )
    assert matcher.match("w7, w499 and w500") == ("t7", "t499")
    assert len(matcher.match("one of  all")) == 500


def test_a_process_compiles_equal_topics_once() -> None:
    pickled = pickle.dumps(TopicMatcher([Topic("t", keywords=("vote",))]))
    assert pickle.loads(pickled) is pickle.loads(pickled)


PARTS = ("a", "b", " ", "#", "@", "é", "e\u0301", "選", "挙", "🔥", "ｱﾞ", "ß", "İ", ".", "+", "\n",
         "_", "1", "\u094d", "\ufe0f", "＃", "ก")  # fmt: skip


def found_one_by_one(pattern: str, text: str) -> bool:
    """What a pattern promises, as a search for it alone: slow, and nothing like the automaton."""
    words = [re.escape(word) for word in fold(pattern).split()]
    first, last = fold(pattern).split()[0][0], fold(pattern).split()[-1][-1]
    left = "" if _stands_anywhere(first) else f"(?<!{_WORD.pattern.removesuffix('+')})"
    right = "" if _stands_anywhere(last) else f"(?!{_WORD.pattern.removesuffix('+')})"
    return re.search(left + r"\s+".join(words) + right, fold(text)) is not None


@settings(max_examples=500)
@given(
    st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join), max_size=4),
    st.lists(st.sampled_from(PARTS), max_size=14).map("".join),
)
def test_all_at_once_is_each_alone(patterns: list[str], text: str) -> None:
    wanted = [pattern for pattern in patterns if fold(pattern).strip("# \n")]
    topics = [Topic(str(n), keywords=(pattern,)) for n, pattern in enumerate(wanted)]
    alone = tuple(t.name for t in topics if found_one_by_one(t.keywords[0], text))
    assert TopicMatcher(topics).match(text) == alone


@pytest.mark.parametrize("sign", ["'", "’", "‘", "ʼ", "′", "´", "＇"])
def test_any_apostrophe_is_one(sign: str) -> None:
    for typed, posted in (("'", sign), (sign, "'")):
        matcher = TopicMatcher([Topic("m", keywords=(f"women{typed}s",), phrases=())])
        assert matcher.match(f"the WOMEN{posted}S march") == ("m",)
        assert matcher.match("the womens march") == ()


def test_a_hyphen_that_does_not_break_and_one_that_is_not_seen() -> None:
    matcher = TopicMatcher([Topic("c", keywords=("covid-19", "election"))])
    assert matcher.match("covid\u201119") == matcher.match("the elec\u00adtion") == ("c",)
