"""What an anomalous hour talks about that the hours before did not.

Terms are ranked by weighted log-odds with an informative Dirichlet prior: Monroe, Colaresi, Quinn
(2008), Fightin' Words, Political Analysis 16(4), eq. 22. Words that are common anyway score near
zero, which makes a list of stop words needless in any language.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mltox.detection.function_words import FUNCTION_WORDS
from mltox.detection.tokens import tokens
from mltox.detection.vocabulary import Vocabulary
from mltox.posts.records import EvidencePost, Micros

PRIOR_WEIGHT = 100.0
LEAST_OTHERS = 0.5
"""Where hardly anything but the term is said, its odds stay finite."""
LEAST_Z = 1.96
LEAST_RISE = 3.0
"""A term must be said in so many times as large a part of the posts as usual."""
EVERYDAY = 0.05
"""A term in a greater part of the usual posts is a word of every day, not of this hour."""
MOST_TERMS = 8
MOST_EXAMPLES = 5
SAME_POSTS = 0.8
SAME_TEXT = 0.6


class Explanation(NamedTuple):
    """`share_with_terms` is the part of the sample that contains a term; `usual_share` the part
    that would by the baseline (terms taken as independent)."""

    terms: tuple[str, ...]
    example_post_ids: tuple[str, ...]
    share_with_terms: float
    usual_share: float


NOTHING = Explanation((), (), 0.0, 0.0)


@dataclass(frozen=True)
class Text:
    """A distinct text of the sample: its terms, and the posts that say it."""

    terms: frozenset[str]
    post_ids: tuple[str, ...]

    @property
    def weight(self) -> float:
        """Damped: 100 copies of a text count like 5.6 posts, so that one text is one voice, and
        a brigade that repeats it is heard all the same."""
        return 1.0 + math.log(len(self.post_ids))


def distinct_texts(sample: Sequence[EvidencePost]) -> list[Text]:
    """The sample by its texts, links and mentions aside; order by first appearance."""
    by_words: dict[tuple[str, ...], list[str]] = {}
    for post in sample:
        by_words.setdefault(tokens(post.text), []).append(post.post_id)
    return [Text(frozenset(words), tuple(ids)) for words, ids in by_words.items()]


def term_weights(texts: Sequence[Text]) -> dict[str, float]:
    """Damped number of posts that contain each term."""
    weights: defaultdict[str, float] = defaultdict(float)
    for text in texts:
        for term in text.terms:
            weights[term] += text.weight
    return dict(weights)


class LogOdds(NamedTuple):
    """How much likelier a term is here than before (log of the odds ratio), and its error."""

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
    prior = PRIOR_WEIGHT * (here + before) / (here_total + before_total)
    others_here = max(here_total + PRIOR_WEIGHT - here - prior, LEAST_OTHERS)
    others_before = max(before_total + PRIOR_WEIGHT - before - prior, LEAST_OTHERS)
    odds_here, odds_before = (here + prior) / others_here, (before + prior) / others_before
    variance = 1.0 / (here + prior) + 1.0 / (before + prior)
    return LogOdds(math.log(odds_here / odds_before), math.sqrt(variance))


def explain(
    hour: Micros,
    sample: Sequence[EvidencePost],
    examples: Sequence[EvidencePost],
    vocabulary: Vocabulary,
    everyday: Vocabulary,
) -> Explanation:
    """What sets the sample apart from the vocabulary. Nothing where the sample is empty.

    `vocabulary` holds posts of the sample's kind from earlier hours, `everyday` posts of all kinds:
    a word of every day explains nothing, in any language. A term needs two posts; a term said by
    (nearly) the same posts as a stronger one is left out.
    """
    texts = distinct_texts(sample)
    if not texts:
        return NOTHING
    chosen = _distinctive_terms(hour, texts, vocabulary, everyday)
    holding = sum(len(text.post_ids) for text in texts if text.terms & set(chosen))
    absent = math.prod(1.0 - vocabulary.rate(term) for term in chosen)
    return Explanation(
        terms=chosen,
        example_post_ids=_examples(examples, sample, frozenset(chosen)),
        share_with_terms=holding / sum(len(text.post_ids) for text in texts),
        usual_share=1.0 - absent,
    )


def _distinctive_terms(
    hour: Micros, texts: Sequence[Text], vocabulary: Vocabulary, everyday: Vocabulary
) -> tuple[str, ...]:
    weights = term_weights(texts)
    total = sum(weights[term] for term in sorted(weights))
    posts = sum(text.weight for text in texts)
    present = vocabulary.present(hour)
    posts_with: dict[str, set[str]] = {}
    for text in texts:
        for term in text.terms:
            posts_with.setdefault(term, set()).update(text.post_ids)
    scored = [
        (
            log_odds(weights[term], total, vocabulary[term] / present, vocabulary.total / present),
            term,
        )
        for term in weights
        if len(posts_with[term]) >= 2
        and weights[term] / posts >= LEAST_RISE * vocabulary.rate(term)
        and everyday.rate(term) < EVERYDAY
        and term not in FUNCTION_WORDS
    ]
    chosen: list[str] = []
    for odds, term in sorted(scored, key=lambda item: (-item[0].least_ratio, item[1])):
        if odds.z < LEAST_Z or len(chosen) == MOST_TERMS:
            break
        if all(_overlap(posts_with[term], posts_with[other]) < SAME_POSTS for other in chosen):
            chosen.append(term)
    return tuple(chosen)


def _overlap(one: set[str] | frozenset[str], other: set[str] | frozenset[str]) -> float:
    """Jaccard similarity."""
    return len(one & other) / len(one | other) if one or other else 1.0


def _examples(
    examples: Sequence[EvidencePost], sample: Sequence[EvidencePost], terms: frozenset[str]
) -> tuple[str, ...]:
    """Posts with a term before posts without, in the order given, no two of nearly one text."""
    posts = [*examples, *sample]
    words = [frozenset(tokens(post.text)) for post in posts]
    order = sorted(range(len(posts)), key=lambda i: not words[i] & terms)
    chosen: list[int] = []
    for i in order:
        if len(chosen) == MOST_EXAMPLES:
            break
        if all(
            posts[i].post_id != posts[j].post_id and _overlap(words[i], words[j]) < SAME_TEXT
            for j in chosen
        ):
            chosen.append(i)
    return tuple(posts[i].post_id for i in chosen)


def explained_share(explanation: Explanation, observed: float, expected: float) -> float | None:
    """Share of the excess posts (observed - expected, both in posts) that contain a term.

    The posts with a term number observed * share_with_terms, and would number
    expected * usual_share in a usual hour; their difference over the excess, drawn to [0, 1].
    None where there is no excess or no term.
    """
    if not explanation.terms or observed <= expected:
        return None
    with_terms = observed * explanation.share_with_terms - expected * explanation.usual_share
    return min(max(with_terms / (observed - expected), 0.0), 1.0)
