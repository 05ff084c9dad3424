"""Makes something to ask about through the API, and writes Schemathesis' configuration with its ids.

    world.py SERVER_URL CONFIGURATION    prints the administrator's token and a server-side key
"""
import json
import sys
import urllib.request

server, configuration = sys.argv[1:]
token = ""


def call(method, path, body=None):
    request = urllib.request.Request(server + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Token {token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if text else None


person = {"email": "ada@example.com", "password": "Correct-Horse-7", "first_name": "Ada", "last_name": "L", "superuser": True}
token = call("POST", "/api/v1/auth/users/", person)["key"]
organisation = call("POST", "/api/v1/organisations/", {"name": "Acme"})["id"]
project = call("POST", "/api/v1/projects/", {"name": "Web", "organisation": organisation})["id"]
environment = call("POST", "/api/v1/environments/", {"name": "Development", "project": project})
key = environment["api_key"]
feature = call("POST", f"/api/v1/projects/{project}/features/", {"name": "banner", "initial_value": "x"})["id"]
rules = [{"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "rules": [], "conditions": [{"property": "age", "operator": "EQUAL", "value": "3"}]}]}]
segment = call("POST", f"/api/v1/projects/{project}/segments/", {"name": "threes", "project": project, "rules": rules})["id"]
identity = call("POST", f"/api/v1/environments/{key}/identities/", {"identifier": "alice"})["id"]
tag = call("POST", f"/api/v1/projects/{project}/tags/", {"label": "beta", "color": "#123456"})["id"]
group = call("POST", f"/api/v1/organisations/{organisation}/groups/", {"name": "team"})["id"]
server_key = call("POST", f"/api/v1/environments/{key}/api-keys/", {"name": "server"})["key"]
user = call("GET", "/api/v1/auth/users/me/")["id"]

ids = {
    "organisation_id": organisation, "project_id": project, "environment_id": environment["id"], "feature_id": feature,
    "segment_id": segment, "identity_id": identity, "tag_id": tag, "group_id": group, "user_id": user,
    "environment_key": key, "environment_api_key": key, "api_key": key, "identifier": "alice",
}
# Operations that ask somebody else's server declare a 502 for when it fails, which is what it does where there is no network.
paths = call("GET", "/api/v1/openapi.json")["paths"]
gateways = [operation["operationId"] for path in paths.values() for operation in path.values() if "502" in operation["responses"]]
with open(configuration, "w") as file:
    file.write("[parameters]\n")
    for name, value in ids.items():
        file.write(f'"path.{name}" = {json.dumps(value)}\n')
    for gateway in gateways:
        file.write(f'[[operations]]\ninclude-operation-id = {json.dumps(gateway)}\n')
        file.write('checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "502"]\n')
print(token, server_key)
