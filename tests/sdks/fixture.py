#!/usr/bin/env python3
"""Build the data the SDK suites run against, through the management API alone.

    fixture.py http://127.0.0.1:8000 [--out FILE]

Signs up an administrator, creates an organisation, a project, an environment with a server-side key, features,
segments, overrides and one identity with overrides, and writes one JSON document with the keys and the expected
answers. Both suites read that document, so what they expect is written down in one place: here.

Python 3.11, standard library only.
"""
import argparse
import json
import secrets
import sys
import urllib.error
import urllib.request

LAYOUT = '{"columns": 3, "theme": "dark"}'
LAYOUT_NARROW = '{"columns": 1, "theme": "light"}'
GREETING = "Gr\u00fc\u00df Gott \u2603"

# What every identity gets from the environment alone: name -> (enabled, value). The hash-dependent ones are not listed.
DEFAULTS = {
    "bool_on": (True, None),
    "title": (True, "default title"),
    "limit": (True, 42),
    "layout": (True, LAYOUT),
    "greeting": (True, GREETING),
    "old_page": (False, "old"),
    "flip": (False, None),
    "secret_limit": (True, 7),
}

# The contexts both suites evaluate remotely and locally. `expect` lists only what differs from DEFAULTS; the values
# of `checkout` (a split) and `rollout` (a percentage) are compared between remote and local only.
PRO = {"title": (True, "pro title"), "limit": (True, 100)}
MODERN = {"title": (True, "modern title")}
DACH = {"layout": (True, LAYOUT_NARROW)}
BETA = {"bool_on": (False, None), "old_page": (True, "beta")}
CONTEXTS = [
    ("plain", {}, {}),
    ("pro", {"plan": "pro"}, PRO),
    ("free", {"plan": "free"}, {}),
    ("pro-case", {"plan": "PRO"}, {}),
    ("pro-empty", {"plan": ""}, {}),
    ("version-equal", {"app_version": "2.1.0"}, MODERN),
    ("version-newer", {"app_version": "2.10.0"}, MODERN),
    ("version-older", {"app_version": "2.0.9"}, {}),
    ("version-prerelease", {"app_version": "2.1.0-rc.1"}, {}),
    ("version-build", {"app_version": "2.1.0+build.7"}, MODERN),
    ("version-broken", {"app_version": "v2.1"}, {}),
    # Two segments match: the one with the lower priority number decides the title, the limit stays with the other.
    ("pro-and-modern", {"plan": "pro", "app_version": "3.0.0"}, {**PRO, **MODERN}),
    ("dach-de", {"country": "de"}, DACH),
    ("dach-at", {"country": "at"}, DACH),
    ("dach-ch", {"country": "ch", "banned": False}, DACH),
    ("dach-banned", {"country": "de", "banned": True}, {}),
    ("dach-child", {"country": "de", "age": 12}, {}),
    ("dach-adult", {"country": "de", "age": 40}, DACH),
    ("dach-fr", {"country": "fr"}, {}),
    ("beta-first", {"email": "ada@example.com"}, BETA),
    ("beta-last", {"email": "grace@example.com"}, BETA),
    ("beta-not", {"email": "mallory@example.com"}, {}),
    ("beta-part", {"email": "ada@example.co"}, {}),
    ("staff", {"role": "staff"}, {"checkout": (True, "red value")}),
    ("staff-pro", {"role": "staff", "plan": "pro"}, {**PRO, "checkout": (True, "red value")}),
    ("everything", {"plan": "pro", "app_version": "2.2.0", "country": "at", "email": "ada@example.com"}, {**PRO, **MODERN, **DACH, **BETA}),
    ("u\u0308nicode \u00e9\u4f60", {"plan": "pro"}, PRO),
    ("with spaces + plus/slash?&=#", {"plan": "pro"}, PRO),
    ("someone@example.com", {"country": "ch"}, DACH),
    ("0a1b2c3d-4e5f-6789-abcd-ef0123456789", {"age": 30, "score": 1.5, "beta": True}, {}),
    # Identity overrides win over every segment, for that identity only.
    ("vip-user", {}, {"title": (True, "vip title"), "limit": (False, 7)}),
    ("vip-user", {"plan": "pro", "app_version": "9.0.0"}, {"title": (True, "vip title"), "limit": (False, 7)}),
    ("vip-user-2", {"plan": "pro"}, PRO),
]


