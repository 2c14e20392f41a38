"""The contract's messages, once: requests are checked against this table, and the discovery and
OpenAPI documents are written from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

ANALYZE, ANALYZE_ANSWER = "AnalyzeCommentRequest", "AnalyzeCommentResponse"
SUGGEST, SUGGEST_ANSWER = "SuggestCommentScoreRequest", "SuggestCommentScoreResponse"
SCORE_TYPES = ("SCORE_TYPE_UNSPECIFIED", "PROBABILITY", "STD_DEV_SCORE", "PERCENTILE", "RAW")


class Shape(Enum):
    ONE = "one"
    LIST = "list"
    MAP = "map"
    """From a name of the client's to the kind."""


class Field(NamedTuple):
    kind: str
    """`string`, `boolean`, `number`, `integer`, or the name of a message."""
    description: str
    shape: Shape = Shape.ONE
    choices: tuple[str, ...] = ()
    required: bool = False


MessageShape = Mapping[str, Field]

MESSAGES: Mapping[str, MessageShape] = {
    "TextEntry": {
        "text": Field("string", "UTF-8, at most 20,480 bytes."),
        "type": Field("string", "PLAIN_TEXT, if anything."),
    },
    "ArticleAndParentComment": {
        "article": Field("TextEntry", "What is commented on."),
        "parentComment": Field("TextEntry", "The comment that is answered."),
    },
    "Context": {
        "entries": Field("TextEntry", "What was said before.", Shape.LIST),
        "articleAndParentComment": Field("ArticleAndParentComment", "Instead of `entries`."),
    },
    "AttributeParameters": {
        "scoreType": Field("string", "PROBABILITY, if anything."),
        "scoreThreshold": Field("number", "Below this score the attribute is left out."),
    },
    "Score": {
        "value": Field("number", "In [0, 1]."),
        "type": Field("string", "What the value is.", choices=SCORE_TYPES),
    },
    "SpanScore": {
        "begin": Field("integer", "First UTF-16 code unit of the span."),
        "end": Field("integer", "The code unit after its last."),
        "score": Field("Score", "The score of the span by itself."),
    },
    "AttributeScores": {
        "summaryScore": Field("Score", "Of the whole comment."),
        "spanScores": Field("SpanScore", "Of its sentences, or one over all of it.", Shape.LIST),
    },
    ANALYZE: {
        "comment": Field("TextEntry", "The text to score.", required=True),
        "requestedAttributes": Field(
            "AttributeParameters", "What to score, by name.", Shape.MAP, required=True
        ),
        "context": Field("Context", "Taken, and without influence on a score."),
        "languages": Field(
            "string", "Of the comment (BCP 47); detected where there are none.", Shape.LIST
        ),
        "doNotStore": Field("boolean", "Nothing is ever stored, whatever this says."),
        "clientToken": Field("string", "Comes back in the answer."),
        "sessionId": Field("string", "Taken, not used."),
        "communityId": Field("string", "Taken, not used."),
        "spanAnnotations": Field("boolean", "Whether sentences are scored one by one."),
        "dropUnsupportedAttributes": Field(
            "boolean", "Leave out attributes that cannot be scored, instead of an error."
        ),
    },
    ANALYZE_ANSWER: {
        "attributeScores": Field("AttributeScores", "By the names of the request.", Shape.MAP),
        "languages": Field("string", "Those of the request, or the one detected.", Shape.LIST),
        "detectedLanguages": Field("string", "The likeliest first.", Shape.LIST),
        "clientToken": Field("string", "That of the request."),
    },
    SUGGEST: {
        "comment": Field("TextEntry", "The text that was scored.", required=True),
        "attributeScores": Field(
            "AttributeScores", "What its scores should have been.", Shape.MAP, required=True
        ),
        "context": Field("Context", "What was said before."),
        "languages": Field("string", "Of the comment (BCP 47).", Shape.LIST),
        "communityId": Field("string", "Whose judgement it is."),
        "sessionId": Field("string", "Taken, never kept."),
        "clientToken": Field("string", "Comes back in the answer."),
    },
    SUGGEST_ANSWER: {
        "detectedLanguages": Field("string", "The likeliest first.", Shape.LIST),
        "requestedLanguages": Field("string", "Those of the request.", Shape.LIST),
        "clientToken": Field("string", "That of the request."),
    },
}
