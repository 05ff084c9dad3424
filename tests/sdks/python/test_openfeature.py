"""The OpenFeature provider for Flagsmith, on top of the same SDK."""
import json

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature_flagsmith.provider import FlagsmithProvider


@pytest.fixture(params=["remote", "local"])
def feature(request, client):
    api.set_provider(FlagsmithProvider(client("server", enable_local_evaluation=request.param == "local")))
    yield api.get_client()
    api.clear_providers()


def resolved(details, value):
    assert details.error_code is None, (details.error_code, details.error_message)
    assert details.value == value and type(details.value) is type(value)
    return details


def test_boolean(feature):
    resolved(feature.get_boolean_details("bool_on", False), True)
    resolved(feature.get_boolean_details("old_page", True), False)


def test_string(feature):
    resolved(feature.get_string_details("title", "x"), "default title")
    resolved(feature.get_string_details("greeting", "x"), "Gr\u00fc\u00df Gott \u2603")


def test_integer(feature):
    resolved(feature.get_integer_details("limit", 0), 42)


def test_object(feature, data):
    resolved(feature.get_object_details("layout", {}), json.loads(data["defaults"]["layout"]["value"]))


def test_context_selects_a_segment(feature, unique):
    context = EvaluationContext(unique, {"plan": "pro"})
    resolved(feature.get_string_details("title", "x", context), "pro title")
    resolved(feature.get_integer_details("limit", 0, context), 100)


def test_nested_traits_and_transient_identity(feature, management, unique):
    context = EvaluationContext(unique, {"traits": {"plan": "pro"}, "transient": True})
    resolved(feature.get_string_details("title", "x", context), "pro title")
    assert management.identity(unique) is None


def test_variant(feature, data):
    arms = set()
    for identifier in data["split_identifiers"][:60]:
        details = feature.get_string_details("checkout", "x", EvaluationContext(identifier))
        assert details.error_code is None
        assert data["variants"][details.variant] == details.value
        arms.add(details.variant)
    assert {"control", "blue"} <= arms


def test_unknown_flag_falls_back(feature):
    details = feature.get_boolean_details("no_such_flag", True)
    assert (details.value, details.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)


def test_wrong_type_falls_back(feature):
    details = feature.get_integer_details("title", 5)
    assert (details.value, details.error_code) == (5, ErrorCode.TYPE_MISMATCH)
