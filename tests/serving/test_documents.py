"""What the server says of itself."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from serving.engine import Engine
from tests.serving.conftest import ANALYZE, SUGGEST, ask, serving
from tests.serving.test_feedback import CORAL


def test_discovery_names_the_servers_own_address(client: TestClient) -> None:
    found = client.get("/$discovery/rest", params={"version": "v1alpha1"}).json()
    assert found["rootUrl"] == found["baseUrl"] == "http://testserver/"
    assert found["batchPath"] == "batch"
    methods = found["resources"]["comments"]["methods"]
    assert {name: method["path"] for name, method in methods.items()} == {
        "analyze": "v1alpha1/comments:analyze",
        "suggestscore": "v1alpha1/comments:suggestscore",
    }
    for method in methods.values():
        assert method["request"]["$ref"] in found["schemas"]
        assert method["scopes"]
    assert client.get("/$discovery/rest", params={"version": "v2"}).status_code == 404


def test_a_public_address_is_named_instead(engine: Engine) -> None:
    with serving(engine, public_url="https://scores.example/") as client:
        found = client.get("/$discovery/rest?version=v1alpha1").json()
        assert found["rootUrl"] == "https://scores.example/"
        assert client.get("/openapi.json").json()["servers"] == [{"url": "https://scores.example"}]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (ANALYZE, ask("a comment", "TOXICITY", clientToken="t"), "AnalyzeCommentResponse"),
        (ANALYZE, ask("One. Two.", "INSULT", spanAnnotations=True), "AnalyzeCommentResponse"),
        (SUGGEST, CORAL, "SuggestCommentScoreResponse"),
        (ANALYZE, ask(""), "Error"),
    ],
)
def test_answers_are_what_openapi_says(
    client: TestClient, path: str, body: dict[str, Any], message: str
) -> None:
    document = client.get("/openapi.json").json()
    schema = {"$ref": f"#/components/schemas/{message}", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(client.post(path, json=body).json())


def test_health(client: TestClient, engine: Engine) -> None:
    found = client.get("/healthz").json()
    assert found["status"] == "ok"
    assert found["model"] == engine.model
    assert found["attributes"]["TOXICITY"] == f"{engine.sha256[:12]}-model"
    pinned = ask("a comment", f"TOXICITY@{found['attributes']['TOXICITY']}")
    assert client.post(ANALYZE, json=pinned).status_code == 200


def test_metrics_count_and_hold_no_text(client: TestClient) -> None:
    client.post(ANALYZE, json=ask("some secret words", clientToken="secret token"))
    client.post(ANALYZE, json=ask("", "TOXICITY"))
    page = client.get("/metrics").text
    assert 'mltox_requests_total{code="200",method="analyze"} 1.0' in page
    assert 'mltox_refused_total{reason="COMMENT_EMPTY"} 1.0' in page
    assert 'mltox_request_seconds_count{method="analyze"} 2.0' in page
    assert "mltox_batch_texts_count 1.0" in page
    assert "mltox_waiting_texts 0.0" in page
    assert "secret" not in page


def test_browsers_of_one_origin_may_be_let_in(engine: Engine) -> None:
    origin = {"origin": "https://news.example"}
    asked = {**origin, "access-control-request-method": "POST",
             "access-control-request-headers": "content-type"}  # fmt: skip
    with serving(engine, origins=["https://news.example"]) as client:
        assert client.options(ANALYZE, headers=asked).status_code == 200
        answer = client.post(ANALYZE, json=ask(), headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://news.example"
        other = client.post(ANALYZE, json=ask(), headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
    with serving(engine) as client:
        assert (
            "access-control-allow-origin"
            not in client.post(ANALYZE, json=ask(), headers=origin).headers
        )
