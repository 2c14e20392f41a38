"""A post on which the model fails, and a model that fails on any."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from mltox.posts.envelope import Reject
from mltox.posts.records import UNSCORED, Post, ScoredPost, Scores
from mltox.scoring import Scorer
from pipelines.transforms.score import ModelError, score_batch

Answer = Callable[[Sequence[str]], Sequence[Scores]]


class Model:
    """A scorer that answers as it is told."""

    model, model_sha256 = "m@1", "1"

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def score(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Scores]:
        assert len(texts) == len(langs)
        return list(self._answer(texts))


def fine(texts: Sequence[str]) -> list[Scores]:
    return [Scores(toxicity=0.25) for _ in texts]


def scored(answer: Answer, posts: Sequence[Post]) -> list[ScoredPost | Reject]:
    return score_batch(cast(Scorer, Model(answer)), posts)


def posts(*texts: str) -> list[Post]:
    return [Post("t", f"x:{n}", "x", None, text, "en", 1, 1) for n, text in enumerate(texts)]


def raises_at(word: str, error: BaseException) -> Answer:
    def answer(texts: Sequence[str]) -> list[Scores]:
        if any(word in text for text in texts):
            raise error
        return fine(texts)

    return answer


def nan_at(word: str) -> Answer:
    def answer(texts: Sequence[str]) -> list[Scores]:
        return [Scores(toxicity=float("nan") if word in text else 0.25) for text in texts]

    return answer


def one_less_at(word: str) -> Answer:
    def answer(texts: Sequence[str]) -> list[Scores]:
        return fine([text for text in texts if word not in text])

    return answer


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raises_at("poison", RuntimeError("bad shape")), "RuntimeError: bad shape"),
        (raises_at("poison", MemoryError("this text alone")), "MemoryError: this text alone"),
        (nan_at("poison"), "ValueError: the model gave a score that is no number"),
        (one_less_at("poison"), "ValueError: the model gave 0 scores for 1 texts"),
    ],
    ids=["it raises", "no memory for one", "no number", "no score"],
)
@pytest.mark.parametrize("count", [1, 2, 37, 512])
def test_one_bad_post_is_a_dead_letter_and_takes_no_other_with_it(
    answer: Answer, reason: str, count: int
) -> None:
    batch = posts(*("fine" for _ in range(count - 1)), "poison")
    *others, last = scored(answer, batch)
    assert all(isinstance(each, ScoredPost) and each.toxicity == 0.25 for each in others)
    assert [cast(Any, each).post_id for each in others] == [post.post_id for post in batch[:-1]]
    assert isinstance(last, Reject)
    assert (last.error_type, last.message) == ("scoring_failed", reason)
    assert last.post_id == batch[-1].post_id and '"poison"' in last.payload


def test_bad_posts_alone_are_dead_letters() -> None:
    results = scored(raises_at("poison", RuntimeError("bad shape")), posts(*["poison"] * 5))
    assert [type(each) for each in results] == [Reject] * 5


@pytest.mark.parametrize(
    "answer",
    [
        raises_at("", RuntimeError("CUDA out of memory")),
        raises_at("", MemoryError()),
        raises_at("", OSError(5, "Input/output error")),
        nan_at(""),
        one_less_at(""),
    ],
    ids=["CUDA", "memory", "disk", "no number", "no score"],
)
@pytest.mark.parametrize("count", [1, 512])
def test_a_model_that_fails_on_anything_raises_once_and_says_so(
    answer: Answer, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    """No letters: with --store_text none the texts would be lost with them."""
    with caplog.at_level(logging.ERROR), pytest.raises(ModelError, match="m@1 fails on any text"):
        scored(answer, posts(*["a secret"] * count))
    (record,) = caplog.records
    assert f"{count} posts wait" in record.getMessage()
    assert "a secret" not in record.getMessage()


def test_a_batch_too_large_for_the_device_is_scored_in_parts() -> None:
    def answer(texts: Sequence[str]) -> list[Scores]:
        if len(texts) > 100:
            raise RuntimeError("CUDA out of memory")
        return fine(texts)

    assert all(isinstance(each, ScoredPost) for each in scored(answer, posts(*["fine"] * 512)))


def test_a_post_that_is_not_scored_is_no_failure() -> None:
    (result,) = scored(lambda texts: [UNSCORED for _ in texts], posts("guten Morgen"))
    assert isinstance(result, ScoredPost) and result.toxicity is None
