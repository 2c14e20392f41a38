"""What a set of posts talks about that others of its topic do not.

Words and hashtags are ranked by weighted log-odds with an informative Dirichlet prior: Monroe,
Colaresi, Quinn (2008), Fightin' Words, Political Analysis 16(4), eq. 22. A word that is said in the
same surroundings again and again is then shown with them, as a phrase.
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from mltox.detection.function_words import FUNCTION_WORDS
from mltox.detection.tokens import tokens

PRIOR_WEIGHT = 100.0
LEAST_PRIOR = 0.5
"""Of a word (Jeffreys): where a word is new, the prior of both together alone would be so weak that
six people against none are no evidence."""
LEAST_OTHERS = 0.5
"""Where hardly anything but the term is said, its odds stay finite."""
LEAST_Z = 1.96
LEAST_RISE = 2.0
"""A term is in so many times as large a part of the posts as elsewhere."""
LEAST_AUTHORS = 3
"""People, or texts where nobody knows who wrote them: one voice is no talk of the town."""
LEAST_PART = 0.02
"""Of the posts; a hundred terms of three people each are no headline."""
MOST_TERMS = 8
SAME_POSTS = 0.7
"""Jaccard similarity from which two terms are one story, told by the stronger."""
LONGEST_PHRASE = 4
PHRASE_PART = 0.6
"""So much of a word's texts say it in these surroundings: then the phrase is the term."""


class Said(NamedTuple):
    """A post as words go: what was said, by whom (any key, None: not known)."""

    text: str
    author: str | int | None = None


class Term(NamedTuple):
    """A term with the posts and people behind it, and its log-odds in standard errors."""

    text: str
    posts: int
    authors: int
    z: float


class LogOdds(NamedTuple):
    """How much likelier a term is here than elsewhere (log of the odds ratio), and its error."""

    ratio: float
    error: float

    @property
    def z(self) -> float:
        return self.ratio / self.error

    @property
    def least_ratio(self) -> float:
        """The lower end of the ratio's 95 % interval: great for what is both new and certain."""
        return self.ratio - LEAST_Z * self.error


def log_odds(here: float, here_total: float, before: float, before_total: float) -> LogOdds:
    """A term's log-odds against the baseline, with the prior from both together.

    >>> log_odds(10, 100, 10, 1000).z > LEAST_Z
    True
    """
    prior = max(PRIOR_WEIGHT * (here + before) / (here_total + before_total), LEAST_PRIOR)
    others_here = max(here_total + PRIOR_WEIGHT - here - prior, LEAST_OTHERS)
    others_before = max(before_total + PRIOR_WEIGHT - before - prior, LEAST_OTHERS)
    odds_here, odds_before = (here + prior) / others_here, (before + prior) / others_before
    variance = 1.0 / (here + prior) + 1.0 / (before + prior)
    return LogOdds(math.log(odds_here / odds_before), math.sqrt(variance))


@dataclass
class Background:
    """How often terms are said elsewhere: damped counts of texts, see `weight_of`."""

    terms: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    texts: float = 0.0

    def add(self, posts: Iterable[Said]) -> None:
        for text in distinct(posts):
            weight = text.weight
            self.texts += weight
            self.total += weight * len(text.words)
            for term in text.words:
                self.terms[term] = self.terms.get(term, 0.0) + weight

    def rate(self, term: str) -> float:
        """The part of the texts that say it, in [0, 1]."""
        return min(self.terms.get(term, 0.0) / self.texts, 1.0) if self.texts else 0.0


@dataclass(frozen=True)
class DistinctText:
    """A text, links and mentions aside, and who said it how often."""

    words: frozenset[str]
    order: tuple[str, ...]
    posts: int
    authors: frozenset[str | int]

    @property
    def weight(self) -> float:
        """100 copies of a text count like 10 posts: one text is not the talk of a hundred
        people, and a brigade that repeats it is heard all the same."""
        return math.sqrt(self.posts)


def distinct(posts: Iterable[Said]) -> list[DistinctText]:
    """The posts by their words; order by first appearance."""
    counts: Counter[tuple[str, ...]] = Counter()
    authors: defaultdict[tuple[str, ...], set[str | int]] = defaultdict(set)
    for post in posts:
        words = words_of(post.text)
        counts[words] += 1
        if post.author is not None:
            authors[words].add(post.author)
    return [
        DistinctText(frozenset(words) - {""}, words, count, frozenset(authors[words]))
        for words, count in counts.items()
    ]


_BREAK = re.compile(r"[.,;:!?()\[\]\"“”…|\n/–—]+(?=\s|$)|(?<=\s)[(\[\"“–—|-]+|\n")


@lru_cache(maxsize=20_000)
def words_of(text: str) -> tuple[str, ...]:
    """Words in order, with an empty one where a sentence or a clause ends: no phrase spans it."""
    words: list[str] = []
    for clause in _BREAK.split(unicodedata.normalize("NFKC", html.unescape(text))):
        found = tokens(clause)
        if found:
            words += [*found, ""]
    return tuple(words[:-1])


