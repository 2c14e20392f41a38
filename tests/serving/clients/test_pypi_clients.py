"""The clients of PyPI, unmodified: see conftest.py for how they get here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Installed = Callable[..., Path]
Python = Callable[[Path, str], Any]
RUDE = '"You are an idiot."'


def test_perspective(installed: Installed, python: Python) -> None:
    told = python(
        installed("perspective==1.0.3"),
        f"""
from urllib.error import HTTPError
from perspective import PerspectiveAPI
api = PerspectiveAPI("key-of-ours")
scores = api.score({RUDE}, tests=["TOXICITY", "INSULT"])
whole = api.analyze_comment(
    {RUDE}, comment_type="PLAIN_TEXT", context=[{{"text": "Hello"}}], span_annotations=True,
    languages=["en"], do_not_store=True, client_token="t", session_id="s", community_id="c",
    requested_attributes={{"TOXICITY": {{"scoreType": "PROBABILITY", "scoreThreshold": 0.5}}}})
kept = api.suggest_score({RUDE}, {{"TOXICITY": {{"summaryScore": {{"value": 1.0}}}}}},
                         client_token="u")
try:
    PerspectiveAPI("wrong").score({RUDE})
except HTTPError as error:
    refused = [error.code, json.load(error)["error"]["details"][0]["reason"]]
tell([scores, whole["attributeScores"]["TOXICITY"]["spanScores"][0]["end"], kept, refused])
""",
    )
    scores, end, kept, refused = told
    assert list(scores) == ["TOXICITY", "INSULT"] and min(scores.values()) > 0.5
    assert end == 17
    assert kept["clientToken"] == "u"
    assert refused == [400, "API_KEY_INVALID"]


def test_pyperspective(installed: Installed, python: Python) -> None:
    told = python(
        installed("PyPerspective==1.0.4"),
        f"""
from PyPerspective.Perspective import Perspective
from PyPerspective.errors import InvalidAuthKey
try:
    Perspective("wrong")
except InvalidAuthKey:
    refused = True
client = Perspective("key-of-ours", ratelimiter=False)
comment = client.get_score({RUDE}, tests=["TOXICITY", "THREAT"], langs=["en"])
try:
    client.get_score("Bonjour tout le monde", tests="TOXICITY", langs="fr")
except TypeError as error:
    french = str(error.__context__ or error)
tell([refused, comment["toxicity"].score, str(comment["toxicity"][0]), comment.detected_langs,
      len(comment.attributes), french])
""",
    )
    refused, score, span, languages, attributes, french = told
    assert refused and score > 0.8 and attributes == 2
    assert span == "You are an idiot."
    assert languages[0] == "en"
    assert "ApiException" in french, "its own error cannot be made, whatever a server answers"


def test_perspectiveapi(installed: Installed, python: Python) -> None:
    told = python(
        installed("perspectiveapi==1.1.0"),
        f"""
import asyncio, perspective
from perspective import Attribute, Perspective
from perspective.blocking import Perspective as Blocking
attributes = [Attribute.TOXICITY, Attribute.INSULT]
async def score():
    return await Perspective("key-of-ours").score({RUDE}, attributes)
one, other = asyncio.run(score()), Blocking("key-of-ours").score({RUDE}, attributes)
tell([[each.toxicity, each.insult, each.threat] for each in (one, other)])
""",
    )
    assert told[0] == told[1]
    toxicity, insult, threat = told[0]
    assert toxicity > 0.8 and insult > 0.5 and threat is None


def test_perspective_py(installed: Installed, python: Python) -> None:
    """Built on google-api-python-client; parses the sentence of a language that is lacking."""
    told = python(
        installed("perspective.py==0.3.4", "pycountry==26.2.16"),
        f"""
import perspective
from perspective.errors import HTTPException, InvalidToken, UnsupportedLanguage
try:
    perspective.Client(token="wrong")
except InvalidToken:
    refused = True
client = perspective.Client(token="key-of-ours")
scores = client.analyze({RUDE}, ["TOXICITY", "INSULT"])
every = client.analyze({RUDE}, list(perspective.all_prod_attrs))
raw = client.analyze({RUDE}, ["TOXICITY"], language="English", return_raw=True)
try:
    client.analyze({RUDE}, ["TOXICITY"], language="German")
except UnsupportedLanguage as error:
    german = str(error)
try:
    client.analyze({RUDE}, ["FLIRTATION"])
except HTTPException as error:
    unknown = str(error)
tell([refused, scores, len(every), raw["languages"], german, unknown])
""",
    )
    refused, scores, every, languages, german, unknown = told
    assert refused and scores["TOXICITY"] > 80 and every == 6
    assert languages == ["en"]
    assert german == 'German (de) is not supported by "TOXICITY" attribute.'
    assert "Unknown requested attribute: FLIRTATION" in unknown
