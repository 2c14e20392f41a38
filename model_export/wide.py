"""The wide branch: a linear model over runs of one to three word pieces.

It knows phrases by heart, as a network of 10 million weights trained for two passes does not, and
errs elsewhere than the network does: the sum of both logits ranks better than either (wide and
deep; Cheng et al. 2016). Inside the ONNX graph it is three look-ups in one table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from model_export.examples import UNKNOWN

BUCKETS = 2**17
WEIGHT = 0.3
"""Of the branch in the sum. More ranks comments better still, and costs understanding of negation
and quotation (measured, see docs/training.md)."""
INVERSE_PENALTY = 8.0
_PAIR = (31_337, 7_919, 12_345)
_TRIPLE = (1_000_003, 31_337, 97, 777)


class WideBranch(nn.Module):
    """Logits of shape (batch, labels) from ids and mask of shape (batch, tokens).

    Rows 0 to `pieces` of the table belong to single pieces, the others to hashed runs. The rows of
    a text are added up and divided by the square root of their number.
    """

    def __init__(self, pieces: int, labels: int, buckets: int = BUCKETS) -> None:
        super().__init__()
        self.pieces = pieces
        self.table = nn.Embedding(buckets, labels)
        self.bias = nn.Parameter(torch.zeros(labels))
        nn.init.zeros_(self.table.weight)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        hashed = self.table.num_embeddings - self.pieces
        first, second, third = ids[:, :-2], ids[:, 1:-1], ids[:, 2:]
        a, b, c = _PAIR
        pairs = (ids[:, :-1] * a + ids[:, 1:] * b + c) % hashed + self.pieces
        a, b, c, d = _TRIPLE
        triples = (first * a + second * b + third * c + d) % hashed + self.pieces
        runs = torch.cat([ids, pairs, triples], dim=1)
        present = torch.cat([mask, mask[:, 1:], mask[:, 2:]], dim=1).to(self.bias.dtype)
        found = self.table(runs) * present.unsqueeze(-1)
        logits: Tensor = found.sum(1) / present.sum(1, keepdim=True).sqrt() + self.bias
        return logits


def features(rows: Sequence[Sequence[int]], pieces: int, buckets: int) -> sparse.csr_matrix:
    """Texts × buckets: what `WideBranch` adds up, as a matrix."""
    hashed = buckets - pieces
    columns: list[NDArray[np.int64]] = []
    for row in rows:
        ids = np.asarray(row, dtype=np.int64)
        a, b, c = _PAIR
        pairs = (ids[:-1] * a + ids[1:] * b + c) % hashed + pieces
        a, b, c, d = _TRIPLE
        triples = (ids[:-2] * a + ids[1:-1] * b + ids[2:] * c + d) % hashed + pieces
        columns.append(np.concatenate([ids, pairs, triples]))
    counts = np.asarray([len(column) for column in columns])
    values = np.repeat(1 / np.sqrt(counts), counts)
    ends = np.concatenate([[0], np.cumsum(counts)])
    matrix = sparse.csr_matrix(
        (values, np.concatenate(columns), ends), shape=(len(columns), buckets)
    )
    matrix.sum_duplicates()
    return matrix


def fit_wide(rows: Sequence[Sequence[int]], labels: NDArray[np.float32], pieces: int) -> WideBranch:
    """A logistic regression for each label, its logit weighed by `WEIGHT`.

    `labels` (texts × labels) are probabilities, -1 where unknown. A label between 0 and 1 counts as
    two texts of that weight.
    """
    branch = WideBranch(pieces, labels.shape[1])
    matrix = features(rows, pieces, BUCKETS)
    with torch.no_grad():
        for column in range(labels.shape[1]):
            known = np.flatnonzero(labels[:, column] != UNKNOWN)
            chance = labels[known, column].astype(np.float64)
            toxic, clean = known[chance > 0], known[chance < 1]
            weights = np.concatenate([chance[chance > 0], 1 - chance[chance < 1]])
            truth = np.concatenate([np.ones(len(toxic)), np.zeros(len(clean))])
            if not (len(toxic) and len(clean)):
                continue
            model = LogisticRegression(C=INVERSE_PENALTY, solver="liblinear", max_iter=200)
            model.fit(sparse.vstack([matrix[toxic], matrix[clean]]), truth, sample_weight=weights)
            branch.table.weight[:, column] = torch.from_numpy(WEIGHT * model.coef_[0])
            branch.bias[column] = WEIGHT * float(model.intercept_[0])
    return branch
