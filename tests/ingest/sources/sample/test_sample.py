from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from ingest.sources.sample.grammar import expanded
from ingest.sources.sample.incidents import INCIDENTS
from ingest.sources.sample.rhythm import HOURS, poisson
from ingest.sources.sample.texts import CROSS, GRAMMARS, OFF_TOPIC, OTHER_LANGUAGES, TOPICS
from ingest.sources.sample.writing import DEFAULT_START, SampleInfo, write_sample
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope, Reject
from mltox.posts.formats import decode
from mltox.posts.reading.rows import read_rows
from mltox.posts.records import HOUR
from mltox.posts.topics import TopicMatcher, load_topics

START = int(DEFAULT_START.timestamp()) * 1_000_000
NOW = START + 60 * 24 * HOUR


class Sample(NamedTuple):
    info: SampleInfo
    posts: list[tuple[Envelope, tuple[str, ...]]]
    rejects: Counter[str]
    duplicates: int

    def hours(self, topic: str) -> Counter[int]:
        return Counter(
            (p.created_at - START) // HOUR for p, topics in self.posts if topic in topics
        )


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    info = write_sample(tmp_path_factory.mktemp("sample") / "posts.jsonl.gz")
    matcher = TopicMatcher(load_topics(info.topics_path))
    keys = AuthorKeys(b"a secret of the tests")
    posts: dict[str, tuple[Envelope, tuple[str, ...]]] = {}
    rejects: Counter[str] = Counter()
    duplicates = 0
    for row in read_rows(info.posts_path):
        (item,) = decode(row.payload, authors=keys, now=NOW)
        if isinstance(item, Reject):
            rejects[item.error_type] += 1
        elif item.post_id in posts:
            duplicates += 1
        else:
            topics = (*item.topics, *matcher.match(item.text, item.lang))
            posts[item.post_id] = (item, tuple(dict.fromkeys(topics)))
    return Sample(info, list(posts.values()), rejects, duplicates)


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    contents = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        info = write_sample(tmp_path / name / "posts.jsonl", seed=seed, posts=500)
        contents.append(info.posts_path.read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_every_row_is_what_the_sample_says_it_is(sample: Sample) -> None:
    assert sample.rejects == sample.info.rejects
    assert sample.duplicates == sample.info.duplicates
    assert len(sample.posts) + sample.duplicates + sample.rejects.total() == sample.info.rows


def test_its_size(sample: Sample) -> None:
    assert 23_000 < len(sample.posts) < 25_000
    distinct = len({post.text for post, _ in sample.posts})
    assert 10_500 < distinct < 12_500
    assert {post.source for post, _ in sample.posts} == {
        "x", "bluesky", "mastodon", "reddit", "file"
    }  # fmt: skip


def test_its_topics(sample: Sample) -> None:
    count = Counter(len(topics) for _, topics in sample.posts)
    assert set(count) == {0, 1, 2}
    assert 0.015 < count[0] / len(sample.posts) < 0.045
    assert 0.012 < count[2] / len(sample.posts) < 0.04
    for topic in TOPICS:
        assert sample.hours(topic.name).total() > 6_000


def test_its_languages(sample: Sample) -> None:
    langs = Counter(post.lang for post, _ in sample.posts)
    others = sum(n for lang, n in langs.items() if lang not in ("en", None))
    assert 0.04 < others / len(sample.posts) < 0.09
    assert set(OTHER_LANGUAGES) <= set(langs)
    assert langs[None] > 500


def test_its_texts_have_what_posts_have(sample: Sample) -> None:
    texts = [post.text for post, _ in sample.posts]
    for sign, least in (("#", 5_000), ("@", 2_000), ("https://", 1_000), ("&", 500),
                        ("RT @", 2_000), ("😂", 50), ("\n", 50)):  # fmt: skip
        assert sum(sign in text for text in texts) > least, sign
    assert not any("{" in text or "}" in text for text in texts)
    assert not any("&amp;" in text for text in texts)


def test_a_week_of_rhythm_comes_before_the_first_incident(sample: Sample) -> None:
    assert min(incident.start for incident in INCIDENTS) > 7 * 24
    for topic in TOPICS:
        hours = sample.hours(topic.name)
        first_week = [hours[h] for h in range(7 * 24)]
        nights = sum(first_week[day * 24 + h] for day in range(7) for h in (2, 3))
        evenings = sum(first_week[day * 24 + h] for day in range(7) for h in (17, 18))
        assert evenings > 4 * nights


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda i: f"{i.topic} {i.kind} {i.start}")
def test_an_incident_shows_in_the_posts(incident: object, sample: Sample) -> None:
    planted = next(i for i in INCIDENTS if i == incident)
    hours = sample.hours(planted.topic)
    inside = range(planted.start, planted.start + planted.hours)
    other_weeks = [
        hours[h + week * 168]
        for h in inside
        for week in (-3, -2, -1, 1, 2, 3)
        if 0 <= h + week * 168 < HOURS
    ]
    usual = sum(other_weeks) / len(other_weeks)
    seen = sum(hours[h] for h in inside) / planted.hours
    if planted.direction == "down":
        assert seen < 0.15 * usual
        return
    assert seen > 2 * usual
    themed = [
        any(term in post.text.lower() for term in planted.terms)
        for post, topics in sample.posts
        if planted.topic in topics and (post.created_at - START) // HOUR in inside
    ]
    assert sum(themed) > 0.5 * len(themed)


