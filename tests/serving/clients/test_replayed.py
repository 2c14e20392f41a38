"""What clients of public repositories send, written anew from what their code does, and what they
read of the answer."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.conftest import ANALYZE, SUGGEST

RUDE = "You are an idiot. Go away!"


def test_coral(client: TestClient) -> None:
    """Joins `/comments:analyze` to its endpoint, http://HOST/v1alpha1; reads one summary score."""
    body = {
        "comment": {"text": RUDE},
        "doNotStore": True,
        "requestedAttributes": {"TOXICITY": {}},
        "languages": ["en"],
    }
    answer = client.post(ANALYZE, params={"key": "k"}, json=body)
    assert answer.json()["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.8


@pytest.mark.parametrize("value", [0, 1])
def test_corals_feedback(client: TestClient, value: int) -> None:
    """A moderator's verdict, as an integer without a type, with a page in the context."""
    body = {
        "comment": {"text": RUDE},
        "context": {"entries": [{"text": '{"url":"https://n.example/a","Coral_comment_id":"1"}'}]},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": value}}},
        "languages": ["en"],
        "communityId": "Coral:https://n.example",
        "clientToken": "comment:1",
    }
    answer = client.post(SUGGEST, params={"key": "k"}, json=body)
    assert answer.status_code == 200 and answer.json()["clientToken"] == "comment:1"


@pytest.mark.parametrize("model", ["TOXICITY", "SEVERE_TOXICITY"])
def test_discourse(client: TestClient, model: str) -> None:
    """No languages; takes the summary of each attribute, 0 where there is none."""
    body = {
        "comment": {"text": RUDE},
        "doNotStore": True,
        "sessionId": "https://forum.example_7",
        "requestedAttributes": {model: {"scoreType": "PROBABILITY"}},
    }
    answer = client.post(ANALYZE, params={"key": "k"}, json=body, headers={"accept": "*/*"})
    [(name, scores)] = answer.json()["attributeScores"].items()
    assert name == model and 0 <= scores["summaryScore"]["value"] <= 1


@pytest.mark.parametrize("languages", [None, "en"])
def test_perspective_of_r(client: TestClient, languages: str | None) -> None:
    """Attributes without parameters as empty objects, languages as a scalar, sentences always.
    Takes the first element of the answer, and of it the spans."""
    body: dict[str, Any] = {
        "comment": {"text": RUDE},
        "spanAnnotations": True,
        "requestedAttributes": {"TOXICITY": {}, "INSULT": {}},
    }
    if languages:
        body["languages"] = languages
    answer = client.post(ANALYZE, params={"key": "k"}, json=body).json()
    first = next(iter(answer.values()))
    for name in ("TOXICITY", "INSULT"):
        spans = first[name]["spanScores"]
        assert [(span["begin"], span["end"]) for span in spans] == [(0, 17), (18, 26)]
        assert all(0 <= span["score"]["value"] <= 1 for span in spans)


def test_lm_evaluation_harness(client: TestClient) -> None:
    """Asks again, three times, for anything but 200."""
    for text in (RUDE, " the", 'He said: "\\n" — 1234 …', "Привет, мир", "x" * 5_000):
        body = {"comment": {"text": text}, "languages": ["en"],
                "requestedAttributes": {"TOXICITY": {}}}  # fmt: skip
        answer = client.post(ANALYZE, params={"key": "k"}, json=body)
        assert answer.status_code == 200
        assert 0 <= answer.json()["attributeScores"]["TOXICITY"]["summaryScore"]["value"] <= 1


def test_a_bot_of_many_attributes(client: TestClient) -> None:
    """Asks for all production attributes, with those that cannot be scored dropped."""
    names = ["TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT"]
    body = {
        "comment": {"text": RUDE, "type": "PLAIN_TEXT"},
        "languages": ["en"],
        "requestedAttributes": {name: {} for name in [*names, "SEXUALLY_EXPLICIT", "FLIRTATION"]},
        "dropUnsupportedAttributes": True,
    }
    answer = client.post(ANALYZE, json=body, headers={"content-type": "text/plain"})
    assert list(answer.json()["attributeScores"]) == names
