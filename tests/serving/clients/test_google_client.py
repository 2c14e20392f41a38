"""google-api-python-client, which HELM, modelgauge and real-toxicity-prompts use."""

from __future__ import annotations

from typing import Any

import pytest
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from tests.serving.conftest import Process, ask


@pytest.fixture(scope="module")
def service(server: Process) -> Any:
    return discovery.build(
        "commentanalyzer",
        "v1alpha1",
        developerKey="any",
        discoveryServiceUrl=f"{server.url}/$discovery/rest?version=v1alpha1",
        static_discovery=False,
    )


def test_single_requests(service: Any) -> None:
    answer = service.comments().analyze(body=ask(spanAnnotations=True)).execute()
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.8
    masked = service.comments().analyze(body=ask(), fields="languages").execute()
    assert masked == {"languages": ["en"]}


def test_suggestions(service: Any) -> None:
    body = {
        "comment": {"text": "You are an idiot."},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1, "type": "PROBABILITY"}}},
        "clientToken": "t",
    }
    assert service.comments().suggestscore(body=body).execute()["clientToken"] == "t"


def test_errors(service: Any) -> None:
    with pytest.raises(HttpError) as caught:
        service.comments().analyze(body=ask("", "TOXICITY")).execute()
    assert caught.value.status_code == 400
    assert caught.value.reason == "Comment must be non-empty."
    assert caught.value.error_details[0]["errorType"] == "COMMENT_EMPTY"


def test_a_batch_of_25_with_its_errors(service: Any) -> None:
    texts = [f"You are an idiot, number {number}." for number in range(24)] + [""]
    answers: dict[str, Any] = {}
    batch = service.new_batch_http_request(
        callback=lambda ident, answer, error: answers.update({ident: answer or error})
    )
    for number, text in enumerate(texts):
        batch.add(service.comments().analyze(body=ask(text)), request_id=str(number))
    batch.execute()
    assert list(answers) == [str(number) for number in range(25)]
    for number in range(24):
        alone = service.comments().analyze(body=ask(texts[number])).execute()
        assert answers[str(number)] == alone
    assert isinstance(answers["24"], HttpError)
    assert answers["24"].reason == "Comment must be non-empty."


def test_a_batch_named_by_its_texts_as_helm_does(service: Any) -> None:
    texts = {
        "You are an idiot.",
        "Line\nbreaks\r\nand : signs; <here> + there",
        "emoji 😀 and words " * 200,
        "one-word-" * 500,
        "é" * 3_000,
    }
    answers: dict[str, Any] = {}

    def callback(ident: str, answer: Any, error: Any) -> None:
        if error:
            raise error
        answers[ident] = answer

    batch = service.new_batch_http_request()
    for text in texts:
        body = {
            "comment": {"text": text},
            "requestedAttributes": {"TOXICITY": {}, "THREAT": {}},
            "languages": ["en"],
            "spanAnnotations": True,
        }
        batch.add(service.comments().analyze(body=body), request_id=text, callback=callback)
    batch.execute()
    assert set(answers) == texts
    assert all(len(answer["attributeScores"]) == 2 for answer in answers.values())


def test_the_most_that_the_client_lets_a_batch_have(service: Any) -> None:
    answers: list[Any] = []
    batch = service.new_batch_http_request(
        callback=lambda ident, answer, error: answers.append(answer)
    )
    for number in range(1_000):
        batch.add(service.comments().analyze(body=ask(f"word {number % 50}")))
    batch.execute()
    assert len(answers) == 1_000 and all(answers)
