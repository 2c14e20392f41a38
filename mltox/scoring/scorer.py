"""Texts in, probabilities out."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mltox.posts.records import LABELS, UNSCORED, Scores
from mltox.scoring.batches import batches, padded
from mltox.scoring.bundle import DEFAULT_BUNDLE, MODEL, TOKENIZER, Bundle, BundleError, load_bundle
from mltox.scoring.language import in_languages
from mltox.scoring.normalise import normalise
from mltox.scoring.recent import Recent

DIGITS = 6
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class Scorer:
    """Scores texts with the model of a bundle.

    >>> scores = Scorer().score(["you are an idiot", "have a nice day"])
    >>> scores[0].toxicity > scores[1].toxicity
    True

    `threads` is the number of CPU threads of one inference (0: all cores), `cache_size` the number
    of recent texts whose scores are kept. May be used from several threads. Raises `BundleError`
    where the bundle does not load.
    """

    def __init__(
        self,
        bundle: str | Path | Bundle = DEFAULT_BUNDLE,
        *,
        threads: int = 0,
        cache_size: int = 20_000,
    ) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self.model_sha256 = self.bundle.sha256
        self.model = f"{self.bundle.name}@{self.model_sha256[:12]}"
        self.threshold = self.bundle.threshold
        self._tokenizer, self._pad_id = _open_tokenizer(self.bundle)
        self._session = _open_session(self.bundle, threads)
        self._columns = [LABELS.index(label) for label in self.bundle.labels]
        self._recent: Recent[bytes, Scores] = Recent(cache_size)
        self._lock = threading.Lock()

    def score(
        self, texts: Sequence[str], langs: Sequence[str | None] | None = None
    ) -> list[Scores]:
        """The scores of each text, in order; `UNSCORED` for one in a language of no training.

        `langs` are the languages that the network gave (BCP 47); where there is none it is
        detected. A text has the same scores whatever else is scored with it.
        """
        with self._lock:
            return self._score(texts, langs or [None] * len(texts))

    def _score(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Scores]:
        results: list[Scores | None] = []
        waiting: dict[bytes, list[int]] = {}
        pending: list[str] = []
        for index, (text, lang) in enumerate(zip(texts, langs, strict=True)):
            plain = normalise(text)
            if not in_languages(plain, lang, self.bundle.languages):
                results.append(UNSCORED)
                continue
            key = hashlib.blake2b(plain.encode(), digest_size=16).digest()
            known = self._recent.get(key)
            results.append(known)
            if known is None:
                if key not in waiting:
                    waiting[key] = []
                    pending.append(plain)
                waiting[key].append(index)
        for (key, indices), scores in zip(waiting.items(), self._infer(pending), strict=True):
            self._recent.put(key, scores)
            for index in indices:
                results[index] = scores
        return [scores for scores in results if scores is not None]

    def _infer(self, plain: Sequence[str]) -> Iterable[Scores]:
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(plain))]
        logits = np.empty((len(rows), len(self._columns)))
        for indices, length in batches(rows):
            # ONNX Runtime computes a batch of one by another routine, which rounds differently: a
            # text alone goes in twice, and scores to the last bit as it does in company.
            indices = indices if len(indices) > 1 else indices * 2
            ids, mask = padded([rows[index] for index in indices], length, self._pad_id)
            feed = {"input_ids": ids, "attention_mask": mask}
            logits[indices] = self._session.run(["logits"], feed)[0]
        return map(self._named, np.round(_sigmoid(logits), DIGITS).tolist())

    def _named(self, probabilities: Sequence[float]) -> Scores:
        values: list[float | None] = [None] * len(LABELS)
        for column, probability in zip(self._columns, probabilities, strict=True):
            values[column] = probability
        return Scores(*values)


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))))


def _open_tokenizer(bundle: Bundle) -> tuple[Tokenizer, int]:
    try:
        tokenizer = Tokenizer.from_file(str(bundle.folder / TOKENIZER))
    except Exception as error:  # the binding raises bare Exception
        raise BundleError(f"{TOKENIZER} of the bundle {bundle.name} is invalid: {error}") from None
    tokenizer.enable_truncation(bundle.max_length)
    tokenizer.no_padding()
    pad_id = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    return tokenizer, next((number for number in pad_id if number is not None), 0)


def _providers() -> list[str]:
    """The CPU, and before it the GPU where onnxruntime-gpu is installed instead of onnxruntime."""
    if CUDA not in onnxruntime.get_available_providers():
        return [CPU]
    onnxruntime.preload_dlls()  # CUDA's libraries are Python packages, which the loader knows not
    return [CUDA, CPU]


def _open_session(bundle: Bundle, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait for work by spinning take the core that the rest of a pipeline needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(bundle.folder / MODEL), options, providers=_providers()
        )
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
