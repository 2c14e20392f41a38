"""The ONNX sessions of a bundle: rows of word pieces in, logits out."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mltox.scoring.batches import BATCH_TOKENS, batches, padded
from mltox.scoring.bundle import TOKENIZER, Bundle, BundleError, Stage, content_of

_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
IDS, MASK, LOGITS = "input_ids", "attention_mask", "logits"
ROUND_TOKENS = 8 * BATCH_TOKENS
"""What goes through the stages together: texts that are not settled by one of them fill batches
again, and their states take no more than a dozen megabytes."""

Tensors = dict[str, NDArray[np.generic]]


class Session:
    """What a bundle computes. `threads` of 0 takes all cores. Raises BundleError."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        self._stages = [_open(bundle, stage, threads) for stage in bundle.stages]
        self._settled_below = [_logit(stage.settled_below) for stage in bundle.stages[:-1]]
        wanted = [{node.name for node in stage.get_inputs()} for stage in self._stages]
        self._carried = [
            {MASK}.union(*wanted[number + 1 :]) & self._given(number)
            for number in range(len(self._stages) - 1)
        ]
        self._toxicity = bundle.labels.index("toxicity")
        self._labels = len(bundle.labels)
        _check(bundle, self._stages)

    def _given(self, number: int) -> set[str]:
        """What is there after the stage `number`."""
        outputs = (
            node.name for stage in self._stages[: number + 1] for node in stage.get_outputs()
        )
        return {IDS, MASK, *outputs}

    def logits(self, rows: Sequence[Sequence[int]], pad_id: int) -> NDArray[np.float64]:
        """Rows × labels. A row's logits do not depend on the other rows."""
        return self.settled(rows, pad_id)[0]

    def settled(
        self, rows: Sequence[Sequence[int]], pad_id: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The logits (rows × labels), and the number of the stage that settled each row."""
        found = np.empty((len(rows), self._labels))
        stages = np.zeros(len(rows), dtype=np.int64)
        for indices, length in batches(rows, ROUND_TOKENS):
            ids, mask = padded([rows[index] for index in indices], length, pad_id)
            open_rows = np.asarray(indices)
            tensors: Tensors = {IDS: ids, MASK: mask}
            for number, stage in enumerate(self._stages):
                tensors |= _in_batches(stage, tensors, max(1, BATCH_TOKENS // length))
                logits = tensors[LOGITS]
                if logits.shape != (len(open_rows), self._labels):  # NumPy would stretch a column
                    raise BundleError(f"the model gives logits of the shape {logits.shape}")
                found[open_rows], stages[open_rows] = logits, number
                if number == len(self._settled_below):
                    break
                goes_on = found[open_rows, self._toxicity] >= self._settled_below[number]
                if not goes_on.any():
                    break
                open_rows = open_rows[goes_on]
                tensors = {name: tensors[name][goes_on] for name in self._carried[number]}
        return found, stages


def _in_batches(
    stage: onnxruntime.InferenceSession, tensors: Mapping[str, NDArray[np.generic]], size: int
) -> Tensors:
    """What the stage gives for all rows."""
    parts = [_run(stage, part) for part in _parts(tensors, size)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _parts(tensors: Mapping[str, NDArray[np.generic]], size: int) -> Iterator[Tensors]:
    for start in range(0, len(tensors[MASK]), size):
        yield {name: values[start : start + size] for name, values in tensors.items()}


def _run(stage: onnxruntime.InferenceSession, tensors: Tensors) -> Tensors:
    names = [node.name for node in stage.get_outputs()]
    feed = {node.name: tensors[node.name] for node in stage.get_inputs()}
    count = len(tensors[MASK])
    if count == 1:
        # ONNX Runtime computes a batch of one by another routine, which rounds differently: a text
        # alone goes in twice, and scores to the last bit as it does in company.
        feed = {name: np.repeat(values, 2, axis=0) for name, values in feed.items()}
    return {
        name: values[:count] for name, values in zip(names, stage.run(names, feed), strict=True)
    }


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability)) if 0 < probability < 1 else -math.inf


def open_tokenizer(bundle: Bundle) -> tuple[Tokenizer, int]:
    """The tokenizer, which cuts nothing off, and the id that pads. Raises BundleError."""
    try:
        tokenizer = Tokenizer.from_buffer(content_of(bundle, TOKENIZER))
    except BundleError:
        raise
    except Exception as error:  # the binding raises bare Exception
        raise BundleError(f"{TOKENIZER} of the bundle {bundle.name} is invalid: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    pad_id = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    return tokenizer, next((number for number in pad_id if number is not None), 0)


def _providers() -> list[str]:
    """The CPU, and before it the GPU where onnxruntime-gpu is installed instead of onnxruntime."""
    if CUDA not in onnxruntime.get_available_providers():
        return [CPU]
    onnxruntime.preload_dlls()  # CUDA's libraries are Python packages, which the loader knows not
    return [CUDA, CPU]


def _open(bundle: Bundle, stage: Stage, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait for work by spinning take the core that the rest of a pipeline needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = content_of(bundle, stage.file)
    try:
        # Weights in a file of their own would be covered by no hash: none is found in this folder.
        with tempfile.TemporaryDirectory() as nothing:
            options.add_session_config_entry(_WEIGHTS_FOLDER, nothing)
            return onnxruntime.InferenceSession(model, options, providers=_providers())
    except Exception as error:  # onnxruntime's errors share no narrower base
        reason = str(error).splitlines()[0]
        raise BundleError(
            f"{stage.file} of the bundle {bundle.name} does not load: {reason}"
        ) from None


def _check(bundle: Bundle, stages: Sequence[onnxruntime.InferenceSession]) -> None:
    """Raises BundleError where a stage wants what the one before does not give."""
    given = {IDS, MASK}
    for stage, session in zip(bundle.stages, stages, strict=True):
        outputs = {node.name: node.shape for node in session.get_outputs()}
        if not {node.name for node in session.get_inputs()} <= given or LOGITS not in outputs:
            raise BundleError(
                f"{stage.file} of the bundle {bundle.name} has other inputs or outputs"
            )
        if outputs[LOGITS][-1] != len(bundle.labels):
            raise BundleError(
                f"{stage.file} of the bundle {bundle.name} has {outputs[LOGITS][-1]} outputs"
                f" for {len(bundle.labels)} labels"
            )
        given |= set(outputs)
