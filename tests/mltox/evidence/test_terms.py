"""What sets posts apart, held against cases that a person can check."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.detection.function_words import FUNCTION_WORDS
from mltox.evidence.terms import (
    LEAST_AUTHORS,
    MOST_TERMS,
    Background,
    Said,
    distinctive_terms,
    log_odds,
    own_words,
)

CHATTER = [
    Said(f"{subject} {verb} the {thing} again this morning", f"author {i}")
    for i, (subject, verb, thing) in enumerate(
        (subject, verb, thing)
        for subject in ("she", "our mayor", "the council", "nobody", "everyone")
        for verb in ("discusses", "ignores", "repairs", "paints", "visits")
        for thing in ("bridge", "school", "market", "harbour", "library", "garden")
    )
]


PAIRS = [(x, y) for x in "bcdfg" for y in "klmnpqrs"]


def background(posts: list[Said] = CHATTER) -> Background:
    made = Background()
    made.add(posts)
    return made


def terms(posts: list[Said], own: frozenset[str] = frozenset()) -> list[str]:
    return [term.text for term in distinctive_terms(posts, background(), own)]


def news(text: str, people: int = 6) -> list[Said]:
    """One story, told by so many people in so many words."""
    return [Said(f"{text}, says source {chr(97 + i)}{chr(97 + i)}", f"p{i}") for i in range(people)]


def test_a_name_that_everybody_says_in_the_same_words_is_one_term() -> None:
    found = distinctive_terms([*CHATTER[:20], *news("they arrested John Doe")], background())
    named = next(term for term in found if "doe" in term.text)
    assert named.text == "arrested john doe"
    assert (named.posts, named.authors) == (6, 6)


def test_phrases_and_hashtags_come_before_single_words() -> None:
    posts = [
        *CHATTER[:10],
        *[Said(f"strike {a} today near {b}", f"q{a}{b}") for a, b in PAIRS[:8]],
        *[Said(f"read it #flood {a}", f"r{a}") for a in "abcd"],
        *news("they arrested John Doe"),
    ]  # fmt: skip
    found = terms(posts)
    single = [" " not in term and not term.startswith("#") for term in found]
    assert single == sorted(single)
    assert {"#flood", "arrested john doe", "strike"} <= set(found)


@pytest.mark.parametrize(
    "text", ["more must support will their my", "Ich habe das nicht", "para que"]
)
def test_function_words_are_no_terms(text: str) -> None:
    found = terms([*CHATTER[:10], *[Said(f"{text} {i}", f"p{i}") for i in range(9)]])
    assert not set(" ".join(found).split()) & FUNCTION_WORDS - {"support"}


@pytest.mark.parametrize("authors", [1, LEAST_AUTHORS - 1])
def test_what_too_few_people_say_is_no_term_however_often(authors: int) -> None:
    posts = [Said(f"quarantine {x}{y} now", f"p{i % authors}") for i, (x, y) in enumerate(PAIRS)]
    assert not any("quarantine" in term for term in terms([*CHATTER[:10], *posts]))
    crowd = [
        Said(f"quarantine {x}{y} now", f"p{i % LEAST_AUTHORS}") for i, (x, y) in enumerate(PAIRS)
    ]
    assert any("quarantine" in term for term in terms([*CHATTER[:10], *crowd]))


def test_where_no_author_is_known_texts_count() -> None:
    same = [Said("quarantine now", None)] * 30
    assert not any("quarantine" in term for term in terms([*CHATTER[:10], *same]))
    different = [Said(f"quarantine {chr(97 + i)}{chr(97 + i)}", None) for i in range(5)]
    assert any("quarantine" in term for term in terms([*CHATTER[:10], *different]))


def test_words_of_the_topic_itself_are_no_terms() -> None:
    posts = [*CHATTER[:10], *news("#Vote for the Prime Minister on Thursday")]
    own = own_words(["votes", "#vote", "prime minister"])
    assert {"#vote", "vote", "prime", "#minister"} <= own
    assert not set(" ".join(terms(posts, own)).split()) & own


def test_no_phrase_spans_two_sentences() -> None:
    def shown(between: str) -> list[str]:
        posts = [Said(f"Fire{between} Water {chr(97 + i) * 2}", f"p{i}") for i in range(8)]
        return terms([*CHATTER[:10], *posts])

    assert shown("") == ["fire water"]
    assert shown("!") in (["fire"], ["water"])


def test_a_word_and_its_form_are_one_term() -> None:
    posts = [
        *CHATTER[:10],
        *[Said(f"release it {a}{a}", f"p{a}") for a in "abcdef"],
        *[Said(f"released it {a}{a}", f"q{a}") for a in "abcdef"],
    ]
    assert len([term for term in terms(posts) if term.startswith("release")]) == 1


def test_a_hundred_copies_are_damped_and_heard() -> None:
    copies = [Said("burn it all down", f"bot {i}") for i in range(100)]
    found = distinctive_terms([*CHATTER, *copies], background())
    assert found[0].posts == 100 and "burn" in found[0].text


def test_no_more_than_the_most_and_each_once() -> None:
    words = [f"{a}{b}ova" for a in "bcdfg" for b in "aeiou"]
    posts = [Said(" x, ".join(words[i:] + words[:i]), f"p{i}") for i in range(20)]
    found = terms([*CHATTER[:10], *posts])
    assert len(found) <= MOST_TERMS
    assert len(set(found)) == len(found)


def test_the_usual_talk_has_no_terms() -> None:
    shuffled = CHATTER[:]
    random.Random(1).shuffle(shuffled)
    assert terms(shuffled[:75]) == []


def test_the_log_odds_are_those_of_the_paper() -> None:
    """Monroe et al. eq. 16 and 19 by hand: 10 of 100 words here, 10 of 1,000 elsewhere; the prior
    of weight 100 has 100 * 20 / 1100 = 1.818 of the word."""
    odds = log_odds(10, 100, 10, 1000)
    prior = 100 * 20 / 1100
    here = math.log((10 + prior) / (200 - 10 - prior))
    there = math.log((10 + prior) / (1100 - 10 - prior))
    assert odds.ratio == pytest.approx(here - there)
    assert odds.z == pytest.approx((here - there) / math.sqrt(2 / (10 + prior)))


@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_text_gives_terms_that_it_holds(texts: list[str]) -> None:
    posts = [Said(text, str(i)) for i, text in enumerate(texts)]
    for term in distinctive_terms(posts, background()):
        assert 0 < term.posts <= len(posts)
        assert term.z > 0
