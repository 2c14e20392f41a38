"""Every refusal, with the body that clients of the contract read.

`details` is never empty: clients read its first element unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

_ANALYZER = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_DOMAIN = "googleapis.com"
_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
MAX_QUOTED = 100
"""Characters of a client's own words that an error repeats."""


class Refusal(Exception):
    """A request that is answered by an error. `headers` go with it."""

    def __init__(
        self,
        message: str,
        detail: dict[str, Any],
        code: int = HTTPStatus.BAD_REQUEST,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.code = int(code)
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "status": _STATUS[self.code],
                "details": [self.detail],
            }
        }


def quoted(words: str) -> str:
    """What a client wrote, cut to a length that an error may repeat."""
    return words if len(words) <= MAX_QUOTED else f"{words[:MAX_QUOTED]}…"


def _analyzer(message: str, error_type: str, **more: Any) -> Refusal:
    return Refusal(message, {"@type": _ANALYZER, "errorType": error_type, **more})


def _info(message: str, reason: str, code: int, headers: dict[str, str] | None = None) -> Refusal:
    detail = {"@type": _INFO, "reason": reason, "domain": _DOMAIN}
    return Refusal(message, detail, code, headers)


def comment_empty() -> Refusal:
    return _analyzer("Comment must be non-empty.", "COMMENT_EMPTY")


def comment_too_long() -> Refusal:
    return _analyzer("Comment text too long.", "COMMENT_TOO_LONG")


def comment_not_plain() -> Refusal:
    return _analyzer("Currently, only 'PLAIN_TEXT' comments are supported", "INVALID_REQUEST")


def no_attributes() -> Refusal:
    return _analyzer("Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES")


def no_suggestions() -> Refusal:
    return _analyzer("Missing attribute_scores", "INVALID_REQUEST")


def unknown_attribute(name: str) -> Refusal:
    return _analyzer(f"Unknown requested attribute: {quoted(name)}", "INVALID_REQUEST")


def score_type(kind: str, attribute: str) -> Refusal:
    return _analyzer(
        f"Requested score type {kind} is not supported by attribute {quoted(attribute)}",
        "INVALID_REQUEST",
    )


def score_threshold(attribute: str) -> Refusal:
    return _analyzer(
        f"score_threshold of attribute {quoted(attribute)} must be between 0 and 1",
        "INVALID_REQUEST",
    )


def two_contexts() -> Refusal:
    return _analyzer(
        "Only one of context.entries and context.article_and_parent_comment may be given",
        "INVALID_REQUEST",
    )


def language_not_supported(
    attribute: str, languages: Sequence[str], *, detected: bool, known: Sequence[str]
) -> Refusal:
    """`languages` are those that the attribute lacks, `known` all that were asked or detected."""
    return _analyzer(
        f"Attribute {attribute} does not support request languages:"
        f" {', '.join(map(quoted, languages))}",
        "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        languageNotSupportedByAttributeError={
            ("detectedLanguages" if detected else "requestedLanguages"): list(map(quoted, known)),
            "attribute": attribute,
        },
    )


def no_language() -> Refusal:
    return _analyzer("Unable to detect language", "LANGUAGE_DETECTION_FAILED")


def bad_key() -> Refusal:
    return _info("API key not valid. Please pass a valid API key.", "API_KEY_INVALID", 400)


def no_key() -> Refusal:
    return _info("The request is missing a valid API key.", "API_KEY_MISSING", 403)


def too_many(quota: str, retry_after: int = 1) -> Refusal:
    message = f"Quota exceeded for quota metric '{quota}' of this server."
    return _info(message, "RATE_LIMIT_EXCEEDED", 429, {"Retry-After": str(retry_after)})


def invalid_payload(reason: str, code: int = 400) -> Refusal:
    """A body that is not what it should be."""
    return Refusal(
        reason, {"@type": _BAD_REQUEST, "fieldViolations": [{"description": reason}]}, code
    )


def body_too_large(limit: int) -> Refusal:
    return invalid_payload(f"Request payload size exceeds the limit: {limit} bytes.", 413)


def too_slow(seconds: float) -> Refusal:
    message = f"The request did not arrive within {seconds:g} seconds."
    return _info(message, "REQUEST_TIMEOUT", 408, {"Connection": "close"})


def encoded_body() -> Refusal:
    return invalid_payload("Content-Encoding of requests is not supported.", 415)


def not_found() -> Refusal:
    return _info("Requested entity was not found.", "NOT_FOUND", 404)


def wrong_method(allowed: Sequence[str]) -> Refusal:
    message = f"Only {' and '.join(allowed)} {'is' if len(allowed) == 1 else 'are'} allowed here."
    return _info(message, "METHOD_NOT_ALLOWED", 405, {"Allow": ", ".join(allowed)})


def internal() -> Refusal:
    return _info("Internal error encountered.", "INTERNAL", 500)


def unavailable(message: str) -> Refusal:
    return _info(message, "UNAVAILABLE", 503, {"Retry-After": "1"})