class Api:
    """The few calls of the management API that the fixture and nothing else needs."""

    def __init__(self, base):
        self.base, self.token = base.rstrip("/"), None

    def call(self, method, path, body=None, ok=(200, 201, 204)):
        request = urllib.request.Request(self.base + "/api/v1/" + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept", "application/json")
        if self.token:
            request.add_header("Authorization", "Token " + self.token)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, raw = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, raw = error.code, error.read()
        if status not in ok:
            raise SystemExit(f"fixture: {method} {path} answered {status}: {raw.decode('utf-8', 'replace')[:600]}\n  request: {json.dumps(body)}")
        return json.loads(raw) if raw else None

    def post(self, path, body):
        return self.call("POST", path, body)

    def get(self, path):
        return self.call("GET", path)


def sign_up(api):
    """An administrator of our own. On an empty server this is also its first-run set-up, so ask for a superuser then."""
    request = urllib.request.Request(api.base + "/version/", headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        hosted = json.load(answer).get("self_hosted_data") or {}
    body = {"email": f"sdk-{secrets.token_hex(4)}@example.com", "password": "correct-horse-" + secrets.token_hex(6), "first_name": "Sdk", "last_name": "Suite"}
    if hosted.get("has_users") is False:
        body["superuser"] = True
    api.token = api.post("auth/users/", body)["key"]


def condition(operator, prop, value):
    return {"operator": operator, "property": prop, "value": value}


def rule(kind, conditions=(), rules=()):
    return {"type": kind, "conditions": list(conditions), "rules": list(rules)}


def segments_wanted():
    """name -> rules. The top level is ALL with nested rules, as the dashboard writes them."""
    return {
        "pro": [rule("ALL", rules=[rule("ANY", [condition("EQUAL", "plan", "pro")])])],
        "modern app": [rule("ALL", rules=[rule("ANY", [condition("GREATER_THAN_INCLUSIVE", "app_version", "2.1.0:semver")])])],
        "half": [rule("ALL", rules=[rule("ANY", [condition("PERCENTAGE_SPLIT", None, "50")])])],
        "dach": [rule("ALL", rules=[
            rule("ANY", [condition("EQUAL", "country", country) for country in ("de", "at", "ch")]),
            rule("NONE", [condition("EQUAL", "banned", "true"), condition("LESS_THAN", "age", "18")]),
        ])],
        "beta list": [rule("ALL", rules=[rule("ANY", [condition("IN", "email", "ada@example.com,alan@example.com,grace@example.com")])])],
        "staff": [rule("ALL", rules=[rule("ANY", [condition("EQUAL", "role", "staff")])])],
    }


def typed(value):
    """A feature state's value in the object dialect of segment overrides."""
    if isinstance(value, bool):
        return {"type": "bool", "boolean_value": value}
    if isinstance(value, int):
        return {"type": "int", "integer_value": value}
    return {"type": "unicode", "string_value": value}


def build(base):
    api = Api(base)
    sign_up(api)
    organisation = api.post("organisations/", {"name": "SDK suites"})
    project = api.post("projects/", {"name": "SDK suites " + secrets.token_hex(3), "organisation": organisation["id"]})
    api.call("PATCH", f"projects/{project['id']}/", {"enable_realtime_updates": True})
    environment = api.post("environments/", {"name": "Production", "project": project["id"]})
    key = environment["api_key"]
    server_key = api.post(f"environments/{key}/api-keys/", {"name": "sdk suites"})["key"]
    if not server_key.startswith("ser."):
        raise SystemExit(f"fixture: a server-side key should start with 'ser.', got {server_key[:8]}...")

    # features
    features = {}
    for name, (enabled, value) in DEFAULTS.items():
        body = {"name": name, "default_enabled": enabled, "initial_value": None if value is None else str(value)}
        if name == "secret_limit":
            body["is_server_key_only"] = True
        features[name] = api.post(f"projects/{project['id']}/features/", body)["id"]
    features["rollout"] = api.post(f"projects/{project['id']}/features/", {"name": "rollout", "default_enabled": False})["id"]
    features["checkout"] = api.post(f"projects/{project['id']}/features/", {"name": "checkout", "default_enabled": True, "initial_value": "classic value"})["id"]
    options = {}
    for option, weight in (("blue", 30), ("green", 20), ("red", 10)):
        options[option] = api.post(f"projects/{project['id']}/features/{features['checkout']}/mv-options/", {
            "type": "unicode", "string_value": f"{option} value", "default_percentage_allocation": weight, "key": option, "feature": features["checkout"]})["id"]

    # segments and their overrides
    segments = {name: api.post(f"projects/{project['id']}/segments/", {"name": name, "project": project["id"], "rules": rules})["id"] for name, rules in segments_wanted().items()}

    def override(feature, segment, enabled, value, priority=None, allocation=None):
        link = {"segment": segments[segment]} | ({} if priority is None else {"priority": priority})
        body = {"enabled": enabled, "feature_segment": link, "feature_state_value": typed(value)}
        if allocation:
            body["multivariate_feature_state_values"] = [{"multivariate_feature_option": options[k], "percentage_allocation": v} for k, v in allocation.items()]
        return api.post(f"environments/{key}/features/{features[feature]}/create-segment-override/", body)

    override("title", "pro", True, "pro title")
    moved = override("title", "modern app", True, "modern title", priority=0)   # takes place 0 and moves `pro` to place 1
    if moved["feature_segment"]["priority"] != 0:
        raise SystemExit(f"fixture: priority 0 was asked for, got {moved['feature_segment']}")
    override("limit", "pro", True, 100)
    override("rollout", "half", True, None)
    override("layout", "dach", True, LAYOUT_NARROW)
    override("bool_on", "beta list", False, None)
    override("old_page", "beta list", True, "beta")
    override("checkout", "staff", True, "classic value", allocation={"blue": 0, "green": 0, "red": 100})

    # one identity with overrides
    identity = api.post(f"environments/{key}/identities/", {"identifier": "vip-user", "environment": environment["id"]})
    for name, enabled, value in (("title", True, "vip title"), ("limit", False, 7)):
        api.post(f"environments/{key}/identities/{identity['id']}/featurestates/", {"feature": features[name], "enabled": enabled, "feature_state_value": value})

    states = {}
    for name, feature in features.items():
        page = api.get(f"environments/{key}/featurestates/?feature={feature}")
        states[name] = page["results"][0]["id"]

    return {
        "base": api.base, "token": api.token, "organisation": organisation["id"], "project": project["id"],
        "environment": {"id": environment["id"], "client_key": key, "server_key": server_key},
        "features": features, "feature_states": states, "segments": segments,
        "server_key_only": ["secret_limit"], "hash_dependent": ["checkout", "rollout"],
        "variants": {"control": "classic value"} | {option: f"{option} value" for option in options},
        "defaults": {name: {"enabled": enabled, "value": value} for name, (enabled, value) in DEFAULTS.items()},
        "contexts": [{"identifier": identifier, "traits": traits,
                      "expect": {name: {"enabled": enabled, "value": value} for name, (enabled, value) in ({k: v for k, v in DEFAULTS.items()} | expect).items()}}
                     for identifier, traits, expect in CONTEXTS],
        "split_identifiers": [f"split-{n:03}" for n in range(200)],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="for example http://127.0.0.1:8000")
    parser.add_argument("--out", help="write the JSON to this file instead of standard output")
    arguments = parser.parse_args()
    text = json.dumps(build(arguments.base), indent=1, ensure_ascii=True)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as out:
            out.write(text + "\n")
    else:
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
