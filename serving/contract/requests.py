"""Requests that have passed every check that needs no model."""

from __future__ import annotations

from typing import Any, NamedTuple

from serving.contract import errors
from serving.contract.attributes import Attribute, Attributes
from serving.contract.messages import ANALYZE, SUGGEST
from serving.contract.payload import json_of_body, parse

MAX_COMMENT_BYTES = 20_480
_NO_TYPE = {"", "PROBABILITY", "SCORE_TYPE_UNSPECIFIED"}
_PLAIN = {None, "", "PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED"}


class Wanted(NamedTuple):
    """A requested attribute. It is left out of the answer below `threshold`."""

    attribute: Attribute
    threshold: float


class AnalyzeRequest(NamedTuple):
    text: str
    wanted: tuple[Wanted, ...]
    languages: tuple[str, ...]
    spans: bool
    drop_unsupported: bool
    client_token: str | None


class SuggestRequest(NamedTuple):
    text: str
    languages: tuple[str, ...]
    client_token: str | None
    message: dict[str, Any]
    """All of it, as the contract names it."""


def analyze_request(body: bytes, attributes: Attributes) -> AnalyzeRequest:
    """Raises Refusal: the first thing that is wrong, since clients mend one thing and ask again."""
    message = parse(ANALYZE, json_of_body(body) if body.strip() else {})
    text = _text(message)
    if not (requested := message.get("requestedAttributes")):
        raise errors.no_attributes()
    drop = message.get("dropUnsupportedAttributes", False)
    wanted = []
    for asked, parameters in requested.items():
        attribute = attributes.find(asked)
        if attribute is None:
            if not drop:
                raise errors.unknown_attribute(asked)
            continue
        wanted.append(Wanted(attribute, _threshold(asked, parameters)))
    return AnalyzeRequest(
        text=text,
        wanted=tuple(wanted),
        languages=tuple(message.get("languages", ())),
        spans=message.get("spanAnnotations", False),
        drop_unsupported=drop,
        client_token=message.get("clientToken"),
    )


def suggest_request(body: bytes) -> SuggestRequest:
    """Raises Refusal."""
    message = parse(SUGGEST, json_of_body(body) if body.strip() else {})
    text = _text(message)
    if not message.get("attributeScores"):
        raise errors.no_suggestions()
    languages = tuple(message.get("languages", ()))
    return SuggestRequest(text, languages, message.get("clientToken"), message)


def _text(message: dict[str, Any]) -> str:
    comment = message.get("comment", {})
    text: str = comment.get("text", "")
    if not text.strip():
        raise errors.comment_empty()
    if len(text) * 4 > MAX_COMMENT_BYTES and len(text.encode()) > MAX_COMMENT_BYTES:
        raise errors.comment_too_long()
    if comment.get("type") not in _PLAIN:
        raise errors.comment_not_plain()
    context = message.get("context", {})
    if "entries" in context and "articleAndParentComment" in context:
        raise errors.two_contexts()
    return text


def _threshold(asked: str, parameters: dict[str, Any]) -> float:
    kind = parameters.get("scoreType", "")
    if kind not in _NO_TYPE:
        raise errors.score_type(errors.quoted(kind), asked)
    threshold: float = parameters.get("scoreThreshold", 0.0)
    if not 0 <= threshold <= 1:
        raise errors.score_threshold(asked)
    return threshold
