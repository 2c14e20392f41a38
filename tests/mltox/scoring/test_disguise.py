import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.disguise import undisguise


@pytest.mark.parametrize(
    ("hidden", "plain"),
    [
        ("you 1d10t", "you idiot"),
        ("st0p it, a$$hole", "stop it, asshole"),
        ("sh!t happens!!", "shit happens!!"),
        ("$tupid idea", "stupid idea"),
        ("f u c k you", "fuck you"),
        ("such an i.d.i.o.t", "such an idiot"),
        ("f*u*c*k off", "fuck off"),
        ("wоmеn", "women"),  # Cyrillic о and е
    ],
)
def test_hidden_words_are_spelled_out(hidden: str, plain: str) -> None:
    assert undisguise(hidden) == plain


@pytest.mark.parametrize(
    "text",
    [
        "mp3 and covid19 at 5pm on the 2nd",
        "4chan, 30k, 10:30, 3.14, 1,000",
        "$TSLA is up $100",
        "@user user@example.com http",
        "I am at e.g. home",
        "иди сюда",  # Russian words keep their letters
        "γεια σου",
        "what!no",
        "wow!!! ok!",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert undisguise(text) == text


@given(st.text())
def test_any_text_comes_through_and_never_grows(text: str) -> None:
    assert len(undisguise(text)) <= len(text)
