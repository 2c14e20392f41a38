"""What is answered, in the order of keys that clients rely on.

peRspective (R) takes the first element of the answer without looking at its name, so
`attributeScores` comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from serving.contract.requests import AnalyzeRequest, SuggestRequest, Wanted


class SpanScores(NamedTuple):
    """Scores of attributes, by name, for a span in UTF-16 code units."""

    begin: int
    end: int
    values: Mapping[str, float]


def analyze_answer(
    request: AnalyzeRequest,
    wanted: Sequence[Wanted],
    summary: Mapping[str, float],
    spans: Sequence[SpanScores],
    detected: Sequence[str],
) -> dict[str, Any]:
    """`wanted` are the attributes that can be scored, `summary` their scores by name."""
    scores = {
        attribute.asked: {
            "spanScores": [
                {"begin": begin, "end": end, "score": _score(values[attribute.name])}
                for begin, end, values in spans
            ],
            "summaryScore": _score(summary[attribute.name]),
        }
        for attribute, threshold in wanted
        if summary[attribute.name] >= threshold
    }
    answer: dict[str, Any] = {"attributeScores": scores} if scores else {}
    answer["languages"] = list(request.languages or detected[:1])
    answer["detectedLanguages"] = list(detected)
    if request.client_token is not None:
        answer["clientToken"] = request.client_token
    return answer


def suggest_answer(request: SuggestRequest, detected: Sequence[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {"detectedLanguages": list(detected)}
    if request.client_token is not None:
        answer["clientToken"] = request.client_token
    if request.languages:
        answer["requestedLanguages"] = list(request.languages)
    return answer


def _score(value: float) -> dict[str, Any]:
    return {"value": value, "type": "PROBABILITY"}
