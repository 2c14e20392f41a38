"""The service's own descriptions: Google's discovery document and OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from serving.contract.messages import ANALYZE, ANALYZE_ANSWER, SUGGEST, SUGGEST_ANSWER
from serving.contract.schemas import discovery_schemas, json_schemas

NAME, VERSION = "commentanalyzer", "v1alpha1"
CONTRACT_SCOPE = "https://www.googleapis.com/auth/userinfo.email"
DISCOVERY_METHODS = {
    "analyze": (ANALYZE, ANALYZE_ANSWER, "Scores a comment."),
    "suggestscore": (SUGGEST, SUGGEST_ANSWER, "Takes what a comment's score should have been."),
}
_QUERY = {
    "key": ("string", "The API key, where the server asks for one."),
    "alt": ("string", "json, the only format."),
    "fields": ("string", "The parts of the answer that are wanted."),
    "prettyPrint": ("boolean", "Whether the answer is indented."),
    "quotaUser": ("string", "Taken, not used."),
    "$.xgafv": ("string", "Taken, not used."),
}


def discovery(root: str) -> dict[str, Any]:
    """For google-api-python-client and its siblings. `root` is the server's address, with / at its
    end: whatever a client builds from this document goes there."""
    methods = {
        name: {
            "id": f"{NAME}.comments.{name}",
            "path": f"{VERSION}/comments:{name}",
            "flatPath": f"{VERSION}/comments:{name}",
            "httpMethod": "POST",
            "description": description,
            "parameters": {},
            "parameterOrder": [],
            "request": {"$ref": request},
            "response": {"$ref": answer},
            "scopes": [CONTRACT_SCOPE],
        }
        for name, (request, answer, description) in DISCOVERY_METHODS.items()
    }
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": f"{NAME}:{VERSION}",
        "name": NAME,
        "version": VERSION,
        "revision": "0",
        "title": "Perspective Comment Analyzer API",
        "description": "Scores of comments, by mltox.",
        "protocol": "rest",
        "rootUrl": root,
        "baseUrl": root,
        "servicePath": "",
        "batchPath": "batch",
        "fullyEncodeReservedExpansion": True,
        "auth": {"oauth2": {"scopes": {CONTRACT_SCOPE: {"description": "Unused."}}}},
        "parameters": {
            name: {"type": kind, "description": description, "location": "query"}
            for name, (kind, description) in _QUERY.items()
        },
        "schemas": discovery_schemas(),
        "resources": {"comments": {"methods": methods}},
    }


def openapi(root: str, attributes: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """OpenAPI 3.1."""
    paths: dict[str, Any] = {
        f"/{VERSION}/comments:{name}": {
            "post": {
                "operationId": name,
                "summary": description,
                "parameters": [
                    {"name": query, "in": "query", "schema": {"type": kind}, "description": text}
                    for query, (kind, text) in _QUERY.items()
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _reference(request)}},
                },
                "responses": {"200": _json_answer("The answer.", answer), "default": _error()},
            }
        }
        for name, (request, answer, description) in DISCOVERY_METHODS.items()
    }
    paths["/batch"] = {
        "post": {
            "operationId": "batch",
            "summary": "Several requests at once, each a part of type application/http.",
            "requestBody": {
                "required": True,
                "content": {"multipart/mixed": {"schema": {"type": "string"}}},
            },
            "responses": {
                "200": {
                    "description": "The answers, in the same order.",
                    "content": {"multipart/mixed": {"schema": {"type": "string"}}},
                },
                "default": _error(),
            },
        }
    }
    paths |= {path: {"get": operation} for path, operation in _pages().items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mltox serve",
            "version": VERSION,
            "description": f"Attributes: {', '.join(attributes)}. Languages:"
            f" {', '.join(languages)}.",
        },
        "servers": [{"url": root.rstrip("/")}],
        "paths": paths,
        "components": {"schemas": json_schemas() | {"Error": _ERROR}},
    }


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "status", "details"],
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "status": {"type": "string"},
                "details": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            },
        }
    },
}


def _pages() -> dict[str, Any]:
    version = {"name": "version", "in": "query", "schema": {"type": "string"}}
    key = {"name": "key", "in": "query", "schema": {"type": "string"}}
    return {
        "/$discovery/rest": _page("discovery", "Google's discovery document.", [version, key]),
        "/openapi.json": _page("openapi", "This document."),
        "/healthz": _page("healthz", "Whether the server is up, and its model."),
        "/metrics": _page("metrics", "For Prometheus.", content="text/plain"),
    }


def _page(
    name: str,
    summary: str,
    parameters: Sequence[dict[str, Any]] = (),
    content: str = "application/json",
) -> dict[str, Any]:
    kind = "object" if content == "application/json" else "string"
    return {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": summary, "content": {content: {"schema": {"type": kind}}}},
            "default": _error(),
        },
    }


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json_answer(description: str, name: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": _reference(name)}},
    }


def _error() -> dict[str, Any]:
    return _json_answer("The refusal.", "Error")
