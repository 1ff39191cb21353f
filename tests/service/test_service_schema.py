"""The service fuzzed from its own OpenAPI document."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from service_process import Service

from backend.service.app import create_app
from backend.service.settings import ServiceSettings
from utils.settings import Settings

pytestmark = pytest.mark.slow

DOCUMENT = create_app(ServiceSettings(), Settings()).openapi()
OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


def test_every_endpoint_is_documented() -> None:
    posts = {path for path, method in OPERATIONS if method == "post"}
    gets = {path for path, method in OPERATIONS if method == "get"}
    assert posts == {"/predict", "/predict_batch", "/predict_video"}
    assert gets == {"/model_info", "/healthz", "/readyz", "/metrics"}
    assert "EMOTION_API_MAX_BODY_MB" in DOCUMENT["info"]["description"]
    assert "/ws" in DOCUMENT["info"]["description"]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_causes_a_server_error(service: Service, path: str, method: str) -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)

    @given(case=schema[path][method.upper()].as_strategy())
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    def fuzz(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=service.address, checks=CHECKS)

    fuzz()
