"""comments:suggestscore: accepted, and kept where that is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.engine import Engine
from serving.feedback import FeedbackError, open_feedback
from tests.serving.conftest import SUGGEST, serving

CORAL: dict[str, Any] = {
    "comment": {"text": "You are an idiot."},
    "context": {"entries": [{"text": '{"url": "https://news.example/1", "id": "c1"}'}]},
    "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
    "languages": ["en"],
    "communityId": "Coral:https://news.example",
    "clientToken": "comment:c1",
    "sessionId": "user 7",
}


def test_a_suggestion_is_accepted(client: TestClient) -> None:
    answer = client.post(SUGGEST, json=CORAL)
    assert answer.status_code == 200
    assert answer.json()["detectedLanguages"][0] == "en"
    assert answer.json() | {"detectedLanguages": ["en"]} == {
        "detectedLanguages": ["en"],
        "clientToken": "comment:c1",
        "requestedLanguages": ["en"],
    }


def test_languages_are_detected_where_none_is_given(client: TestClient) -> None:
    body = {name: value for name, value in CORAL.items() if name != "languages"}
    answer = client.post(SUGGEST, json=body).json()
    assert answer["detectedLanguages"][0] == "en" and "requestedLanguages" not in answer


@pytest.mark.parametrize("missing", ["comment", "attributeScores"])
def test_what_is_needed(client: TestClient, missing: str) -> None:
    body = {name: value for name, value in CORAL.items() if name != missing}
    assert client.post(SUGGEST, json=body).status_code == 400
    assert client.post(SUGGEST, json=body | {missing: {}}).status_code == 400


def test_a_file_keeps_what_is_judged_and_nothing_of_who_wrote_it(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "suggested.jsonl"
    with serving(engine, feedback=str(file)) as client:
        for _ in range(2):
            assert client.post(SUGGEST, json=CORAL).status_code == 200
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 2
    assert lines[0].pop("received_at").endswith("+00:00")
    assert lines[0] == {
        "comment": {"text": "You are an idiot."},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
        "languages": ["en"],
        "communityId": "Coral:https://news.example",
        "clientToken": "comment:c1",
    }
    assert file.stat().st_mode & 0o077 == 0


def test_a_suggestion_that_cannot_be_kept_is_told(engine: Engine) -> None:
    with serving(engine, feedback="/dev/full") as client:
        answer = client.post(SUGGEST, json=CORAL)
        assert answer.status_code == 503
        assert answer.json()["error"]["status"] == "UNAVAILABLE"


@pytest.mark.parametrize("target", ["/no/such/folder/file", "pubsub:topic"])
def test_a_place_that_cannot_be_had(target: str) -> None:
    with pytest.raises(FeedbackError):
        open_feedback(target)
