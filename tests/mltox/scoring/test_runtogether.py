import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.normalise import normalise
from mltox.scoring.runtogether import apart, sentence_apart


@pytest.mark.parametrize(
    ("tag", "plain"),
    [
        ("#youareanidiot", "#you are an idiot"),
        ("#YOUAREANIDIOT", "#YOU ARE AN IDIOT"),
        ("#lockherup", "#lock her up"),
        ("#stopthesteal", "#stop the steal"),
        ("#YouAreAnIdiot", "#You Are An Idiot"),
        ("#blacklivesmatter", "#black lives matter"),
        ("#whogivesashit", "#who gives a shit"),
        ("#racism", "#racism"),
        ("#maga", "#maga"),
        ("#xqzvbnmk", "#xqzvbnmk"),
    ],
)
def test_hashtags(tag: str, plain: str) -> None:
    assert normalise(tag) == plain


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("Iwillkillyoubitch", "I will kill you bitch"),
        ("youareanidiot", "you are an idiot"),
        ("goawayyoupig", "go away you pig"),
        ("satisfactions", "satisfactions"),
        ("Massachusetts", "Massachusetts"),
        ("grandfathers", "grandfathers"),
        ("deteriorating", "deteriorating"),
        ("Schwarzenegger", "Schwarzenegger"),
        ("Donaudampfschiff", "Donaudampfschiff"),
    ],
)
def test_words_outside_of_hashtags_only_where_they_make_a_sentence(word: str, words: str) -> None:
    assert sentence_apart(word) == words
    assert normalise(f"so {word}!") == f"so {words}!"


def test_links_mentions_and_names_with_signs_stay() -> None:
    text = "www.youareanidiot.com @youareanidiot youareanidiot.com a/youareanidiot"
    assert normalise(text) == "http @user youareanidiot.com a/youareanidiot"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_letters_are_neither_lost_nor_changed(letters: str) -> None:
    assert apart(letters).replace(" ", "") == letters.replace(" ", "")
