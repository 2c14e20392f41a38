from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from ingest.sources.x.rules import Rule, RuleError, difference, queries, rules, topics_of_tags
from mltox.posts.topics import Topic


@pytest.mark.parametrize(
    ("topic", "query"),
    [
        (Topic("t", keywords=("vote",)), "vote"),
        (Topic("t", keywords=("vote", "ballot")), "vote OR ballot"),
        (Topic("t", phrases=("polling day",)), '"polling day"'),
        (Topic("t", keywords=("polling  day",)), '"polling day"'),
        (Topic("t", hashtags=("votes", "#Votes2", "＃vota")), "#votes OR #Votes2 OR #vota"),
        (Topic("t", keywords=("#vote", "@someone")), "#vote OR @someone"),
        (Topic("t", keywords=("vote", "VOTE")), "VOTE"),
        # words that mean something else to X, and all that is no plain word
        (Topic("t", keywords=("or", "NOT")), '"or" OR "NOT"'),
        (Topic("t", keywords=("covid-19", "C++")), '"covid-19" OR "C++"'),
        (Topic("t", keywords=("выборы", "🗳️")), '"выборы" OR "🗳️"'),
        (Topic("t", keywords=("from:someone", "-vote")), '"from:someone" OR "-vote"'),
        (Topic("t", keywords=('a "b" c', "d\\")), '"a b c" OR "d"'),
        # X has no such hashtags
        (Topic("t", hashtags=("covid-19", "2024")), '"covid-19" OR 2024'),
        (Topic("t", keywords=("vote",), languages=("en",)), "(vote) (lang:en OR lang:und)"),
        (
            Topic("t", keywords=("a", "b"), languages=("id", "he")),
            "(a OR b) (lang:in OR lang:iw OR lang:und)",
        ),
    ],
)  # fmt: skip
def test_a_topic_as_a_query(topic: Topic, query: str) -> None:
    assert queries(topic, 512) == [query]


WORDS = st.lists(
    st.from_regex(r"[a-z]{1,30}|[a-zß日#\"\\ ]{1,30}x", fullmatch=True), min_size=1, max_size=40
)


@settings(max_examples=40)
@given(WORDS, st.sampled_from([(), ("en",), ("en", "de")]), st.integers(128, 300))
def test_queries_are_no_longer_than_allowed_and_hold_every_word(
    words: list[str], languages: tuple[str, ...], length: int
) -> None:
    topic = Topic("t", keywords=tuple(words), languages=languages)
    parts = queries(topic, length)
    assert all(len(part) <= length for part in parts)
    whole = queries(topic, 100_000)[0]
    tail = ") (" + whole.partition(") (")[2] if languages else ""
    bodies = [part.removesuffix(tail).removeprefix("(" if languages else "") for part in parts]
    assert " OR ".join(bodies) == whole.removesuffix(tail).removeprefix("(" if languages else "")


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        (Topic("long", keywords=("x" * 200,)), "'long'.*more than 150 characters"),
        (Topic("empty", keywords=('"',)), "'empty' has no word"),
        (Topic("odd", keywords=("a",), languages=("en OR lang:de",)), "'odd'.*language code"),
    ],
)
def test_a_topic_that_cannot_be_asked_for(topic: Topic, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        queries(topic, 150)


def test_two_topics_that_ask_the_same_are_one_rule() -> None:
    topics = [Topic("one", keywords=("a",)), Topic("two", keywords=("a",))]
    assert rules(topics, 512) == [Rule("a", "mltox:one")]


OURS, OURS_TOO = Rule("a", "mltox:one", "1"), Rule("b", "mltox:two", "2")
THEIRS = Rule("z", "campaign", "9")


@pytest.mark.parametrize(
    ("there", "wanted", "add", "delete", "delete_first"),
    [
        ([], [("a", "one")], ["a"], [], False),
        ([OURS, THEIRS], [("a", "one")], [], [], False),
        ([OURS, THEIRS], [("b", "one")], ["b"], ["1"], False),
        ([OURS, THEIRS], [], [], ["1"], False),
        # X takes a rule once: one that moves to another topic has to go first
        ([OURS], [("a", "other")], ["a"], ["1"], True),
        # somebody else has it already
        ([THEIRS], [("z", "one")], [], [], False),
        # no room for the old and the new at once
        ([OURS, OURS_TOO, THEIRS], [("c", "x"), ("d", "y")], ["c", "d"], ["1", "2"], True),
    ],
)  # fmt: skip
def test_difference(
    there: list[Rule],
    wanted: list[tuple[str, str]],
    add: list[str],
    delete: list[str],
    delete_first: bool,
) -> None:
    asked = [Rule(value, f"mltox:{topic}") for value, topic in wanted]
    change = difference(there, asked, most=3)
    assert [rule.value for rule in change.add] == add
    assert [rule.id for rule in change.delete] == delete
    assert change.delete_first is delete_first


def test_too_many_rules_are_named() -> None:
    wanted = [Rule(value, "mltox:t") for value in "abc"]
    with pytest.raises(RuleError, match="3 rules beside 1 that are not ours; X takes 3"):
        difference([THEIRS], wanted, most=3)


def test_tags_name_topics() -> None:
    assert topics_of_tags(["mltox:one", "campaign", "mltox:two", "mltox:one"]) == ("one", "two")
