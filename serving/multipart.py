"""Batches: `multipart/mixed` of whole HTTP requests, as google-api-python-client writes them.

The messages are parsed by Python's own `email`; line ends may be LF or CRLF, and a `Content-ID`,
which may hold a whole text, may be folded.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from serving.contract.errors import Refusal, invalid_payload, not_found, wrong_method
from serving.service import JSON_TYPE, METHODS, Answer, Call

MAX_PARTS = 1_000
"""As many as google-api-python-client lets a batch have."""
_HEAD = re.compile(rb"([A-Z]+) (\S+)(?: HTTP/1\.[01])?\r?\n")
_BLANK = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n(?=[ \t])|[\r\n\x00-\x08]")


class BatchPart(NamedTuple):
    """A request of a batch: its id, and the call or why it is none."""

    content_id: str | None
    call: Call | Refusal


def read_batch(content_type: str, body: bytes) -> list[BatchPart]:
    """Raises Refusal where the whole is no batch."""
    if not content_type.lower().startswith("multipart/mixed"):
        raise invalid_payload("A batch must be multipart/mixed.")
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=compat32).parsebytes(head + body)
    payload = message.get_payload()
    parts = (
        [part for part in payload if isinstance(part, Message)] if message.is_multipart() else []
    )
    if not parts:
        raise invalid_payload("The batch has no parts between its boundaries.")
    if len(parts) > MAX_PARTS:
        raise invalid_payload(f"A batch may have {MAX_PARTS} parts at most.")
    return [BatchPart(_unfolded(part.get("Content-ID")), _call(part)) for part in parts]


def write_batch(parts: Sequence[tuple[str | None, Answer]]) -> tuple[str, bytes]:
    """The content type and the body of the answer to a batch; parts in the order of the request."""
    boundary = f"batch_{secrets.token_urlsafe(24)}"
    pieces: list[bytes] = []
    for content_id, answer in parts:
        lines = [f"--{boundary}", "Content-Type: application/http"]
        if content_id:
            lines.append(f"Content-ID: {_response_id(content_id)}")
        lines += [
            "",
            f"HTTP/1.1 {answer.code} {HTTPStatus(answer.code).phrase}",
            f"Content-Type: {JSON_TYPE}",
            f"Content-Length: {len(answer.body)}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
            "",
            "",
        ]
        pieces += ["\r\n".join(lines).encode("latin-1", "replace"), answer.body, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return f'multipart/mixed; boundary="{boundary}"', b"".join(pieces)


def _call(part: Message) -> Call | Refusal:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or part.get_content_type() != "application/http":
        return invalid_payload("A part of a batch must be application/http.")
    head = _HEAD.match(payload := payload.lstrip(b"\r\n"))
    if not head:
        return invalid_payload("A part of a batch must begin with a request line.")
    rest = payload[head.end() - 1 :]  # from the line end of the request line
    blank = _BLANK.search(rest)
    headers, body = (rest[: blank.start()], rest[blank.end() :]) if blank else (rest, b"")
    try:
        url = urlsplit(head[2].decode("latin-1"))
        query = dict(parse_qsl(url.query, keep_blank_values=True))
    except ValueError:
        return invalid_payload("A part of a batch has no valid address.")
    method = METHODS.get(unquote(url.path))
    if method is None:
        return not_found()
    if head[1] != b"POST":
        return wrong_method(("POST",))
    named = BytesParser(policy=compat32).parsebytes(headers.lstrip(b"\r\n"), headersonly=True)
    return Call(method, query, {name.lower(): str(text) for name, text in named.items()}, body)


def _unfolded(value: object) -> str | None:
    return None if value is None else _FOLD.sub("", str(value)).strip()


def _response_id(content_id: str) -> str:
    inner = content_id.removeprefix("<")
    return f"<response-{inner}" if content_id.startswith("<") else f"response-{inner}"
