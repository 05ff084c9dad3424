"""What tests work on: an organisation with a project, an environment, a flag and a segment, made through the API.

It is data, not a server: every call names the server that is asked, because most tests have several.
"""
import secrets


class Installation:
    def __init__(self, server):
        self.token = None
        person = {"email": f"ops-{secrets.token_hex(4)}@example.com", "password": "correct-horse-" + secrets.token_hex(6), "first_name": "Olga", "last_name": "Ops", "superuser": True}
        self.token = self.made(server, "auth/users/", person)["key"]
        organisation = self.made(server, "organisations/", {"name": "Operations"})
        self.project = self.made(server, "projects/", {"name": "Operations", "organisation": organisation["id"]})["id"]
        self.manage(server, "PATCH", f"projects/{self.project}/", {"enable_realtime_updates": True})
        environment = self.made(server, "environments/", {"name": "Production", "project": self.project})
        self.environment, self.key = environment["id"], environment["api_key"]
        self.server_key = self.made(server, f"environments/{self.key}/api-keys/", {"name": "operations"})["key"]
        self.feature = self.create_feature(server, "flag", "first")
        self.state = self.manage(server, "GET", f"environments/{self.key}/featurestates/?feature={self.feature}").json()["results"][0]["id"]
        self.segment = self.made(server, f"projects/{self.project}/segments/", self.segment_of("pro"))["id"]
        self.made(server, f"environments/{self.key}/features/{self.feature}/create-segment-override/", {
            "enabled": True, "feature_segment": {"segment": self.segment}, "feature_state_value": {"type": "unicode", "string_value": "for the segment"}})

    # ---- the management API
    def manage(self, server, method, path, body=None, **options):
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        return server.call(method, "/api/v1/" + path, body, headers, **options)

    def made(self, server, path, body):
        answer = self.manage(server, "POST", path, body)
        assert answer.status in (200, 201), f"POST {path}: {answer}"
        return answer.json()

    def create_feature(self, server, name, value):
        return self.made(server, f"projects/{self.project}/features/", {"name": name, "default_enabled": True, "initial_value": value})["id"]

    def segment_of(self, plan):
        condition = {"operator": "EQUAL", "property": "plan", "value": plan}
        return {"name": "customers", "project": self.project, "rules": [{"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "conditions": [condition], "rules": []}]}]}

    def set_value(self, server, value):
        """Gives the flag another value."""
        return self.manage(server, "PATCH", f"environments/{self.key}/featurestates/{self.state}/", {"enabled": True, "feature_state_value": value})

    # ---- the SDK API
    def sdk(self, server, method, path, body=None, key=None, **options):
        return server.call(method, "/api/v1/" + path, body, {"X-Environment-Key": key or self.key}, **options)

    def flags(self, server, key=None):
        return self.sdk(server, "GET", "flags/", key=key)

    def identify(self, server, identifier, traits=None, **options):
        body = {"identifier": identifier, "traits": [{"trait_key": name, "trait_value": value} for name, value in (traits or {}).items()]}
        return self.sdk(server, "POST", "identities/", body, **options)

    def traits(self, server, identifier):
        """The stored traits of an identity."""
        answer = self.sdk(server, "GET", "identities/?identifier=" + identifier)
        assert answer.status == 200, answer
        return {each["trait_key"]: each["trait_value"] for each in answer.json()["traits"]}

    def value(self, server):
        """What the flag is served as."""
        return self.flag(self.flags(server).json())

    @staticmethod
    def flag(flags, name="flag"):
        return next((each["feature_state_value"] for each in flags if each["feature"]["name"] == name), None)