def test_the_theme_of_an_incident_is_rare_elsewhere(sample: Sample) -> None:
    for incident in INCIDENTS:
        tags = [term for term in incident.terms if term.startswith("#")]
        outside = [
            post
            for post, _ in sample.posts
            if any(tag in post.text.lower() for tag in tags)
            and not incident.strength((post.created_at - START) // HOUR)
        ]
        assert not outside


def test_the_side_file(sample: Sample) -> None:
    rows = json.loads(sample.info.incidents_path.read_text())
    assert len(rows) == len(INCIDENTS) >= 6
    names = {topic.name for topic in TOPICS}
    for row, incident in zip(rows, INCIDENTS, strict=True):
        start, end = (datetime.fromisoformat(row[key]) for key in ("start", "end"))
        assert start == DEFAULT_START + timedelta(hours=incident.start)
        assert end - start == timedelta(hours=incident.hours)
        assert row["topic"] in names
        assert row["metric"] in ("posts", "mean_toxicity", "toxic_share")


def test_the_rows_are_nearly_in_order(sample: Sample) -> None:
    stamps = [post.created_at for post, _ in sample.posts]
    late = [max(0, before - after) for before, after in pairwise(stamps)]
    assert 0 < max(late) <= 180 * 1_000_000
    assert sum(delay > 0 for delay in late) > 100


def test_a_given_start(tmp_path: Path) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    info = write_sample(tmp_path / "posts.jsonl", posts=400, start=start)
    assert json.loads(info.incidents_path.read_text())[0]["start"] == "2024-01-11T19:00:00Z"


@pytest.mark.parametrize(
    "start",
    [
        datetime(2024, 1, 1),
        datetime(2024, 1, 2, tzinfo=UTC),
        datetime(2024, 1, 1, 1, tzinfo=UTC),
    ],
)
def test_another_start_is_refused(start: datetime, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Monday"):
        write_sample(tmp_path / "posts.jsonl", start=start)


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 2_000.0])
def test_poisson_has_its_mean_and_variance(mean: float) -> None:
    rng = Random(3)
    size = 4_000 if mean < 100 else 400
    draws = [poisson(mean, rng) for _ in range(size)]
    seen = sum(draws) / size
    variance = sum((draw - seen) ** 2 for draw in draws) / size
    assert seen == pytest.approx(mean, abs=4 * (mean / size) ** 0.5 + 1e-9)
    assert variance == pytest.approx(mean, rel=0.25, abs=0.05)


def test_every_symbol_of_every_grammar_can_be_expanded() -> None:
    rng = Random(1)
    for grammar in (*GRAMMARS.values(), OFF_TOPIC, *OTHER_LANGUAGES.values()):
        for symbol in grammar:
            for _ in range(30):
                assert "{" not in expanded(grammar, symbol, rng)
    for topic, symbols in CROSS.items():
        assert set(symbols) <= set(GRAMMARS[topic])


def test_sentences_begin_with_a_capital_letter() -> None:
    grammar = {"text": ["{a}. {a}!"], "a": ["one two"]}
    assert expanded(grammar, "text", Random(1)) == "One two. One two!"
