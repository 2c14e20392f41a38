"""The table of messages as schemas: Google's discovery dialect, and JSON Schema for OpenAPI."""

from __future__ import annotations

from typing import Any

from serving.contract.messages import MESSAGES, Field, MessageShape, Shape


def discovery_schemas() -> dict[str, Any]:
    """By name, as a discovery document has them under `schemas`."""
    return {
        name: {
            "id": name,
            "type": "object",
            "properties": {
                field: _described(_discovery(entry), entry) for field, entry in message.items()
            },
        }
        for name, message in MESSAGES.items()
    }


def json_schemas() -> dict[str, Any]:
    """By name, as an OpenAPI 3.1 document has them under `components/schemas`."""
    return {name: _object(message) for name, message in MESSAGES.items()}


def _object(message: MessageShape) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _described(_json(field), field) for name, field in message.items()},
        "additionalProperties": False,
    }
    if required := [name for name, field in message.items() if field.required]:
        schema["required"] = required
    return schema


def _described(schema: dict[str, Any], field: Field) -> dict[str, Any]:
    return schema | {"description": field.description}


def _discovery(field: Field) -> dict[str, Any]:
    one: dict[str, Any] = {"type": field.kind}
    if field.kind in MESSAGES:
        one = {"$ref": field.kind}
    elif field.kind == "number":
        one["format"] = "float"
    elif field.kind == "integer":
        one["format"] = "int32"
    if field.choices:
        one["enum"] = list(field.choices)
    if field.shape is Shape.LIST:
        return {"type": "array", "items": one}
    if field.shape is Shape.MAP:
        return {"type": "object", "additionalProperties": one}
    return one


def _json(field: Field) -> dict[str, Any]:
    """Null is as good as absent, and one value is taken for a list of one."""
    one: dict[str, Any] = (
        {"$ref": f"#/components/schemas/{field.kind}"}
        if field.kind in MESSAGES
        else {"type": field.kind}
    )
    if field.choices:
        one["enum"] = list(field.choices)
    nothing = {"type": "null"}
    if field.required:
        return _shaped(field.shape, one)
    return {
        "anyOf": [_shaped(field.shape, one), *([one] if field.shape is Shape.LIST else []), nothing]
    }


def _shaped(shape: Shape, one: dict[str, Any]) -> dict[str, Any]:
    if shape is Shape.LIST:
        return {"type": "array", "items": one}
    if shape is Shape.MAP:
        values = {"anyOf": [one, {"type": "null"}]}
        return {"type": "object", "additionalProperties": values, "minProperties": 1}
    return one
