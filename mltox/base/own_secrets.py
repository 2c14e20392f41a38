"""The secrets of this process, and text without them.

What comes from outside may hold them: a server that echoes a header in its error, a proxy that
quotes a request. So every line of a log, and every answer that quotes somebody, passes through
`without_secrets`.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from urllib.parse import quote

SHORTEST_SECRET = 8
"""Characters. A shorter secret is as good as none, and would blot out words that are no secret."""
HIDDEN = "[secret]"

_NAMES_SECRET = re.compile(
    r"TOKEN|SECRET|PASSWO?R?D|PASSPHRASE|CREDENTIAL|AUTHORIZATION|API_?KEY|(?:^|_)KEY(?:$|_)",
    re.IGNORECASE,
)
_PLACE = re.compile(r"projects/\S+|/\S*|[a-z]:\\\S*", re.IGNORECASE)
"""A variable may say where a secret is kept, and that is none."""

_remembered: set[str] = set()


def remember(secret: str) -> str:
    """Returns a secret that was fetched, and has it hidden from now on."""
    _remembered.add(secret)
    return secret


def without_secrets(text: str) -> str:
    """Returns the text with the process's own secrets hidden, also in the forms that they take in
    addresses, headers and JSON, and where the text ends in the middle of one."""
    for form in sorted(_forms(), key=len, reverse=True):
        if form in text:
            text = text.replace(form, HIDDEN)
        for length in range(min(len(form), len(text)) - 1, SHORTEST_SECRET - 1, -1):
            if text.endswith(form[:length]):
                text = text[:-length] + HIDDEN
                break
    return text


def _forms() -> Iterator[str]:
    for secret in {*_remembered, *_of_environment()}:
        if len(secret) < SHORTEST_SECRET:
            continue
        encoded = secret.encode("utf-8", "surrogateescape")
        yield from {
            secret,
            quote(encoded, safe=""),
            json.dumps(secret)[1:-1],
            base64.b64encode(encoded).decode().rstrip("="),
        }


def _of_environment() -> Iterator[str]:
    for name, value in os.environ.items():
        if _NAMES_SECRET.search(name) and not _PLACE.fullmatch(value.strip()):
            yield value.strip()
