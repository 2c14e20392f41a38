from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.sources.sample.scene import Scene
from ingest.sources.sample.writing import recent_start
from tests.ingest.sources.contract import Case, SourceContract, posts_of


class TestContract(SourceContract):
    @pytest.fixture(scope="class")
    def case(self) -> Case:
        start = recent_start(datetime.now(UTC))
        rows = Scene(7, 300, int(start.timestamp()) * 1_000_000).lines()
        ids = list(dict.fromkeys(posts_of(rows)))
        return Case("sample", ["--posts", "300", "--seed", "7"], ids)


def test_the_sample_covers_the_last_four_whole_weeks() -> None:
    sunday = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    assert recent_start(sunday) == datetime(2026, 1, 26, tzinfo=UTC)
    assert recent_start(monday) == datetime(2026, 2, 2, tzinfo=UTC)
