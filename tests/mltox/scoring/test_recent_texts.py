"""How many texts a scorer remembers the scores of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from mltox.posts.records import Scores
from mltox.scoring import Scorer


@pytest.mark.parametrize(
    ("size", "inferred"),
    [
        (0, [["a"], ["b"], ["a"], ["c"], ["a"], ["b"]]),
        (1, [["a"], ["b"], ["a"], ["c"], ["a"], ["b"]]),
        (2, [["a"], ["b"], ["c"], ["b"]]),
        (3, [["a"], ["b"], ["c"]]),
    ],
)
def test_what_was_used_longest_ago_is_forgotten_first(
    size: int, inferred: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = Scorer(threads=1, cache_size=size)
    original, asked = scorer._infer, list[list[str]]()

    def counted(texts: Sequence[str]) -> Iterable[Scores]:
        if texts:
            asked.append([text[-1] for text in texts])
        return original(texts)

    monkeypatch.setattr(scorer, "_infer", counted)
    scores: dict[str, Scores] = {}
    for letter in "abacab":
        (found,) = scorer.score([f"good morning {letter}"], ["en"])
        assert scores.setdefault(letter, found) == found
    assert asked == inferred
