"""The wide branch computes in the network what it was fitted with outside."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the [export] extra is not installed")

from model_export.fit import pad  # noqa: E402
from model_export.wide import WEIGHT, WideBranch, features, fit_wide  # noqa: E402

ROWS = [[2, 7, 8, 3], [2, 3], [2, 7, 7, 7, 7, 9, 3], [2, 8, 7, 3]]


def test_the_branch_adds_up_what_the_matrix_says() -> None:
    branch = WideBranch(pieces=10, labels=2, buckets=64)
    torch.nn.init.normal_(branch.table.weight)
    ids, mask = pad(ROWS)
    expected = features(ROWS, 10, 64) @ branch.table.weight.detach().numpy()
    assert np.allclose(branch(ids, mask).detach().numpy(), expected, atol=1e-5)


def test_padding_adds_nothing() -> None:
    branch = WideBranch(pieces=10, labels=2, buckets=64)
    torch.nn.init.normal_(branch.table.weight)
    ids, mask = pad([ROWS[0]])
    longer = torch.nn.functional.pad(ids, (0, 5)), torch.nn.functional.pad(mask, (0, 5))
    assert torch.allclose(branch(ids, mask), branch(*longer), atol=1e-6)


def test_a_row_of_the_matrix_by_hand() -> None:
    row = features([[2, 7, 3]], 10, 10 + 10**6).toarray()[0]
    assert sorted(np.flatnonzero(row))[:3] == [2, 3, 7]
    assert (row > 0).sum() == 6  # three pieces, two pairs, one triple
    assert np.allclose(row[row > 0], 1 / np.sqrt(6))


def test_it_learns_an_order_of_words_and_leaves_unknown_labels_alone() -> None:
    rows = [[2, 7, 8, 3], [2, 8, 7, 3]] * 50
    labels = np.full((100, 2), -1, dtype=np.float32)
    labels[:, 0] = [1, 0] * 50
    branch = fit_wide(rows, labels, pieces=10)
    logits = branch(*pad(rows[:2])).detach().numpy()
    assert logits[0, 0] > WEIGHT > -WEIGHT > logits[1, 0]
    assert (logits[:, 1] == 0).all()


def test_a_soft_label_is_two_texts_of_that_weight() -> None:
    rows = [[2, 7, 3]] * 200 + [[2, 8, 3]] * 200
    labels = np.asarray([[0.8]] * 200 + [[0.2]] * 200, dtype=np.float32)
    branch = fit_wide(rows, labels, pieces=10)
    chance = 1 / (1 + np.exp(-branch(*pad([rows[0]])).detach().numpy() / WEIGHT))
    assert chance[0, 0] == pytest.approx(0.8, abs=0.01)
