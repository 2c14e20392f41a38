import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.records import HOUR, UNSCORED, HourSummary, ScoredPost, Scores
from pipelines.transforms.hour_accumulator import EXAMPLE_POSTS, SAMPLE_POSTS, HourAccumulator


def post(
    native_id: int, toxicity: float | None, author: str | None = "a", text: str | None = "words"
) -> ScoredPost:
    scores = UNSCORED if toxicity is None else Scores(toxicity=toxicity, insult=toxicity / 2)
    return ScoredPost(
        "t", f"x:{native_id}", "x", author, text, "h", "en", 0, 0, 0, "m@1", "1", *scores
    )


def summary_of(*accumulators: HourAccumulator) -> HourSummary:
    merged = HourAccumulator(threshold=0.5)
    for accumulator in accumulators:
        merged.merge(accumulator)
    return merged.summary("t", 5 * HOUR, "m@1", revision=1, is_final=True, updated_at=0)


def accumulate(posts: list[ScoredPost]) -> HourAccumulator:
    accumulator = HourAccumulator(threshold=0.5)
    for one in posts:
        accumulator.add(one)
    return accumulator


def test_an_hour_by_hand() -> None:
    row = summary_of(
        accumulate(
            [
                post(1, 0.1, "ada"),
                post(2, 0.5, "bob"),
                post(3, 0.9, "ada"),
                post(4, None, "eve"),
                post(5, 0.3, None),
            ]
        )
    ).row
    assert (row.posts, row.posts_unscored, row.authors) == (5, 1, 3)
    assert row.mean_toxicity == pytest.approx(0.45, abs=1e-12)
    assert row.toxic_share == 0.5  # 0.5 and 0.9 of four scored ones
    assert row.p90_toxicity == 0.9  # the fourth of four
    assert row.mean_insult == pytest.approx(0.225, abs=1e-12)
    assert row.mean_threat is None


def test_an_hour_without_a_scored_post_has_no_means() -> None:
    row = summary_of(accumulate([post(1, None), post(2, None)])).row
    assert (row.posts, row.posts_unscored) == (2, 2)
    assert row.mean_toxicity is row.toxic_share is row.p90_toxicity is None


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 1_000_000)), max_size=200),
    st.randoms(use_true_random=False),
    st.integers(1, 5),
)
def test_order_and_bundles_change_nothing(
    micro_scores: list[int | None], shuffler: random.Random, bundles: int
) -> None:
    posts = [
        post(i, None if score is None else score / 1e6, f"a{i % 7}", f"text {i}")
        for i, score in enumerate(micro_scores)
    ]
    shuffled = list(posts)
    shuffler.shuffle(shuffled)
    parts = [accumulate(shuffled[i::bundles]) for i in range(bundles)]
    assert summary_of(*parts) == summary_of(accumulate(posts))


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=300))
def test_p90_is_within_a_step_of_the_nearest_rank(micro_scores: list[int]) -> None:
    row = summary_of(accumulate([post(i, s / 1e6) for i, s in enumerate(micro_scores)])).row
    exact = sorted(micro_scores)[math.ceil(0.9 * len(micro_scores)) - 1] / 1e6
    assert row.p90_toxicity is not None
    assert row.p90_toxicity <= exact + 1e-9 < row.p90_toxicity + 0.001 + 2e-9


def test_evidence_is_bounded_and_the_examples_are_the_most_toxic() -> None:
    posts = [post(i, i / 10_000, text="w" * 1000) for i in range(10_000)]
    summary = summary_of(accumulate(posts))
    assert len(summary.sample) == len(summary.toxic_sample) == SAMPLE_POSTS
    assert [example.post_id for example in summary.examples] == [
        f"x:{9_999 - i}" for i in range(EXAMPLE_POSTS)
    ]
    assert all((evidence.toxicity or 0) >= 0.5 for evidence in summary.toxic_sample)
    assert max(len(evidence.text) for evidence in summary.sample) <= 300
    # A uniform sample of 40 from 0..1 has mean 0.5 with a standard error of 0.046.
    mean = sum(evidence.toxicity or 0 for evidence in summary.sample) / SAMPLE_POSTS
    assert abs(mean - 0.5) < 0.2


def test_a_post_without_stored_text_counts_but_gives_no_evidence() -> None:
    summary = summary_of(accumulate([post(1, 0.9, text=None)]))
    assert summary.row.posts == 1
    assert summary.sample == summary.examples == ()
