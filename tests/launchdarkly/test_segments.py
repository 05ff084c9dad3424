"""LaunchDarkly's own Python client, pointed at Burgee: what a program that fills segments there does, it does here.

Reads the document of tests/sdks/fixture.py, named by BURGEE_SDK_FIXTURE.
"""
import json
import os
import time
import urllib.request

import launchdarkly_api
import pytest
from launchdarkly_api.api.segments_api import SegmentsApi
from launchdarkly_api.models.patch_operation import PatchOperation
from launchdarkly_api.models.patch_with_comment import PatchWithComment
from launchdarkly_api.models.segment_body import SegmentBody
from launchdarkly_api.models.segment_user_list import SegmentUserList
from launchdarkly_api.models.segment_user_state import SegmentUserState

SEMANTIC = "application/json; domain-model=launchdarkly.semanticpatch"


@pytest.fixture(scope="session")
def data():
    with open(os.environ["BURGEE_SDK_FIXTURE"], encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(scope="session")
def client(data):
    configuration = launchdarkly_api.Configuration(host=data["base"], api_key={"ApiKey": data["token"]})
    with launchdarkly_api.ApiClient(configuration) as client:
        client.set_default_header("LD-API-Version", "20240415")
        yield client


@pytest.fixture
def segments(client):
    return SegmentsApi(client)


@pytest.fixture
def place(data):
    """The keys of a project and an environment: any program sends what it was configured with."""
    return str(data["project"]), data["environment"]["client_key"]


@pytest.fixture
def key():
    return f"client-{os.getpid()}-{time.time_ns()}"


def semantic(client, place, key, instructions, **query):
    """The client's typed call knows JSON patches only; a semantic patch goes through the same client one step below."""
    project, environment = place
    parameters = client.param_serialize(
        method="PATCH", resource_path="/api/v2/segments/{p}/{e}/{s}", path_params={"p": project, "e": environment, "s": key},
        query_params=list(query.items()), header_params={"Content-Type": SEMANTIC, "Accept": "application/json"},
        body={"environmentKey": environment, "comment": "run 1", "instructions": instructions}, auth_settings=["ApiKey"])
    answer = client.call_api(*parameters)
    answer.read()
    return client.response_deserialize(answer, {"200": "UserSegment", "400": "InvalidRequestErrorRep"})


def test_a_segment_is_made_filled_and_read_back(segments, client, place, key):
    made = segments.post_segment(*place, SegmentBody(name="High value", key=key, tags=["crm"]))
    assert (made.key, made.included, made.unbounded) == (key, [], False)
    done = semantic(client, place, key, [
        {"kind": "addIncludedTargets", "contextKind": "user", "values": ["ann", "bob"]},
        {"kind": "addExcludedTargets", "contextKind": "user", "values": ["eve"]},
        {"kind": "addIncludedTargets", "contextKind": "company", "values": ["acme"]}])
    assert done.status_code == 200
    read = segments.get_segment(*place, key)
    assert (read.included, read.excluded) == (["ann", "bob"], ["eve"])
    assert [(one.context_kind, one.values) for one in read.included_contexts] == [("company", ["acme"])]
    assert read.version > made.version


def test_repeating_a_patch_changes_nothing_and_a_dry_run_keeps_nothing(segments, client, place, key):
    segments.post_segment(*place, SegmentBody(name=key, key=key))
    add = [{"kind": "addIncludedTargets", "contextKind": "user", "values": ["ann"]}]
    assert semantic(client, place, key, add, dryRun="true").data.included == ["ann"]
    assert segments.get_segment(*place, key).included == []
    first = semantic(client, place, key, add).data.version
    assert semantic(client, place, key, add).data.version == first


def test_the_typed_json_patch_of_the_client_works(segments, place, key):
    segments.post_segment(*place, SegmentBody(name=key, key=key))
    patch = PatchWithComment(patch=[
        PatchOperation(op="add", path="/included/-", value="ann"),
        PatchOperation(op="replace", path="/description", value="by a client")], comment="c")
    patched = segments.patch_segment(*place, key, patch)
    assert (patched.included, patched.description) == (["ann"], "by a client")


def test_a_big_segment_is_filled_by_contexts(segments, place, key):
    segments.post_segment(*place, SegmentBody(name=key, key=key, unbounded=True, unbounded_context_kind="user"))
    many = [f"user-{number}" for number in range(5_000)]
    segments.update_big_segment_context_targets(*place, key, SegmentUserState(included=SegmentUserList(add=many)))
    segments.update_big_segment_targets(*place, key, SegmentUserState(included=SegmentUserList(remove=["user-0"])))
    read = segments.get_segment(*place, key)
    assert (read.unbounded, read.unbounded_metadata.included_count, read.included) == (True, 4_999, None)
    assert segments.get_segment_membership_for_context(*place, key, "user-1").included
    assert not segments.get_segment_membership_for_user(*place, key, "user-0").included


def test_segments_are_listed_in_pages(segments, place, key):
    for number in range(3):
        segments.post_segment(*place, SegmentBody(name=f"{key} {number}", key=f"{key}-{number}"))
    page = segments.get_segments(*place, limit=2, filter=f"query:{key}", sort="name")
    assert ([one.name for one in page.items], page.total_count) == ([f"{key} 0", f"{key} 1"], 3)
    rest = segments.get_segments(*place, limit=2, offset=2, filter=f"query:{key}", sort="name")
    assert [one.name for one in rest.items] == [f"{key} 2"]


def test_refusals_are_the_exceptions_a_program_expects(segments, data, place, key):
    with pytest.raises(launchdarkly_api.exceptions.NotFoundException) as refusal:
        segments.get_segment(*place, "unknown-segment")
    assert json.loads(refusal.value.body)["code"] == "not_found"
    with pytest.raises(launchdarkly_api.exceptions.ConflictException):
        segments.post_segment(*place, SegmentBody(name=key, key=key))
        segments.post_segment(*place, SegmentBody(name=key, key=key))
    wrong = launchdarkly_api.Configuration(host=data["base"], api_key={"ApiKey": "nothing"})
    with launchdarkly_api.ApiClient(wrong) as client, pytest.raises(launchdarkly_api.exceptions.UnauthorizedException):
        SegmentsApi(client).get_segment(*place, "unknown-segment")


def test_every_answer_tells_what_is_left_of_the_limits(segments, place, key):
    segments.post_segment(*place, SegmentBody(name=key, key=key))
    headers = {name.lower(): value for name, value in segments.get_segment_with_http_info(*place, key).headers.items()}
    for family in ("global", "route", "auth-token"):
        assert int(headers[f"x-ratelimit-{family}-remaining"]) < int(headers[f"x-ratelimit-{family}-limit"])
    assert abs(int(headers["x-ratelimit-reset"]) / 1000 - time.time()) < 15


def test_members_get_what_is_made_for_the_segment(segments, client, data, place, key):
    segments.post_segment(*place, SegmentBody(name=key, key=key))
    project, environment = place

    def manage(method, path, body):
        request = urllib.request.Request(f"{data['base']}/api/v1/{path}", method=method, data=json.dumps(body).encode(), headers={
            "Authorization": "Token " + data["token"], "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def flags(identifier):
        request = urllib.request.Request(f"{data['base']}/api/v1/identities/?identifier={identifier}", headers={"X-Environment-Key": environment})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {one["feature"]["name"]: one["feature_state_value"] for one in json.load(answer)["flags"]}

    name = "flag_" + key.replace("-", "_")
    feature = manage("POST", f"projects/{project}/features/", {"name": name, "initial_value": "plain", "default_enabled": True})["id"]
    with urllib.request.urlopen(urllib.request.Request(f"{data['base']}/api/v1/projects/{project}/list-segments/{key}/", headers={"Authorization": "Token " + data["token"]}), timeout=30) as answer:
        segment = json.load(answer)["segment"]
    manage("POST", f"environments/{environment}/features/{feature}/create-segment-override/", {
        "enabled": True, "feature_segment": {"segment": segment}, "feature_state_value": {"type": "unicode", "string_value": "listed"}})
    assert flags(key)[name] == "plain"
    semantic(client, place, key, [{"kind": "addIncludedTargets", "contextKind": "user", "values": [key]}])
    assert flags(key)[name] == "listed"
    semantic(client, place, key, [{"kind": "removeIncludedTargets", "contextKind": "user", "values": [key]}])
    assert flags(key)[name] == "plain"
