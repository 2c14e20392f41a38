"""How far a model's scores moved, and whether a bundle may be written at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mltox.base.errors import UserError
from mltox.scoring.batches import batches, padded
from mltox.scoring.session import LOGITS

MAX_FP32 = 1e-4
MEAN_INT8, MAX_INT8 = 0.01, 0.10
MAX_BATCH_DIFFERENCE = 1e-4

Scoring = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]
"""Ids and mask (texts × tokens) to probabilities (texts × labels, of one stage after another)."""


class ParityError(UserError):
    """A converted model scores differently from its source; one line for a person."""


class Disparity(NamedTuple):
    """Of probabilities, over all texts and labels."""

    mean: float
    largest: float

    @classmethod
    def between(cls, one: NDArray[np.float64], other: NDArray[np.float64]) -> Disparity:
        apart = np.abs(one - other)
        return cls(float(apart.mean()), float(apart.max()))


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))))


def onnx_scoring(model: onnx.ModelProto) -> Scoring:
    names = [value.name for value in model.graph.output if value.name.startswith(LOGITS)]
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )

    def score(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float64]:
        feed = {"input_ids": ids, "attention_mask": mask}
        return sigmoid(np.concatenate(session.run(names, feed), axis=1).astype(np.float64))

    return score


def tokenised(
    tokenizer_json: str, max_length: int, texts: Sequence[str]
) -> tuple[list[list[int]], int]:
    """(ids of each normalised text, the id that pads)."""
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()
    pads = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    pad_id = next((number for number in pads if number is not None), 0)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))], pad_id


def score_rows(scoring: Scoring, rows: Sequence[Sequence[int]], pad_id: int) -> NDArray[np.float64]:
    """Probabilities (texts × labels), batched as the runtime does."""
    parts: dict[int, NDArray[np.float64]] = {}
    for indices, length in batches(rows):
        ids, mask = padded([rows[index] for index in indices], length, pad_id)
        parts.update(zip(indices, scoring(ids, mask), strict=True))
    return np.stack([parts[index] for index in range(len(rows))])


def check_fp32(source: NDArray[np.float64], converted: NDArray[np.float64]) -> Disparity:
    """Raises ParityError where the ONNX graph is not the torch module."""
    difference = Disparity.between(source, converted)
    if not difference.largest <= MAX_FP32:
        raise ParityError(
            f"fp32 ONNX differs from torch by up to {difference.largest:.2g} (at most {MAX_FP32})"
        )
    return difference


def passes_int8(difference: Disparity) -> bool:
    return difference.mean <= MEAN_INT8 and difference.largest <= MAX_INT8


def check_batches(
    scoring: Scoring, rows: Sequence[Sequence[int]], pad_id: int, together: NDArray[np.float64]
) -> Disparity:
    """Scores every text alone. Raises ParityError where its batch made a difference."""
    alone = np.concatenate([score_rows(scoring, [row], pad_id) for row in rows])
    difference = Disparity.between(together, alone)
    if not difference.largest <= MAX_BATCH_DIFFERENCE:
        raise ParityError(
            f"a text's score moves by up to {difference.largest:.2g} with its batch"
            f" (at most {MAX_BATCH_DIFFERENCE})"
        )
    return difference
