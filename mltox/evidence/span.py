"""What the posts of a span of time are: how many, by whom, the telling ones, the repeated ones."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from mltox.evidence.terms import Background, Said, Term, distinct, distinctive_terms, words_of
from mltox.posts.records import LABELS, Micros

MOST_TOXIC = 5
MOST_REPEATED = 5
MOST_RANDOM = 5
MOST_COUNTED = 8
"""Sources and languages by name; the rest is one number."""


class StoredPost(NamedTuple):
    """What the warehouse keeps of a post; `toxic` as the hour's share counts it, None: unscored."""

    post_id: str
    source: str
    author_key: str | None
    text: str | None
    lang: str | None
    created_at: Micros
    toxic: bool | None
    toxicity: float | None
    severe_toxicity: float | None
    obscene: float | None
    threat: float | None
    insult: float | None
    identity_attack: float | None
    sexual_explicit: float | None


class PostWorthReading(NamedTuple):
    """A post worth reading. `copies` posts say the same, links and mentions aside, by `authors`."""

    post: StoredPost
    copies: int
    authors: int


class Authors(NamedTuple):
    """Who is behind the posts that have an author: `half` of them wrote half of those posts (the
    busiest first), the busiest one wrote `top_share`. All None where no author is known."""

    known: int
    half: int | None
    top_share: float | None

    @property
    def voices(self) -> str:
        """`one` where an author has half of the posts, `few` where a twentieth has, else `many`."""
        if self.half is None or self.top_share is None:
            return "unknown"
        if self.half == 1:
            return "one"
        return "few" if self.half <= max(2, self.known // 20) else "many"


class Evidence(NamedTuple):
    """Everything about a span. Lists are at most as long as the constants say.

    `distinct_texts` leaves links and mentions aside, None where texts are not stored. `labels` are
    means over the scored posts. `terms` are against `compared_with` other posts.
    """

    posts: int
    scored: int
    toxic: int
    mean_toxicity: float | None
    distinct_texts: int | None
    authors: Authors
    sources: Sequence[tuple[str, int]]
    languages: Sequence[tuple[str, int]]
    labels: Mapping[str, float]
    terms: Sequence[Term]
    compared_with: int
    most_toxic: Sequence[PostWorthReading]
    most_repeated: Sequence[PostWorthReading]
    random: Sequence[PostWorthReading]


def texts_with_copies(posts: Iterable[StoredPost]) -> list[Said]:
    return [Said(post.text, post.author_key) for post in posts if post.text is not None]


def evidence(
    posts: Sequence[StoredPost],
    background: Background,
    own: frozenset[str] = frozenset(),
    compared_with: int = 0,
) -> Evidence:
    """The posts of one topic and span, in any order; the same posts give the same evidence."""
    scored = [post for post in posts if post.toxicity is not None]
    texts = texts_with_copies(posts)
    groups = _by_words(posts)
    return Evidence(
        posts=len(posts),
        scored=len(scored),
        toxic=sum(bool(post.toxic) for post in scored),
        mean_toxicity=_mean([post.toxicity for post in scored]),
        distinct_texts=len(distinct(texts)) if texts else None,
        authors=authors_of(posts),
        sources=_counted(post.source for post in posts),
        languages=_counted(post.lang or "not given" for post in posts),
        labels={
            label: mean
            for label in LABELS
            if (mean := _mean([getattr(post, label) for post in scored])) is not None
        },
        terms=distinctive_terms(texts, background, own) if background.texts else [],
        compared_with=compared_with,
        most_toxic=_shown(
            sorted(scored, key=lambda post: (-(post.toxicity or 0.0), post.post_id)),
            groups,
            MOST_TOXIC,
        ),
        most_repeated=_repeated(groups),
        random=_shown(sorted(posts, key=_rank), groups, MOST_RANDOM),
    )


def authors_of(posts: Iterable[StoredPost]) -> Authors:
    counts = Counter(post.author_key for post in posts if post.author_key is not None)
    if not counts:
        return Authors(0, None, None)
    total = counts.total()
    busiest = [count for _, count in counts.most_common()]
    half = next(n for n, reached in enumerate(accumulate(busiest), start=1) if 2 * reached >= total)
    return Authors(len(counts), half, busiest[0] / total)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    """The most frequent, most first; the rest as one of an empty name."""
    ranked = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ranked[MOST_COUNTED:])
    return [*ranked[:MOST_COUNTED], *([("", rest)] if rest else [])]


Groups = Mapping[object, Sequence[StoredPost]]


def _words(post: StoredPost) -> object:
    """Posts of one key say the same; a text that is not stored is like no other."""
    if post.text is None:
        return post.post_id
    return words_of(post.text) or post.text


def _by_words(posts: Iterable[StoredPost]) -> Groups:
    groups: defaultdict[object, list[StoredPost]] = defaultdict(list)
    for post in posts:
        groups[_words(post)].append(post)
    return groups


def _shown_once(post: StoredPost, group: Sequence[StoredPost]) -> PostWorthReading:
    known = {each.author_key for each in group if each.author_key is not None}
    return PostWorthReading(post, len(group), len(known))


def _shown(ranked: Iterable[StoredPost], groups: Groups, most: int) -> list[PostWorthReading]:
    """The first posts of different texts."""
    shown: dict[object, PostWorthReading] = {}
    for post in ranked:
        if len(shown) == most:
            break
        key = _words(post)
        if key not in shown:
            shown[key] = _shown_once(post, groups[key])
    return list(shown.values())


def _repeated(groups: Groups) -> list[PostWorthReading]:
    """Texts that two posts or more say, the most frequent first, each by its earliest post."""
    several = [
        (min(group, key=lambda post: (post.created_at, post.post_id)), group)
        for group in groups.values()
        if len(group) > 1
    ]
    several.sort(key=lambda item: (-len(item[1]), item[0].created_at, item[0].post_id))
    return [_shown_once(post, group) for post, group in several[:MOST_REPEATED]]


def _rank(post: StoredPost) -> bytes:
    """A fixed pseudo-random order, so that nobody chose these posts and all see the same."""
    return hashlib.blake2b(post.post_id.encode(), digest_size=8).digest()
