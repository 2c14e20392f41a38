from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.topics.folding import _PLAIN, MOST_MARKS, _long_runs, compatible, extends_run, fold


def test_every_mark_of_unicode_is_among_those_that_are_cut() -> None:
    """A later Unicode may have marks in a plane that is not looked at."""
    missed = [
        code
        for code in range(0x300, sys.maxunicode + 1)
        if extends_run(chr(code)) and not _long_runs().search(chr(code) * (MOST_MARKS + 1))
    ]
    assert missed == []


@given(st.text())
def test_text_is_folded_as_unicode_says(text: str) -> None:
    def nfkc(text: str) -> str:
        return unicodedata.normalize("NFKC", text)

    assert fold(text) == nfkc(nfkc(text.translate(_PLAIN)).casefold())
    assert compatible(text) == nfkc(text)


def test_runs_of_marks_are_cut() -> None:
    marks = "\u0301\u0316" * 15
    assert compatible("a" + marks) == unicodedata.normalize("NFKC", "a" + marks)
    assert compatible("a" + marks * 1_000 + "b") == compatible("a" + marks + "b")
