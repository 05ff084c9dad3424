"""What the tests share: the fixture's document, clients made from it, and a thin hand on the management API."""
import json
import os
import time
import urllib.parse

import pytest
import requests
from flagsmith import Flagsmith


@pytest.fixture(scope="session")
def data():
    path = os.environ.get("BURGEE_SDK_FIXTURE")
    if not path:
        pytest.exit("BURGEE_SDK_FIXTURE must name the file that fixture.py wrote", returncode=2)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture
def client(data):
    """client(key, **options): a Flagsmith client for "client" or "server" key; its threads are stopped after the test."""
    made = []

    def make(key="client", **options):
        made.append(Flagsmith(environment_key=data["environment"][key + "_key"], api_url=data["base"] + "/api/v1/", **options))
        return made[-1]

    yield make
    for one in made:
        for thread in ("environment_data_polling_manager_thread", "event_stream_thread"):
            if hasattr(one, thread):
                getattr(one, thread).stop()


class Management:
    def __init__(self, data):
        self.data, self.root = data, data["base"] + "/api/v1/"
        self.key = data["environment"]["client_key"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Token " + data["token"]

    def call(self, method, path, body=None):
        answer = self.session.request(method, self.root + path, json=body, timeout=30)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def set_enabled(self, feature, enabled):
        self.call("PATCH", f"environments/{self.key}/featurestates/{self.data['feature_states'][feature]}/", {"enabled": enabled})

    def identity(self, identifier):
        """The stored identity of exactly this name, or None."""
        query = urllib.parse.quote(f'"{identifier}"')
        found = self.call("GET", f"environments/{self.key}/identities/?q={query}")["results"]
        return next((one for one in found if one["identifier"] == identifier), None)

    def traits(self, identifier):
        """key -> value of what is stored, or None when there is no such identity."""
        identity = self.identity(identifier)
        if identity is None:
            return None
        columns = {"int": "integer_value", "unicode": "string_value", "bool": "boolean_value", "float": "float_value"}
        stored = self.call("GET", f"environments/{self.key}/identities/{identity['id']}/traits/")["results"]
        return {one["trait_key"]: one[columns[one["value_type"]]] for one in stored}


@pytest.fixture
def management(data):
    return Management(data)


@pytest.fixture
def unique():
    """A name no other test and no other run uses."""
    return f"python-{os.getpid()}-{time.time_ns()}"


def answers(flags):
    return {flag.feature_name: {"enabled": flag.enabled, "value": flag.value} for flag in flags.all_flags()}


def within(seconds, check):
    """Wait until check() is true; how long it took, or fail."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if check():
            return time.monotonic() - start
        time.sleep(0.05)
    pytest.fail(f"not seen within {seconds} seconds")
