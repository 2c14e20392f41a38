from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mltox.scoring import DEFAULT_BUNDLE
from mltox.scoring.windows import OVERLAP, cut, whole_logits, windows

FLAGS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=400)


@given(FLAGS, st.integers(8, 126))
def test_windows_cover_all_and_overlap(flags: list[tuple[bool, bool]], size: int) -> None:
    found = cut([end for end, _ in flags], [begin for _, begin in flags], size)
    assert found[0][0] == 0
    assert found[-1][1] == len(flags)
    assert all(0 < end - begin <= size for begin, end in found)
    for (begin, end), (next_begin, next_end) in pairwise(found):
        assert begin < next_begin <= end < next_end


def test_a_window_ends_with_a_sentence_where_one_ends_in_its_second_half() -> None:
    ends = [False] * 200
    ends[79] = ends[149] = True
    assert cut(ends, [True] * 200, 100) == [(0, 80), (80 - OVERLAP, 150), (150 - OVERLAP, 200)]


def test_else_between_two_words() -> None:
    begins = [number % 7 == 0 for number in range(300)]
    for begin, end in cut([False] * 300, begins, 100)[:-1]:
        assert begin % 7 == 0
        assert end % 7 == 0


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(DEFAULT_BUNDLE / "tokenizer.json"))
    tokenizer.no_truncation()
    return tokenizer


def test_what_fits_is_one_window(tokenizer: Tokenizer) -> None:
    encoding = tokenizer.encode("a short text")
    assert windows(encoding, "a short text", len(encoding.ids), 4) == [encoding.ids]


def test_every_window_is_a_text_of_its_own(tokenizer: Tokenizer) -> None:
    text = " ".join(f"This is sentence number {number} here." for number in range(60))
    encoding = tokenizer.encode(text)
    found = windows(encoding, text, 96, 64)
    assert all(row[0] == encoding.ids[0] and row[-1] == encoding.ids[-1] for row in found)
    assert max(map(len, found)) <= 64
    for row in found:
        plain = tokenizer.decode(row)
        assert plain.startswith("this is sentence")
        assert plain.endswith("here.")


def test_the_whole_is_its_worst_window_less_what_many_windows_make_of_it() -> None:
    np.testing.assert_array_equal(whole_logits(np.asarray([[1.0, -2.0]])), [1.0, -2.0])
    less = 0.5 * np.log(2)
    np.testing.assert_allclose(
        whole_logits(np.asarray([[1.0, -2.0], [-1.0, 3.0]])), [1.0 - less, 3.0 - less]
    )
