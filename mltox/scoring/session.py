"""The ONNX session of a bundle: rows of word pieces in, logits out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mltox.scoring.batches import batches, padded
from mltox.scoring.bundle import MODEL, TOKENIZER, Bundle, BundleError, content_of

_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class Session:
    """What a bundle computes. `threads` of 0 takes all cores. Raises BundleError."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        self._session = _open(bundle, threads)
        self._labels = len(bundle.labels)

    def logits(self, rows: Sequence[Sequence[int]], pad_id: int) -> NDArray[np.float64]:
        """Rows × labels. A row's logits do not depend on the other rows."""
        found = np.empty((len(rows), self._labels))
        for indices, length in batches(rows):
            # ONNX Runtime computes a batch of one by another routine, which rounds differently: a
            # text alone goes in twice, and scores to the last bit as it does in company.
            indices = indices if len(indices) > 1 else indices * 2
            ids, mask = padded([rows[index] for index in indices], length, pad_id)
            feed = {"input_ids": ids, "attention_mask": mask}
            logits = self._session.run(["logits"], feed)[0]
            if logits.shape != (len(indices), self._labels):  # NumPy would stretch a single column
                raise BundleError(f"the model gives logits of the shape {logits.shape}")
            found[indices] = logits
        return found


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


def _open(bundle: Bundle, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait for work by spinning take the core that the rest of a pipeline needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = content_of(bundle, MODEL)
    try:
        # Weights in a file of their own would be covered by no hash: none is found in this folder.
        with tempfile.TemporaryDirectory() as nothing:
            options.add_session_config_entry(_WEIGHTS_FOLDER, nothing)
            session = onnxruntime.InferenceSession(model, options, providers=_providers())
        inputs = {node.name for node in session.get_inputs()}
        outputs = {node.name: node.shape for node in session.get_outputs()}
    except Exception as error:  # onnxruntime's errors share no narrower base
        reason = str(error).splitlines()[0]
        raise BundleError(f"{MODEL} of the bundle {bundle.name} does not load: {reason}") from None
    if inputs != {"input_ids", "attention_mask"} or "logits" not in outputs:
        raise BundleError(f"{MODEL} of the bundle {bundle.name} has other inputs or outputs")
    if outputs["logits"][-1] != len(bundle.labels):
        raise BundleError(
            f"{MODEL} of the bundle {bundle.name} has {outputs['logits'][-1]} outputs"
            f" for {len(bundle.labels)} labels"
        )
    return session
