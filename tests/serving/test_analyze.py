"""comments:analyze against the default bundle."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.engine import Engine
from tests.serving.conftest import ANALYZE, ask, serving


def analyze(client: TestClient, body: dict[str, Any], **query: str) -> dict[str, Any]:
    answer = client.post(ANALYZE, json=body, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_least_request(client: TestClient) -> None:
    answer = analyze(client, ask("You are an idiot."))
    toxicity = answer["attributeScores"]["TOXICITY"]
    assert toxicity["summaryScore"]["value"] > 0.8
    assert toxicity["summaryScore"]["type"] == "PROBABILITY"
    whole = {"begin": 0, "end": 17, "score": toxicity["summaryScore"]}
    assert toxicity["spanScores"] == [whole], "one span over all of the text comes unasked"
    assert answer["languages"] == ["en"]
    assert answer["detectedLanguages"][0] == "en"
    assert "clientToken" not in answer


def test_scores_come_first(client: TestClient) -> None:
    """peRspective takes the first element of the answer, whatever it is called."""
    body = ask(languages=["en"], clientToken="t")
    assert next(iter(client.post(ANALYZE, json=body).json())) == "attributeScores"


def test_all_that_the_model_knows(client: TestClient, engine: Engine) -> None:
    names = ["TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT",
             "OBSCENE"]  # fmt: skip
    scores = analyze(client, ask("I will kill you, you fucking idiot", *names))["attributeScores"]
    assert list(scores) == names
    [expected] = engine._scorer.score(["I will kill you, you fucking idiot"])
    assert scores["TOXICITY"]["summaryScore"]["value"] == expected.toxicity
    assert scores["PROFANITY"]["summaryScore"]["value"] == expected.obscene
    assert scores["PROFANITY"] == scores["OBSCENE"]
    assert scores["THREAT"]["summaryScore"]["value"] == expected.threat


def test_sentences_have_scores_of_their_own(client: TestClient) -> None:
    text = "Have a nice day 😀! You are an idiot."
    answer = analyze(client, ask(text, spanAnnotations=True))
    nice, rude = answer["attributeScores"]["TOXICITY"]["spanScores"]
    assert (nice["begin"], nice["end"], rude["begin"], rude["end"]) == (0, 19, 20, 37)
    assert nice["score"]["value"] < 0.2 < 0.8 < rude["score"]["value"]
    alone = analyze(client, ask("You are an idiot."))["attributeScores"]["TOXICITY"]
    assert rude["score"] == alone["summaryScore"]


def test_an_attribute_below_its_threshold_is_left_out(client: TestClient) -> None:
    body = ask("You are an idiot.", "TOXICITY", "THREAT")
    body["requestedAttributes"]["THREAT"] = {"scoreThreshold": 0.5, "scoreType": "PROBABILITY"}
    assert list(analyze(client, body)["attributeScores"]) == ["TOXICITY"]
    body["requestedAttributes"] = {"THREAT": {"scoreThreshold": 0.5}}
    assert "attributeScores" not in analyze(client, body)


def test_a_score_at_its_threshold_stays(client: TestClient) -> None:
    value = analyze(client, ask())["attributeScores"]["TOXICITY"]["summaryScore"]["value"]
    body = ask()
    body["requestedAttributes"]["TOXICITY"] = {"scoreThreshold": value}
    assert "attributeScores" in analyze(client, body)


def test_a_version_is_answered_under_its_own_name(client: TestClient, engine: Engine) -> None:
    plain = analyze(client, ask())["attributeScores"]["TOXICITY"]
    for version in (engine.sha256[:8], engine.sha256[:12].upper(), engine.sha256,
                    f"{engine.sha256[:12]}-model"):  # fmt: skip
        name = f"TOXICITY@{version}"
        assert analyze(client, ask("You are an idiot.", name))["attributeScores"] == {name: plain}


@pytest.mark.parametrize("version", ["6", "", "abcd1234", "ffffffffffff", "-model", "9bf-model"])
def test_another_version_is_refused_even_where_attributes_may_be_dropped(
    client: TestClient, version: str
) -> None:
    body = ask("You are an idiot.", f"TOXICITY@{version}", dropUnsupportedAttributes=True)
    answer = client.post(ANALYZE, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Unknown requested attribute: TOXICITY@{version}"


def test_a_version_pins_the_scale_too(engine: Engine) -> None:
    with serving(engine, half=True) as client:
        answer = client.post(ANALYZE, json=ask())
        scale = answer.headers["x-mltox-scale"].removeprefix("TOXICITY=")
        pinned = ask("You are an idiot.", f"TOXICITY@{engine.sha256[:12]}-{scale}")
        assert client.post(ANALYZE, json=pinned).status_code == 200
        model = ask("You are an idiot.", f"TOXICITY@{engine.sha256[:12]}-model")
        assert client.post(ANALYZE, json=model).status_code == 400


def test_a_score_map_holds_for_its_attribute_and_for_spans(
    client: TestClient, engine: Engine
) -> None:
    body = ask("You are an idiot. Go away.", "TOXICITY", "INSULT", spanAnnotations=True)
    plain = analyze(client, body)["attributeScores"]
    with serving(engine, half=True) as mapped_client:
        mapped = analyze(mapped_client, body)["attributeScores"]
    assert mapped["INSULT"] == plain["INSULT"]
    pairs = [(plain["TOXICITY"]["summaryScore"], mapped["TOXICITY"]["summaryScore"])]
    pairs += [
        (one["score"], other["score"])
        for one, other in zip(
            plain["TOXICITY"]["spanScores"], mapped["TOXICITY"]["spanScores"], strict=True
        )
    ]
    for one, other in pairs:
        assert other["value"] == pytest.approx(one["value"] / 2, abs=1e-6)


@pytest.mark.parametrize("languages", ["en", ["en"], ["EN"], ["en-GB"], ["en", "en-US"]])
def test_languages_that_the_model_knows(client: TestClient, languages: object) -> None:
    answer = analyze(client, ask(languages=languages))
    asked = [languages] if isinstance(languages, str) else languages
    assert answer["languages"] == asked


def test_the_languages_asked_for_decide_and_the_detected_ones_are_told(client: TestClient) -> None:
    text = "Das ist ein ganz normaler deutscher Satz, der niemanden beleidigt."
    answer = analyze(client, ask(text, languages=["en"]))
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] < 0.5
    assert answer["languages"] == ["en"]
    assert answer["detectedLanguages"][0] == "de"


def test_short_posts_and_slang_count_as_the_models_language(client: TestClient) -> None:
    for text in ("lol", "wtf dude", "Idiot", "ur dumb af"):
        assert analyze(client, ask(text))["languages"] == ["en"]


def test_detected_languages_come_by_likelihood(client: TestClient) -> None:
    text = "Das ist ein ganz normaler deutscher Satz, der niemanden beleidigt."
    answer = analyze(client, ask(text, dropUnsupportedAttributes=True))
    assert answer["languages"] == ["de"] == answer["detectedLanguages"][:1]
    assert "attributeScores" not in answer


def test_what_the_model_lacks_can_be_dropped(client: TestClient) -> None:
    body = ask(
        "You are an idiot.", "FLIRTATION", "TOXICITY", "SPAM", dropUnsupportedAttributes=True
    )
    assert list(analyze(client, body)["attributeScores"]) == ["TOXICITY"]
    nothing = ask("You are an idiot.", "FLIRTATION", dropUnsupportedAttributes=True)
    assert "attributeScores" not in analyze(client, nothing)


def test_tokens_come_back_and_the_rest_is_taken(client: TestClient) -> None:
    body = ask(
        clientToken="é😀",
        sessionId="s",
        communityId="c",
        doNotStore=True,
        context={"entries": [{"text": "What do you think?", "type": "PLAIN_TEXT"}]},
    )
    assert analyze(client, body)["clientToken"] == "é😀"


def test_context_changes_no_score(client: TestClient) -> None:
    bare = analyze(client, ask())
    parent = {"article": {"text": "You fool"}, "parentComment": {"text": "I hate you"}}
    assert analyze(client, ask(context={"articleAndParentComment": parent})) == bare


def test_only_the_fields_that_are_asked_for(client: TestClient) -> None:
    answer = analyze(client, ask(), fields="attributeScores/TOXICITY/summaryScore/type,languages")
    assert answer == {
        "attributeScores": {"TOXICITY": {"summaryScore": {"type": "PROBABILITY"}}},
        "languages": ["en"],
    }
    assert client.post(ANALYZE, json=ask(), params={"fields": "scores"}).status_code == 400


def test_the_query_of_googles_clients(client: TestClient) -> None:
    query = {"alt": "json", "prettyPrint": "true", "quotaUser": "a", "$.xgafv": "2", "key": "any"}
    answer = client.post(ANALYZE, json=ask(), params=query)
    assert answer.status_code == 200 and "\n  " in answer.text
    assert client.post(ANALYZE, json=ask(), params={"alt": "proto"}).status_code == 400


def test_the_colon_may_be_escaped_and_the_type_missing(client: TestClient) -> None:
    body = json.dumps(ask()).encode()
    assert client.post("/v1alpha1/comments%3Aanalyze", content=body).status_code == 200


def test_the_longest_text_and_one_byte_more(client: TestClient) -> None:
    longest = "ü" * 10_240
    assert client.post(ANALYZE, json=ask(longest, languages=["en"])).status_code == 200
    answer = client.post(ANALYZE, json=ask(longest + "a", languages=["en"]))
    assert answer.json()["error"]["details"][0]["errorType"] == "COMMENT_TOO_LONG"


def test_a_text_cut_within_an_emoji(client: TestClient) -> None:
    body = json.dumps(ask("You idiot 😀")).replace("\\ude00", "")
    answer = client.post(ANALYZE, content=body)
    assert answer.json()["attributeScores"]["TOXICITY"]["spanScores"][0]["end"] == 11


def test_which_model_and_map_answered(client: TestClient, engine: Engine) -> None:
    headers = client.post(ANALYZE, json=ask()).headers
    assert headers["x-mltox-model"] == engine.model
    assert headers["x-mltox-scale"] == "model"
