"""`fields=attributeScores/TOXICITY/summaryScore,languages`: only a part of an answer."""

from __future__ import annotations

import re
from typing import Any

from serving.contract.errors import Refusal, invalid_payload, quoted
from serving.contract.messages import MESSAGES, Shape

Mask = dict[str, "Mask"]
"""Names to masks of what is below; an empty one takes all. `*` is every name."""
MAX_LENGTH = 2_000
_TOKEN = re.compile(r"[A-Za-z0-9_.@-]+|\*|[,()/]|\s+|(.)")
_MAX_DEPTH = 16


def parse_mask(text: str, message: str) -> Mask:
    """The mask for an answer that is a `message`. Raises Refusal for a name that is not there.

    >>> parse_mask("languages,attributeScores(TOXICITY/summaryScore)", "AnalyzeCommentResponse")
    {'languages': {}, 'attributeScores': {'TOXICITY': {'summaryScore': {}}}}
    """
    tokens = [match[0] for match in _TOKEN.finditer(text[: MAX_LENGTH + 1]) if match[0].strip()]
    if len(text) > MAX_LENGTH or any(match[1] for match in _TOKEN.finditer(text)):
        raise _invalid(text)
    mask, rest = _list(tokens, text, 0)
    if rest or not mask:
        raise _invalid(text)
    _check(mask, message, Shape.ONE)
    return mask


def select(value: Any, mask: Mask) -> Any:
    """The part of a JSON value that the mask takes."""
    if not mask:
        return value
    if isinstance(value, list):
        return [select(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, item in value.items():
        below = mask.get(name, mask.get("*"))
        if below is not None:
            found[name] = select(item, below)
    return found


def _list(tokens: list[str], text: str, depth: int) -> tuple[Mask, list[str]]:
    if depth > _MAX_DEPTH:
        raise _invalid(text)
    mask: Mask = {}
    while True:
        tokens = _path(tokens, mask, text, depth)
        if not tokens or tokens[0] != ",":
            return mask, tokens
        tokens = tokens[1:]


def _path(tokens: list[str], mask: Mask, text: str, depth: int) -> list[str]:
    """Reads `a/b/c` or `a/b(c,d)` into `mask`; what is left of the tokens."""
    while True:
        if not tokens or tokens[0] in ",()/":
            raise _invalid(text)
        whole = tokens[0] in mask and not mask[tokens[0]]
        below = mask.setdefault(tokens[0], {})
        tokens = tokens[1:]
        if tokens[:1] == ["/"]:
            tokens = tokens[1:]
            mask = {} if whole else below
            continue
        if tokens[:1] == ["("]:
            inner, tokens = _list(tokens[1:], text, depth + 1)
            if tokens[:1] != [")"]:
                raise _invalid(text)
            if not whole:
                below.update(inner)
            return tokens[1:]
        below.clear()
        return tokens


def _check(mask: Mask, kind: str, shape: Shape) -> None:
    for name, below in mask.items():
        if shape is Shape.MAP or (name == "*" and kind in MESSAGES):
            if shape is Shape.MAP:
                _check(below, kind, Shape.ONE)
            continue
        field = MESSAGES.get(kind, {}).get(name)
        if field is None:
            raise _invalid(name)
        _check(below, field.kind, Shape.MAP if field.shape is Shape.MAP else Shape.ONE)


def _invalid(text: str) -> Refusal:
    return invalid_payload(f"Invalid field selection {quoted(text)}")
