"""Each distinct text is scored once, whatever its copies, its languages and earlier runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.envelope import Reject
from mltox.posts.records import UNSCORED, Post, ScoredPost, Scores, TextScore
from mltox.scoring import Scorer
from mltox.warehouse import open_warehouse
from pipelines.transforms import score_once
from pipelines.transforms.known import Known, KnownAnywhere, KnownHere
from pipelines.transforms.score import text_sha256
from pipelines.transforms.score_once import TextMemory, shard_of

MODEL = "1" * 64


class Model:
    """Scores a text by its length, knows English alone, and fails on what says `poison`."""

    model, model_sha256 = "m@1", MODEL

    def __init__(self) -> None:
        self.asked: list[str] = []

    def reads(self, text: str, lang: str | None) -> bool:
        return lang in (None, "en")

    def score(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Scores]:
        if any("poison" in text for text in texts):
            raise ValueError("no such text")
        read = [self.reads(*pair) for pair in zip(texts, langs, strict=True)]
        self.asked += [text for text, is_read in zip(texts, read, strict=True) if is_read]
        return [
            Scores(toxicity=len(text) / 100) if is_read else UNSCORED
            for text, is_read in zip(texts, read, strict=True)
        ]


class Told:
    """What earlier runs know, and what they were asked."""

    def __init__(self, scores: Mapping[str, Scores]) -> None:
        self.scores = scores
        self.asked: list[str] = []

    def of(self, model_sha256: str, hashes: Collection[str]) -> Mapping[str, Scores]:
        assert model_sha256 == MODEL
        self.asked += sorted(hashes)
        return {each: self.scores[each] for each in hashes if each in self.scores}


def posts(*texts: str, lang: str | None = "en") -> list[Post]:
    return [Post("t", f"x:{n}", "x", None, text, lang, 1, 1) for n, text in enumerate(texts)]


def toxicities(results: Sequence[ScoredPost | Reject]) -> list[float | str | None]:
    return [r.error_type if isinstance(r, Reject) else r.toxicity for r in results]


def memory_of(model: Model, known: Known | None = None) -> tuple[TextMemory, Scorer]:
    return TextMemory(known), cast(Scorer, model)


def test_copies_cost_the_model_nothing() -> None:
    model = Model()
    memory, scorer = memory_of(model)
    first = memory.score(scorer, posts("a", "bb", "a"))
    second = memory.score(scorer, posts("bb", "ccc"))
    assert toxicities(first.results) == [0.01, 0.02, 0.01]
    assert toxicities(second.results) == [0.02, 0.03]
    assert model.asked == ["a", "bb", "ccc"]
    assert [score.text_sha256 for score in (*first.new, *second.new)] == [
        text_sha256(text) for text in ("a", "bb", "ccc")
    ]


def test_what_an_earlier_run_said_is_not_asked_again_nor_written_again() -> None:
    model, told = Model(), Told({text_sha256("bb"): Scores(toxicity=0.5)})
    memory, scorer = memory_of(model, told)
    found = memory.score(scorer, posts("a", "bb", "bb"))
    assert toxicities(found.results) == [0.01, 0.5, 0.5]
    assert (model.asked, found.known) == (["a"], 1)
    assert [score.text_sha256 for score in found.new] == [text_sha256("a")]
    memory.score(scorer, posts("bb", "a"))
    assert len(told.asked) == 2, "each text is looked up once"


@pytest.mark.parametrize("known_before", [False, True])
def test_a_known_text_in_another_language_stays_unscored(known_before: bool) -> None:
    """A score is of a text, and whether it counts is of the post."""
    model = Model()
    told = Told({text_sha256("a"): Scores(toxicity=0.01)} if known_before else {})
    memory, scorer = memory_of(model, told)
    mixed = [*posts("a", lang="de"), *posts("a"), *posts("a", lang="de"), *posts("a", lang=None)]
    found = memory.score(scorer, mixed)
    assert toxicities(found.results) == [None, 0.01, None, 0.01]
    assert len(found.new) == (0 if known_before else 1)


def test_every_post_of_a_text_that_fails_is_a_letter_of_its_own() -> None:
    memory, scorer = memory_of(Model())
    found = memory.score(scorer, posts("poison", "a", "poison"))
    assert toxicities(found.results) == ["scoring_failed", 0.01, "scoring_failed"]
    letters = [result for result in found.results if isinstance(result, Reject)]
    assert [letter.post_id for letter in letters] == ["x:0", "x:2"]
    assert [score.text_sha256 for score in found.new] == [text_sha256("a")]


@given(st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), max_size=30), st.integers(1, 7))
def test_any_split_gives_the_same_scores(texts: list[str], size: int) -> None:
    model = Model()
    memory, scorer = memory_of(model)
    results: list[ScoredPost | Reject] = []
    for begin in range(0, len(texts), size):
        results += memory.score(scorer, posts(*texts[begin : begin + size])).results
    assert toxicities(results) == [len(text) / 100 for text in texts]
    assert len(model.asked) == len(set(texts))


def test_copies_of_a_text_go_to_one_shard_whatever_else_they_are() -> None:
    one, other = posts("the same", "the same")
    assert shard_of(one) == shard_of(other._replace(topic="u", created_at=10**15, lang="de"))


@pytest.mark.parametrize("scheme", ["{}/w.duckdb", "parquet://{}/w"])
@pytest.mark.parametrize("ask", [KnownHere, KnownAnywhere])
def test_scores_are_found_of_the_same_model_alone(
    tmp_path: Path, scheme: str, ask: type[KnownHere | KnownAnywhere]
) -> None:
    uri = scheme.format(tmp_path)
    texts = [f"text {number}" for number in range(300)]
    rows = [
        TextScore(text_sha256(text), model, toxicity, *[None] * 6)
        for model, toxicity in ((MODEL, 0.25), ("2" * 64, 0.75))
        for text in texts
    ]
    with open_warehouse(uri) as warehouse:
        warehouse.create()
        warehouse.upsert("text_scores", rows)
    hashes = [text_sha256(text) for text in (*texts[:200], "never seen")]
    found = ask(uri).of(MODEL, hashes)
    assert found == {each: Scores(toxicity=0.25) for each in hashes[:200]}
    assert ask(uri).of("3" * 64, hashes) == {}
    assert ask(uri).of(MODEL, []) == {}


def test_a_bundle_of_more_texts_than_are_remembered_loses_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(score_once, "REMEMBERED", 3)
    model = Model()
    memory, scorer = memory_of(model)
    memory.score(scorer, posts("a", "bb", "ccc"))
    found = memory.score(scorer, posts("a", "dddd", "eeeee", "a"))
    assert toxicities(found.results) == [0.01, 0.04, 0.05, 0.01]


def test_a_known_text_is_not_lost_to_those_that_are_looked_up_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(score_once, "REMEMBERED", 3)
    texts = ["a", "bb", "ccc", "dddd", "eeeee"]
    told = Told({text_sha256(text): Scores(toxicity=len(text) / 10) for text in texts})
    model = Model()
    memory, scorer = memory_of(model, told)
    memory.score(scorer, posts(*texts[:3]))
    found = memory.score(scorer, posts("a", "dddd", "eeeee"))
    assert toxicities(found.results) == [0.1, 0.4, 0.5]
    assert model.asked == []
