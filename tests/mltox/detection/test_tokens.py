"""Words of hostile texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.detection.tokens import LONGEST_TOKEN, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RT @bob_1: Vote NOW! https://t.co/Ab1 #Vote2016", ("vote", "now", "#vote2016")),
        ("don&#39;t &amp; won’t", ("don't", "won't")),
        ("STRASSE straße", ("strasse", "strasse")),
        ("ｆｕｌｌ　ｗｉｄｔｈ", ("full", "width")),
        ("a 1 22 x2", ("x2",)),
        ("香港警察 hello", ("香港", "港警", "警察", "hello")),
        ("#香港", ("香港",)),
        ("ветер север", ("ветер", "север")),
        ("smart art start", ("smart", "art", "start")),
        ("", ()),
        ("@only https://link.example/x", ()),
    ],
)
def test_table(text: str, words: tuple[str, ...]) -> None:
    assert tokens(text) == words


@given(st.text(max_size=300))
def test_any_text_gives_short_casefolded_words(text: str) -> None:
    for word in tokens(text):
        assert 2 <= len(word) <= LONGEST_TOKEN
        assert not word.startswith("@")
        assert " " not in word
