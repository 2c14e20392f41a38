"""Why an hour was unusual, on texts small enough to check by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.detection.explain import (
    LEAST_Z,
    MOST_EXAMPLES,
    MOST_TERMS,
    NOTHING,
    Explanation,
    distinct_texts,
    explain,
    explained_share,
    log_odds,
    term_weights,
)
from mltox.detection.vocabulary import Vocabulary
from mltox.posts.records import HOUR, EvidencePost

USUAL = (
    "the tram is late again this morning",
    "the new timetable is out this week",
    "who else is waiting for the night bus",
    "the fare goes up again this year",
    "the driver was kind to my mother",
)


def posts(*texts: str) -> tuple[EvidencePost, ...]:
    return tuple(EvidencePost(f"x:{i}", text, 0.9) for i, text in enumerate(texts))


def usual_vocabulary() -> Vocabulary:
    vocabulary = Vocabulary()
    for hour in range(48):
        texts = distinct_texts(posts(*USUAL))
        vocabulary.learn(hour * HOUR, term_weights(texts), sum(text.weight for text in texts))
    return vocabulary


def explained(*texts: str) -> Explanation:
    vocabulary = usual_vocabulary()
    return explain(48 * HOUR, posts(*texts), (), vocabulary, vocabulary)


def test_log_odds_by_hand() -> None:
    # prior 100 * 20 / 1100; odds (10 + p) / (190 - p) over (10 + p) / (1090 - p)
    prior = 100 * 20 / 1100
    odds = log_odds(10, 100, 10, 1000)
    assert odds.ratio == pytest.approx(math.log((1090 - prior) / (190 - prior)))
    assert odds.error == pytest.approx(math.sqrt(2 / (10 + prior)))
    assert odds.z == pytest.approx(odds.ratio / odds.error)
    assert odds.least_ratio == pytest.approx(odds.ratio - LEAST_Z * odds.error)


def test_copies_are_one_text_whatever_their_links_and_mentions() -> None:
    texts = distinct_texts(
        posts("RT @a: burn it down https://t.co/1", "Burn it down!", "burn it DOWN @b", "no")
    )
    assert [text.post_ids for text in texts] == [("x:0", "x:1", "x:2"), ("x:3",)]
    assert texts[0].weight == pytest.approx(1 + math.log(3))
    assert term_weights(texts)["burn"] == pytest.approx(1 + math.log(3))


def test_names_what_is_new_and_not_what_is_always_said() -> None:
    found = explained(
        "the tunnel is flooded again",
        "people stuck in the tunnel this morning",
        "get them out of that tunnel now",
        "flooded tunnel and nobody says a word",
        *USUAL,
    )
    assert "tunnel" in found.terms
    assert not {"the", "is", "this", "again"} & set(found.terms)
    assert found.share_with_terms == pytest.approx(4 / 9)
    assert found.usual_share == 0


def test_one_retweeted_text_is_named_once() -> None:
    found = explained(*["the minister lied about every single tunnel inspection"] * 20, *USUAL)
    assert len(found.terms) == 1
    assert found.share_with_terms == pytest.approx(20 / 25)


def test_examples_are_of_different_texts_and_speak_of_the_terms() -> None:
    found = explained(
        *USUAL,
        *["RT @x: the tunnel is flooded and we are stuck"] * 6,
        "my dog saw the tunnel and cried",
        "tunnel tunnel tunnel everywhere today",
        "no tunnel without a second exit ever",
    )
    assert found.example_post_ids[:4] == ("x:5", "x:11", "x:12", "x:13")
    assert len(found.example_post_ids) == MOST_EXAMPLES


def test_nothing_to_explain_with() -> None:
    assert explained() == NOTHING


def test_explained_share_by_hand() -> None:
    explanation = Explanation(("tunnel",), (), share_with_terms=0.6, usual_share=0.1)
    # 60 of 100 posts say it, 2 of the usual 20 would: 58 of the excess of 80
    assert explained_share(explanation, 100.0, 20.0) == pytest.approx(58 / 80)
    assert explained_share(explanation, 20.0, 20.0) is None
    assert explained_share(NOTHING, 100.0, 20.0) is None


words = st.sampled_from(["tram", "bus", "tunnel", "scum", "liar", "the", "#strike", "電車"])
texts = st.lists(st.lists(words, max_size=6).map(" ".join) | st.text(max_size=30), max_size=30)


@given(texts, texts)
def test_any_texts(before: list[str], now: list[str]) -> None:
    vocabulary = Vocabulary()
    learnt = distinct_texts(posts(*before))
    vocabulary.learn(0, term_weights(learnt), sum(text.weight for text in learnt))
    found = explain(HOUR, posts(*now), posts(*now)[:3], vocabulary, vocabulary)
    ids = {post.post_id for post in posts(*now)}
    assert len(found.terms) == len(set(found.terms)) <= MOST_TERMS
    assert len(found.example_post_ids) == len(set(found.example_post_ids)) <= MOST_EXAMPLES
    assert set(found.example_post_ids) <= ids
    assert 0 <= found.share_with_terms <= 1
    assert 0 <= found.usual_share <= 1
    share = explained_share(found, 10.0, 3.0)
    assert share is None or 0 <= share <= 1
