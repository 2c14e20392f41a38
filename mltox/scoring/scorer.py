"""Texts in, probabilities out."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from mltox.posts.records import LABELS, UNSCORED, Scores
from mltox.scoring.bundle import DEFAULT_BUNDLE, Bundle, load_bundle
from mltox.scoring.inputs import languages_of, listed
from mltox.scoring.language import in_languages
from mltox.scoring.normalise import MAX_CHARS, normalise, spoken
from mltox.scoring.sentences import sentences
from mltox.scoring.session import Session, open_tokenizer
from mltox.scoring.windows import whole_logits, windows

DIGITS = 6


class Span(NamedTuple):
    """A sentence of a text and the scores that it would have alone.

    `begin` and `end` (exclusive) count Python characters of the text as it was given; `scores` are
    the probabilities of the labels of the bundle by name.
    """

    begin: int
    end: int
    scores: dict[str, float]


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
        self._tokenizer, self._pad_id = open_tokenizer(self.bundle)
        self._session = Session(self.bundle, threads)
        self._columns = [LABELS.index(label) for label in self.bundle.labels]
        self._recent: LRUCache[bytes, Scores] = LRUCache(cache_size)
        self._lock = threading.Lock()

    def score(
        self, texts: Iterable[str | None], langs: Iterable[str | None] | None = None
    ) -> list[Scores]:
        """The scores of each text, in order.

        `UNSCORED` for a text in a language of no training, and for none: None, NaN, an empty
        string, nothing but space and signs that nobody sees. `langs` are the languages that the
        network gave (BCP 47); where there is none it is detected. A text has the same scores
        whatever else is scored with it, and is looked at to its `MAX_CHARS`th character: what the
        model cannot read at once is read in windows that overlap. Raises TypeError for a lone
        string and for what is no text, ValueError where texts and languages differ in number.
        """
        given = listed(texts)
        tagged = languages_of(langs, len(given))
        with self._lock:
            return self._score(given, tagged)

    def spans(
        self, texts: Iterable[str | None], langs: Iterable[str | None] | None = None
    ) -> list[list[Span]]:
        """The sentences of each text with their own scores, in order; none for an unscored text.

        Arguments and errors are those of `score`.

        >>> text = "What a lovely day. You are an idiot!"
        >>> [text[span.begin : span.end] for span in Scorer().spans([text])[0]]
        ['What a lovely day.', 'You are an idiot!']
        """
        given = listed(texts)
        tagged = languages_of(langs, len(given))
        places = [
            list(sentences(text[:MAX_CHARS])) if self.reads(text, lang) else []
            for text, lang in zip(given, tagged, strict=True)
        ]
        parts = [
            text[begin:end]
            for text, found in zip(given, places, strict=True)
            for begin, end in found
        ]
        with self._lock:
            # The language is the whole text's, for a sentence is too short to tell.
            scores = iter(self._score(parts, [self.bundle.languages[0]] * len(parts)))
        return [list(self._spans(found, scores)) for found in places]

    def _spans(self, places: Sequence[tuple[int, int]], scores: Iterator[Scores]) -> Iterator[Span]:
        for (begin, end), found in zip(places, scores, strict=False):
            if found is not UNSCORED:
                named = {label: getattr(found, label) for label in self.bundle.labels}
                yield Span(begin, end, named)

    def reads(self, text: str, lang: str | None) -> bool:
        """Whether a text has scores: it says something, in a language of the training."""
        return bool(normalise(text)) and in_languages(spoken(text), lang, self.bundle.languages)

    def _score(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Scores]:
        results: list[Scores | None] = []
        waiting: dict[bytes, list[int]] = {}
        pending: list[str] = []
        for index, (text, lang) in enumerate(zip(texts, langs, strict=True)):
            plain = normalise(text)
            tongue = plain if text.isascii() else spoken(text)
            if not (plain and in_languages(tongue, lang, self.bundle.languages)):
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
            if self._recent.maxsize:
                self._recent[key] = scores
            for index in indices:
                results[index] = scores
        return [scores for scores in results if scores is not None]

    def _infer(self, plain: Sequence[str]) -> Iterable[Scores]:
        rows: list[list[int]] = []
        begins = [0]
        for text, encoding in zip(plain, self._tokenizer.encode_batch(list(plain)), strict=True):
            rows += windows(encoding, text, self.bundle.max_length, self.bundle.window)
            begins.append(len(rows))
        logits = self._session.logits(rows, self._pad_id)
        found = [whole_logits(logits[begin:end]) for begin, end in pairwise(begins)]
        if not found:
            return []
        return map(self._named, np.round(_sigmoid(np.stack(found)), DIGITS).tolist())

    def _named(self, probabilities: Sequence[float]) -> Scores:
        values: list[float | None] = [None] * len(LABELS)
        for column, probability in zip(self._columns, probabilities, strict=True):
            values[column] = probability
        return Scores(*values)


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))))
