from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.contract.errors import Refusal
from serving.contract.field_mask import parse_mask, select
from serving.contract.messages import ANALYZE_ANSWER

ANSWER: dict[str, Any] = {
    "attributeScores": {
        "TOXICITY": {"summaryScore": {"value": 0.9}, "spanScores": [{"begin": 0, "end": 3}]},
        "INSULT": {"summaryScore": {"value": 0.8}, "spanScores": [{"begin": 0, "end": 3}]},
    },
    "languages": ["en"],
    "clientToken": "a",
}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("languages", {"languages": ["en"]}),
        ("languages, clientToken", {"languages": ["en"], "clientToken": "a"}),
        ("*", ANSWER),
        ("attributeScores", {"attributeScores": ANSWER["attributeScores"]}),
        (
            "attributeScores/TOXICITY/summaryScore/value",
            {"attributeScores": {"TOXICITY": {"summaryScore": {"value": 0.9}}}},
        ),
        (
            "attributeScores(INSULT/spanScores(end)),languages",
            {"attributeScores": {"INSULT": {"spanScores": [{"end": 3}]}}, "languages": ["en"]},
        ),
        (
            "attributeScores/*/summaryScore",
            {
                "attributeScores": {
                    name: {"summaryScore": scores["summaryScore"]}
                    for name, scores in ANSWER["attributeScores"].items()
                }
            },
        ),
        ("attributeScores,attributeScores/INSULT", {"attributeScores": ANSWER["attributeScores"]}),
        ("attributeScores/THREAT", {"attributeScores": {}}),
    ],
)
def test_parts_of_an_answer(fields: str, found: object) -> None:
    assert select(ANSWER, parse_mask(fields, ANALYZE_ANSWER)) == found


@pytest.mark.parametrize(
    "fields",
    ["score", "languages/x", "attributeScores/TOXICITY/value", "a(", "languages)", "languages,",
     "/languages", "(", "languages;clientToken", "a" * 3_000, "(" * 1_000, "attributeScores/" * 99],
)  # fmt: skip
def test_what_selects_nothing_that_there_is(fields: str) -> None:
    with pytest.raises(Refusal, match="Invalid field selection"):
        parse_mask(fields, ANALYZE_ANSWER)


@given(st.text(alphabet="ab,/()*. attributeScores", max_size=40))
def test_any_mask_is_one_or_refused(fields: str) -> None:
    try:
        select(ANSWER, parse_mask(fields, ANALYZE_ANSWER))
    except Refusal as refusal:
        assert refusal.code == 400
