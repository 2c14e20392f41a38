"""Scoring in one batch what several bundles hold, each post left in its own window."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from apache_beam.transforms.window import IntervalWindow
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from mltox.posts.records import HOUR, SECOND, Post
from mltox.scoring import DEFAULT_BUNDLE
from pipelines.transforms import score
from pipelines.transforms.model import BATCH_POSTS, ModelKey
from pipelines.transforms.score import ScorePosts


def post(number: int) -> Post:
    moment = number * HOUR + number * SECOND
    return Post("t", f"x:{number}", "x", None, "good morning", "en", moment, moment)


def bundle(numbers: range) -> list[WindowedValue]:
    """What a bundle of posts, an hour each, gives; in a DoFn of its own, as in a runner's thread.
    It waits for ever for a batch that is not full."""
    scoring = ScorePosts(ModelKey(str(DEFAULT_BUNDLE), threads=1, batch_wait=600))
    scoring.setup()
    scoring.start_bundle()
    given: list[Any] = []
    for number in numbers:
        window = IntervalWindow(number * 3600, (number + 1) * 3600)
        moment = Timestamp(micros=post(number).created_at)
        given += scoring.process(post(number), moment, window)
    given += scoring.finish_bundle()
    return [each for each in given if isinstance(each, WindowedValue)]


def test_bundles_share_a_batch_and_each_post_keeps_its_time_and_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    original = score.score_batch

    def counted(scorer: Any, posts: Any) -> Any:
        sizes.append(len(posts))
        return original(scorer, posts)

    monkeypatch.setattr(score, "score_batch", counted)
    parts = [range(200), range(200, BATCH_POSTS)]
    with ThreadPoolExecutor(2) as threads:
        bundles = list(threads.map(bundle, parts, timeout=300))
    assert sizes == [BATCH_POSTS]
    for numbers, scored in zip(parts, bundles, strict=True):
        assert [each.value.post_id for each in scored] == [f"x:{number}" for number in numbers]
        for each in scored:
            assert each.timestamp.micros == each.value.created_at
            (window,) = each.windows
            assert window.start.micros <= each.value.created_at < window.end.micros
            assert each.value.toxicity is not None
