import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.normalise import MAX_CHARS, normalise


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("a &amp;amp; b &lt;3", "a & b <3"),
        ("&#8220;so&#8221;", "“so”"),
        ("RT @some_one: hello", "hello"),
        ("!!! RT @some_one: hello", "hello"),
        ("see RT @some_one: hello", "see RT @user: hello"),
        ("look https://t.co/aB1?x=1 now", "look http now"),
        ("WWW.example.org/a", "http"),
        ("@one @two.bsky.social hi", "@user hi"),
        ("mail me: me@example.org", "mail me: me@example.org"),
        ("#BuildThatHouse #a_b #USANews #covid19", "#Build That House #a b #USA News #covid 19"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("zero\u200bwidth\ufeff and soft\u00adhyphen", "zerowidth and softhyphen"),
        ("sooooooo!!!!!!", "sooo!!!"),
        ("a\t\n\u00a0 b  ", "a b"),
        ("nul\x00byte \ud83d lone", "nul byte lone"),
        ("", ""),
    ],
)
def test_what_becomes_of_a_text(raw: str, plain: str) -> None:
    assert normalise(raw) == plain


def test_a_retweet_and_its_original_are_the_same_text() -> None:
    assert normalise("RT @a: Fish &amp; chips") == normalise("Fish & chips")


@given(st.text(st.characters(exclude_categories=())))
def test_any_string_becomes_valid_unicode_on_one_line(text: str) -> None:
    plain = normalise(text)
    assert plain.encode("utf-8").decode("utf-8") == plain
    assert plain == " ".join(plain.split())
    assert "\x00" not in plain


def test_a_huge_text_is_cut() -> None:
    assert len(normalise("ab " * 1_000_000)) <= MAX_CHARS
