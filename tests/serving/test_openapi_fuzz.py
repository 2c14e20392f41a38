"""schemathesis: what the OpenAPI document promises holds for generated requests."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serving.app import build
from serving.engine import DEFAULT_BUNDLE, Engine
from serving.feedback import open_feedback
from serving.service import ContractService

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
"""Not `positive_data_acceptance`: that a text is in a language of the model is in no schema."""

service = ContractService(Engine(str(DEFAULT_BUNDLE), threads=1), keep=open_feedback(None))
schema = schemathesis.openapi.from_asgi("/openapi.json", build(service))


@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS)
