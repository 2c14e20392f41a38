"""JSON bytes into a message of the table, as strict and as lenient as Google's own parser.

Names may be in camel case or in snake case, `null` is as good as absent, and a single value is
taken for a list of one (peRspective sends `"languages": "en"`). Anything else that the table does
not know is refused by name.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import orjson

from serving.contract.errors import Refusal, invalid_payload, quoted
from serving.contract.messages import MESSAGES, Field, Shape

_START = "Invalid JSON payload received."
_LARGEST = 1e300
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def json_of_body(body: bytes) -> Any:
    """The JSON value of a body. Raises Refusal.

    A lone surrogate, as JavaScript writes it where it cut a text within an emoji, becomes U+FFFD:
    one UTF-16 unit as before.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = str(error)
    if rb"\u" in body:
        try:
            return json.loads(_mended(body.decode()))
        except (ValueError, RecursionError):
            pass
    raise invalid_payload(f"{_START} {quoted(_where(reason))}")


def parse(message: str, value: Any, path: str = "") -> dict[str, Any]:
    """`value` as the message of that name, with camel-case names and no nulls. Raises Refusal."""
    if not isinstance(value, dict):
        at = f" at '{path}'" if path else ""
        raise invalid_payload(f"{_START} Expected an object{at}.")
    names = _names(message)
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = names.get(key)
        if name is None:
            at = f" at '{path}'" if path else ""
            raise invalid_payload(f'{_START} Unknown name "{quoted(key)}"{at}: Cannot find field.')
        if item is None:
            continue
        if name in found:
            raise invalid_payload(f'{_START} "{name}" is given twice.')
        below = f"{path}.{name}" if path else name
        found[name] = _field(MESSAGES[message][name], item, below)
    return found


@cache
def _names(message: str) -> dict[str, str]:
    both: dict[str, str] = {}
    for name in MESSAGES[message]:
        both[name] = both[_CAPITAL.sub("_", name).lower()] = name
    return both


def _field(field: Field, value: Any, path: str) -> Any:
    if field.shape is Shape.LIST:
        items = value if isinstance(value, list) else [value]
        return [_one(field, item, f"{path}[{at}]") for at, item in enumerate(items)]
    if field.shape is Shape.MAP:
        if not isinstance(value, dict):
            raise invalid_payload(f"{_START} Expected an object at '{path}'.")
        return {
            name: _one(field, {} if item is None else item, f"{path}.{quoted(name)}")
            for name, item in value.items()
        }
    return _one(field, value, path)


def _one(field: Field, value: Any, path: str) -> Any:
    if field.kind in MESSAGES:
        return parse(field.kind, value, path)
    if field.kind == "string":
        right = isinstance(value, str)
    elif field.kind == "boolean":
        right = isinstance(value, bool)
    else:
        whole = field.kind == "integer"
        right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        right = right and abs(value) <= _LARGEST
    if not right:
        raise _invalid(path, field.kind)
    if field.choices and value not in field.choices:
        raise _invalid(path, " | ".join(field.choices))
    return value


def _invalid(path: str, wanted: str) -> Refusal:
    return invalid_payload(f"Invalid value at '{path}': expected {wanted}.")


def _mended(body: str) -> str:
    """JSON text without lone surrogates. Raises ValueError where it is no JSON."""
    whole = json.dumps(json.loads(body, parse_constant=_no_constant), ensure_ascii=False)
    return _LONE_SURROGATE.sub("\ufffd", whole)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _where(reason: str) -> str:
    """orjson's reason (which quotes nothing of the body), with the place."""
    return reason[:1].upper() + reason[1:] + "."
