"""Every refusal of the contract, with the body that clients read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.engine import Engine
from tests.serving.conftest import ANALYZE, SUGGEST, ask, serving

FRENCH = "Ceci est une phrase française tout à fait ordinaire, sans aucune insulte."
ANALYZER = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"


def refusal(client: TestClient, body: Any, code: int = 400, path: str = ANALYZE) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(path, content=content)
    assert answer.status_code == code, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == code
    assert error["details"]
    return error


def typed(**attribute: Any) -> dict[str, Any]:
    return {"comment": {"text": "a comment"}, "requestedAttributes": {"TOXICITY": attribute}}


@pytest.mark.parametrize(
    ("body", "message", "error_type"),
    [
        (b"", "Comment must be non-empty.", "COMMENT_EMPTY"),
        ({}, "Comment must be non-empty.", "COMMENT_EMPTY"),
        (ask(""), "Comment must be non-empty.", "COMMENT_EMPTY"),
        (ask(" \n\u3000"), "Comment must be non-empty.", "COMMENT_EMPTY"),
        (ask("a" * 20_481), "Comment text too long.", "COMMENT_TOO_LONG"),
        (ask("😀" * 5_121), "Comment text too long.", "COMMENT_TOO_LONG"),
        ({"comment": {"text": "a"}}, "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
        ({"comment": {"text": "a"}, "requestedAttributes": {}},
         "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
        (ask("a", "NONSENSE"), "Unknown requested attribute: NONSENSE", "INVALID_REQUEST"),
        (ask("a", "FLIRTATION"), "Unknown requested attribute: FLIRTATION", "INVALID_REQUEST"),
        (ask("a", "toxicity"), "Unknown requested attribute: toxicity", "INVALID_REQUEST"),
        (ask("a", "SEXUALLY_EXPLICIT"), "Unknown requested attribute: SEXUALLY_EXPLICIT",
         "INVALID_REQUEST"),
        (typed(scoreType="RAW"),
         "Requested score type RAW is not supported by attribute TOXICITY", "INVALID_REQUEST"),
        ({"comment": {"text": "a", "type": "HTML"}, "requestedAttributes": {"TOXICITY": {}}},
         "Currently, only 'PLAIN_TEXT' comments are supported", "INVALID_REQUEST"),
        (typed(scoreThreshold=1.5),
         "score_threshold of attribute TOXICITY must be between 0 and 1", "INVALID_REQUEST"),
        (ask("a", context={"entries": [], "articleAndParentComment": {}}),
         "Only one of context.entries and context.article_and_parent_comment may be given",
         "INVALID_REQUEST"),
        (ask("12345 :-) 😀"), "Unable to detect language", "LANGUAGE_DETECTION_FAILED"),
    ],
)  # fmt: skip
def test_refusals(client: TestClient, body: Any, message: str, error_type: str) -> None:
    error = refusal(client, body)
    assert error["message"] == message
    assert error["status"] == "INVALID_ARGUMENT"
    assert error["details"] == [{"@type": ANALYZER, "errorType": error_type}]


@pytest.mark.parametrize(
    ("languages", "named"),
    [
        ("fr", "fr"),
        (["en", "fr"], "fr"),
        (["pt-BR"], "pt-BR"),
        (["und"], "und"),
        ("", "und"),
        (["xx"], "xx"),
    ],
)
def test_a_language_that_an_attribute_lacks(client: TestClient, languages: Any, named: str) -> None:
    error = refusal(client, ask("a comment", "INSULT", "TOXICITY", languages=languages))
    assert error["message"] == f"Attribute INSULT does not support request languages: {named}"
    [detail] = error["details"]
    assert detail["errorType"] == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
    asked = [languages] if isinstance(languages, str) else languages
    assert detail["languageNotSupportedByAttributeError"] == {
        "requestedLanguages": asked,
        "attribute": "INSULT",
    }


def test_a_language_that_was_detected(client: TestClient) -> None:
    error = refusal(client, ask(FRENCH))
    assert error["message"] == "Attribute TOXICITY does not support request languages: fr"
    inner = error["details"][0]["languageNotSupportedByAttributeError"]
    assert inner["attribute"] == "TOXICITY"
    assert inner["detectedLanguages"][0] == "fr"


def test_asking_again_without_the_named_attribute_ends(client: TestClient) -> None:
    """Clients drop what an error names until there is nothing left to ask for."""
    body = ask(FRENCH, "TOXICITY", "INSULT", "THREAT")
    for left in (3, 2, 1):
        assert len(body["requestedAttributes"]) == left
        name = refusal(client, body)["message"].split()[1]
        del body["requestedAttributes"][name]
    assert refusal(client, body)["message"] == "Missing requested_attributes"


def test_what_an_error_repeats_is_short(client: TestClient) -> None:
    for body in (
        ask("a", "A" * 100_000),
        ask("a", languages=["x" * 100_000]),
        {"x" * 100_000: 1},
        typed(scoreType="R" * 100_000),
        {"comment": {"text": "a"}, "requestedAttributes": {"Y" * 100_000: 5}},
    ):
        assert len(json.dumps(refusal(client, body))) < 1_000


def test_no_such_place(client: TestClient) -> None:
    assert refusal(client, b"", 404, "/v1/comments:analyze")["status"] == "NOT_FOUND"
    answer = client.get(ANALYZE)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"]["details"]


def test_bodies_that_are_too_large_or_encoded(client: TestClient) -> None:
    assert refusal(client, b"[" * 1_100_000, 413)["status"] == "INVALID_ARGUMENT"
    answer = client.post(ANALYZE, content=b"x", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


def test_keys(engine: Engine) -> None:
    with serving(engine, keys=("good-key", "other-key")) as client:
        ways: list[dict[str, Any]] = [
            {"params": {"key": "other-key"}},
            {"headers": {"x-goog-api-key": "good-key"}},
            {"headers": {"authorization": "Bearer good-key"}},
        ]
        for given in ways:
            assert client.post(ANALYZE, json=ask(), **given).status_code == 200
        for wrong in ("bad-key", "good-ke", "good-key ", "é"):
            answer = client.post(ANALYZE, json=ask(), params={"key": wrong})
            error = answer.json()["error"]
            assert (answer.status_code, error["message"]) == (
                400,
                "API key not valid. Please pass a valid API key.",
            )
            assert error["details"][0]["reason"] == "API_KEY_INVALID"
        assert client.post(ANALYZE, json=ask()).status_code == 403
        assert client.post(SUGGEST, json=ask()).status_code == 403
        discovery = "/$discovery/rest?version=v1alpha1"
        assert client.get(discovery).status_code == 200
        assert client.get(discovery + "&key=bad-key").status_code == 400
        assert client.get("/healthz").status_code == 200


def test_a_key_is_asked_for_before_anything_else(engine: Engine) -> None:
    with serving(engine, keys=("k",)) as client:
        answer = client.post(ANALYZE, content=b"", params={"key": "bad"})
        assert answer.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
