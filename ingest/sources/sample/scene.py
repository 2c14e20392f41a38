"""Plays the four weeks: who posts what, when, and what is passed on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import chain
from random import Random
from typing import NamedTuple

import orjson

from ingest.sources.sample.faults import FAULTS
from ingest.sources.sample.grammar import expanded
from ingest.sources.sample.incidents import BY_TOPIC, PlantedIncident
from ingest.sources.sample.post import Author, SamplePost, make_authors
from ingest.sources.sample.rhythm import HOURS, TOPIC_SHARE, level, poisson, rude_share
from ingest.sources.sample.shapes import shaped
from ingest.sources.sample.texts import (
    CROSS,
    EMOJI,
    GRAMMARS,
    OFF_TOPIC,
    OTHER_LANGUAGES,
    TAGS,
    TOPICS,
)
from mltox.posts.records import HOUR, SECOND, Micros
from mltox.posts.topics import TopicMatcher

_NETWORKS: Mapping[str, float] = {
    "x_v2": 0.30,
    "x_v2_stream": 0.22,
    "x_v1": 0.11,
    "bluesky": 0.12,
    "mastodon": 0.09,
    "reddit": 0.06,
    "plain": 0.10,
}
_X = ("x_v2", "x_v2_stream", "x_v1")
_REPEATED = 0.6
_OFF_TOPIC = 0.03
_TWO_TOPICS = 0.02
_OTHER_LANGUAGE = 0.085
_LANG_MISSING = 0.2
_DUPLICATES = 40
_RECENT = 160
_FORGOTTEN_AFTER: Micros = 30 * HOUR
_AUTHORS = 2400


class Moment(NamedTuple):
    """When a post is written, and its serial number."""

    number: int
    stamp: Micros


class Scene:
    """One sample: what `lines` writes, with the number of its duplicates and rejects."""

    def __init__(self, seed: int, posts: int, origin: Micros) -> None:
        self.duplicates = _DUPLICATES
        self.rejects = {error_type: count for error_type, (_, count) in FAULTS.items()}
        self._rng = Random(seed)
        self._posts = posts
        self._origin = origin
        self._matcher = TopicMatcher(TOPICS)
        self._authors = make_authors(_AUTHORS, self._rng)
        self._number = 0

    def lines(self) -> list[bytes]:
        """Returns all rows of the sample, nearly in the order of time, as sources deliver them."""
        rng = self._rng
        posts = sorted(
            chain.from_iterable(self._topic_posts(topic) for topic in TOPIC_SHARE),
            key=lambda post: post.created_at,
        )
        arrivals = [(post.created_at, orjson.dumps(shaped(post))) for post in posts]
        resent = rng.sample(arrivals, _DUPLICATES)
        arrivals += [(stamp + rng.randrange(60) * SECOND, line) for stamp, line in resent]
        for make, count in FAULTS.values():
            for post in rng.sample(posts, count):
                arrivals.append((post.created_at, make(self._fresh_number(post))))
        # Networks deliver late and out of order, by minutes.
        arrivals = [(stamp + rng.randrange(180) * SECOND, line) for stamp, line in arrivals]
        return [line for _, line in sorted(arrivals)]

    def _fresh_number(self, post: SamplePost) -> SamplePost:
        self._number += 1
        return post._replace(number=self._number)

    def _topic_posts(self, topic: str) -> Iterator[SamplePost]:
        incidents = BY_TOPIC[topic]
        scale = self._posts / 24_000
        extra = sum(i.extra * i.strength(h) for i in incidents for h in range(HOURS)) * scale
        levels = [level(topic, hour) * _usual(incidents, hour) for hour in range(HOURS)]
        base = max(TOPIC_SHARE[topic] * self._posts - extra, 0.0) / sum(levels)
        talk = _Talk(topic, self._rng, self._authors, self._matcher)
        for hour, relative in enumerate(levels):
            means: list[tuple[float, PlantedIncident | None]] = [(base * relative, None)]
            means += [(i.extra * i.strength(hour) * scale, i) for i in incidents]
            moments = [
                (self._origin + hour * HOUR + self._rng.randrange(HOUR // 1000) * 1000, incident)
                for mean, incident in means
                for _ in range(poisson(mean, self._rng))
            ]
            for stamp, incident in sorted(moments, key=lambda moment: moment[0]):
                self._number += 1
                moment = Moment(self._number, stamp)
                if incident is None:
                    yield talk.usual(rude_share(topic, hour), moment)
                else:
                    yield talk.themed(incident, moment)


def _usual(incidents: tuple[PlantedIncident, ...], hour: int) -> float:
    factor = 1.0
    for incident in incidents:
        if incident.strength(hour):
            factor *= incident.usual
    return factor


class _Talk:
    """The conversation on one topic: new posts, and repeats of what was said lately."""

    def __init__(
        self, topic: str, rng: Random, authors: list[Author], matcher: TopicMatcher
    ) -> None:
        self._topic = topic
        self._grammar = GRAMMARS[topic]
        self._rng = rng
        self._authors = authors
        self._matcher = matcher
        # what was said in each mood, repeats included, with the time it was said
        self._recent: dict[str, deque[tuple[Micros, SamplePost]]] = {}

    def usual(self, rude: float, moment: Moment) -> SamplePost:
        """Returns a post of an ordinary hour, `rude` being the part of hostile ones."""
        mood = "rude" if self._rng.random() < rude else "civil"
        return self._repeat(mood, moment) or self._remember(mood, self._new(mood, moment))

    def themed(self, incident: PlantedIncident, moment: Moment) -> SamplePost:
        """Returns a post of an incident. A brigade repeats its few texts word for word."""
        calm = self._rng.random() < incident.calm_share
        theme = incident.calm if calm else incident.theme
        if incident.kind == "brigade":
            return self._post(expanded(self._grammar, theme, self._rng), "en", moment)
        repeated = self._repeat(theme, moment)
        if repeated:
            return repeated
        text = expanded(self._grammar, theme, self._rng)
        return self._remember(theme, self._post(self._decorated(text), "en", moment))

    def _new(self, mood: str, moment: Moment) -> SamplePost:
        kind = self._rng.random()
        if kind < _OFF_TOPIC:
            text = self._noisy(expanded(OFF_TOPIC, mood, self._rng))
            return self._post(text, "en", moment)._replace(topic=None)
        if kind < _OFF_TOPIC + _OTHER_LANGUAGE:
            return self._foreign(mood, moment)
        symbol = mood
        if mood == "civil":
            if kind > 1 - _TWO_TOPICS * 1.4:
                symbol = self._rng.choice(CROSS[self._topic])
            elif kind > 0.82:
                symbol = "news"
        text = self._decorated(expanded(self._grammar, symbol, self._rng))
        return self._post(text, "en", moment)

    def _foreign(self, mood: str, moment: Moment) -> SamplePost:
        lang = self._rng.choice(list(OTHER_LANGUAGES))
        symbol = "rude" if mood == "rude" else "text"
        text = expanded(OTHER_LANGUAGES[lang], symbol, self._rng)
        text = f"{text} {self._rng.choice(TAGS[self._topic])}"
        if self._rng.random() < 0.4:
            text += f" {self._rng.choice(EMOJI)}"
        return self._post(text, None if self._rng.random() < _LANG_MISSING else lang, moment)

    def _post(self, text: str, lang: str | None, moment: Moment) -> SamplePost:
        rng = self._rng
        network = rng.choices(list(_NETWORKS), list(_NETWORKS.values()))[0]
        if lang == "en" and network in ("plain", "bluesky") and rng.random() < _LANG_MISSING:
            lang = None
        return SamplePost(*moment, network, self._author(), text, lang, self._topic)

    def _author(self) -> Author:
        # Few accounts write much: the square of a uniform number leans to the start of the list.
        return self._authors[int(self._rng.random() ** 2 * len(self._authors))]

    def _remember(self, mood: str, post: SamplePost) -> SamplePost:
        recent = self._recent.setdefault(mood, deque(maxlen=_RECENT))
        recent.append((post.created_at, post))
        return post

    def _repeat(self, mood: str, moment: Moment) -> SamplePost | None:
        """A retweet, a boost or a copy of something recent; what was repeated is so more often."""
        rng = self._rng
        recent = self._recent.setdefault(mood, deque(maxlen=_RECENT))
        while recent and recent[0][0] < moment.stamp - _FORGOTTEN_AFTER:
            recent.popleft()
        if not recent or rng.random() >= _REPEATED:
            return None
        original = rng.choice(recent)[1]
        recent.append((moment.stamp, original))
        network = original.network
        if network in _X:
            network = rng.choices(_X, [_NETWORKS[name] for name in _X])[0]
        passed_on = network in (*_X, "mastodon") and rng.random() < 0.85
        return original._replace(
            number=moment.number,
            created_at=moment.stamp,
            network=network,
            author=self._author(),
            original=original if passed_on else None,
        )

    def _decorated(self, text: str) -> str:
        """The text with what people add: mentions, tags, links, emoji; and surely on its topic."""
        rng = self._rng
        text = self._noisy(text)
        if rng.random() < 0.16:
            text = f"@{self._author().handle} {text}"
        if rng.random() < 0.14:
            text += f" https://news.example/{rng.randrange(16**6):06x}"
        if self._topic not in self._matcher.match(text) or rng.random() < 0.12:
            tag = rng.choice(TAGS[self._topic])
            text += "" if tag in text else f" {tag}"
        return text

    def _noisy(self, text: str) -> str:
        rng = self._rng
        if rng.random() < 0.2:
            text = text.lower()
        if rng.random() < 0.3:
            text = text.rstrip(".")
        if rng.random() < 0.04:
            at = rng.randrange(len(text) - 1)
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        if rng.random() < 0.05:
            text = text.replace(". ", "\n\n", 1)
        if rng.random() < 0.05:
            text = text.replace("!", "!!!").replace("so ", "sooo ")
        if rng.random() < 0.22:
            text += f" {rng.choice(EMOJI) * rng.choice((1, 1, 1, 2, 3))}"
        return text