def own_words(names: Iterable[str]) -> frozenset[str]:
    """The words of a topic's name, keywords and hashtags, with and without `#`: they explain
    nothing, for every post of the topic has one.

    >>> sorted(own_words(["Prime Minister", "#vote"]))
    ['#minister', '#prime', '#vote', 'minister', 'prime', 'vote']
    """
    bare = {word.lstrip("#") for name in names for word in tokens(name.replace("_", " "))}
    return frozenset(bare | {f"#{word}" for word in bare})


def distinctive_terms(
    posts: Sequence[Said], background: Background, own: frozenset[str] = frozenset()
) -> list[Term]:
    """What sets the posts apart, at most `MOST_TERMS`; phrases and hashtags first.

    A term is said by `LEAST_AUTHORS` people at least (by so many texts where no author is known),
    twice as much as elsewhere, is no function word and none of the topic's `own` words. A term of
    the same posts as a stronger one is left out.
    """
    texts = distinct(posts)
    weights: defaultdict[str, float] = defaultdict(float)
    holders: defaultdict[str, set[int]] = defaultdict(set)
    for i, text in enumerate(texts):
        own_weight = text.weight
        for word in text.words:
            weights[word] += own_weight
            holders[word].add(i)
    total, all_texts = math.fsum(weights.values()), math.fsum(text.weight for text in texts)
    ranked = []
    for word, weight in weights.items():
        if not _may_speak(word, own) or weight < LEAST_PART * all_texts:
            continue
        if _voices([texts[i] for i in holders[word]]) < LEAST_AUTHORS:
            continue
        if weight / all_texts < LEAST_RISE * background.rate(word):
            continue
        odds = log_odds(weight, total, background.terms.get(word, 0.0), background.total)
        if odds.z >= LEAST_Z:
            ranked.append((-odds.least_ratio, word, odds.z))
    chosen: list[tuple[str, float]] = []
    for _, word, z in sorted(ranked):
        if len(chosen) == MOST_TERMS:
            break
        if not any(
            _is_form_of(word, other) or _overlap(holders[word], holders[other]) >= SAME_POSTS
            for other, _ in chosen
        ):
            chosen.append((word, z))
    found = []
    for word, z in chosen:
        with_it = [texts[i] for i in sorted(holders[word])]
        run = (word,) if word.startswith("#") else _phrase(word, with_it, own)
        saying = [text for text in with_it if len(run) == 1 or _says(text.order, run)]
        if _voices(saying) < LEAST_AUTHORS:
            run, saying = (word,), with_it
        authors: set[str | int] = set().union(*(text.authors for text in saying))
        found.append(Term(" ".join(run), sum(t.posts for t in saying), len(authors), z))
    return sorted(_without_parts(found), key=_is_single_word)


def _says(words: Sequence[str], run: tuple[str, ...]) -> bool:
    return any(tuple(words[i : i + len(run)]) == run for i in range(len(words) - len(run) + 1))


def _without_parts(terms: Sequence[Term]) -> list[Term]:
    """Each term once, and none whose words another one has as well."""
    kept: list[Term] = []
    for term in terms:
        words = _parts(term)
        rivals = [other for other in terms if other is not term and words <= _parts(other)]
        if all(words == _parts(other) and other not in kept for other in rivals):
            kept.append(term)
    return kept


def _parts(term: Term) -> set[str]:
    return set(term.text.split())


def _is_single_word(term: Term) -> bool:
    return " " not in term.text and not term.text.startswith("#")


def _is_form_of(one: str, other: str) -> bool:
    """release, released: a word that another one begins with, of four letters at least."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and long.startswith(short) and len(long) - len(short) <= 3


def _may_speak(word: str, own: frozenset[str]) -> bool:
    return bool(word) and word not in own and word not in FUNCTION_WORDS and not word.isnumeric()


def _voices(texts: Iterable[DistinctText]) -> int:
    """People who say it; texts where nobody knows who wrote them."""
    known: set[str | int] = set()
    unknown = 0
    for text in texts:
        known |= text.authors
        unknown += not text.authors
    return len(known) + unknown


def _overlap(one: set[int], other: set[int]) -> float:
    """Jaccard similarity."""
    return len(one & other) / len(one | other) if one or other else 1.0


def _phrase(word: str, texts: Sequence[DistinctText], own: frozenset[str]) -> tuple[str, ...]:
    """The longest run of words around `word` that most of its texts say alike, or `word` alone."""
    seen: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        runs = {
            run
            for at, other in enumerate(text.order)
            if other == word
            for run in _runs(text.order, at)
        }
        seen.update(runs)
    least = PHRASE_PART * len(texts)
    good = [
        (len(run), count, run)
        for run, count in seen.items()
        if count >= least and _is_phrase(run, own)
    ]
    return max(good)[2] if good else (word,)


def _runs(words: Sequence[str], at: int) -> Iterable[tuple[str, ...]]:
    for length in range(2, LONGEST_PHRASE + 1):
        for start in range(max(0, at - length + 1), min(at, len(words) - length) + 1):
            yield tuple(words[start : start + length])


def _is_phrase(run: tuple[str, ...], own: frozenset[str]) -> bool:
    """No clause ends within it, no function word or hashtag at its ends."""
    ends = (run[0], run[-1])
    return (
        "" not in run
        and all(word not in FUNCTION_WORDS and not word.startswith("#") for word in ends)
        and not all(word in own for word in ends)
    )
