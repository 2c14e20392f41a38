import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.batches import BATCH_TOKENS, PAD_TO, batches, padded


def test_texts_of_one_padded_length_share_a_batch() -> None:
    rows = [[1] * 9, [1] * 3, [1] * 16, [1] * 8]
    assert list(batches(rows)) == [([1, 3], 8), ([0, 2], 16)]


def test_padding() -> None:
    ids, mask = padded([[5, 6], [7]], 4, 9)
    np.testing.assert_array_equal(ids, [[5, 6, 9, 9], [7, 9, 9, 9]])
    np.testing.assert_array_equal(mask, [[1, 1, 0, 0], [1, 0, 0, 0]])


@given(st.lists(st.integers(1, 2_000), max_size=80))
def test_each_text_is_in_one_batch_whose_length_it_decides_alone(lengths: list[int]) -> None:
    rows = [[0] * length for length in lengths]
    seen = []
    for indices, length in batches(rows):
        seen += indices
        assert len(indices) * length <= BATCH_TOKENS or len(indices) == 1
        for index in indices:
            assert length - PAD_TO < lengths[index] <= length
            assert length % PAD_TO == 0
    assert sorted(seen) == list(range(len(lengths)))
