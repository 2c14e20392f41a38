"""Rows of the views with all that a test does not care about filled in."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboards.queries import Day, ExamplePost, Hour
from mltox.posts.records import HOUR, Anomaly


@pytest.fixture
def anomaly() -> Callable[..., Anomaly]:
    default = Anomaly(
        topic="politics",
        hour=0,
        metric="mean_toxicity",
        observed=0.3,
        expected=0.1,
        lower=0.05,
        upper=0.15,
        score=5.0,
        severity="warning",
        direction="up",
        detector="seasonal_1h",
        status="open",
        terms=("resign",),
        example_post_ids=("x:1",),
        explained_share=0.4,
        updated_at=0,
    )

    def make(**fields: Any) -> Anomaly:
        return default._replace(**fields)

    return make


@pytest.fixture
def hour() -> Callable[..., Hour]:
    def make(at: int, posts: int = 10, share: float | None = 0.1, unscored: int = 0) -> Hour:
        return Hour("politics", at * HOUR, posts, unscored, share, share)

    return make


@pytest.fixture
def day() -> Callable[..., Day]:
    def make(at: int, posts: int = 10, share: float | None = 0.1) -> Day:
        return Day("politics", at, posts, 0, share, share)

    return make


@pytest.fixture
def example() -> Callable[..., ExamplePost]:
    default = ExamplePost("politics", 0, "mean_toxicity", 1, "x:1", "You fool", 0.8, "x", 0)

    def make(**fields: Any) -> ExamplePost:
        return default._replace(**fields)

    return make
