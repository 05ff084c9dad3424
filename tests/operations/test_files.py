"""`burgee export` and `burgee import`: a project, or a whole organisation, from one installation to another as a file."""
import json
import os
import subprocess

import http_client
import processes
from cases import OnPostgres, OnSqlite


class Files:
    def burgee(self, command, database, *arguments, status=0):
        """Runs a command on a database; what it printed, on standard output and beside it."""
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        done = subprocess.run(
            [processes.BINARY, command, *map(str, database.arguments), *map(str, arguments)], stdin=subprocess.DEVNULL,
            capture_output=True, cwd=processes.directory(), env=environment, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def answers(self, server, site):
        """What people are served: everybody, and some identities by name."""
        found = {"flags": self.ok(site.flags(server)).json()}
        for number in range(12):
            answer = self.ok(site.sdk(server, "GET", f"identities/?identifier=person-{number}")).json()
            found[number] = ([[each["feature"]["name"], each["enabled"], each["feature_state_value"]] for each in answer["flags"]], answer["traits"])
        found["flags"] = [[each["feature"]["name"], each["enabled"], each["feature_state_value"]] for each in found["flags"]]
        return found

    def furnished(self):
        database, server, site = self.fresh()
        options = [{"type": "unicode", "string_value": value, "key": value, "default_percentage_allocation": 40} for value in ("left", "right")]
        site.made(server, f"projects/{site.project}/features/", {"name": "split", "initial_value": "control", "default_enabled": True, "multivariate_options": options})
        for number in range(12):
            self.ok(site.identify(server, f"person-{number}", {"plan": "pro" if number % 3 == 0 else "free", "number": number}))
        return database, server, site

    def organisation(self, server, site):
        return self.ok(site.manage(server, "GET", "organisations/")).json()["results"][0]["id"]

    def test_a_project_moves_to_another_installation_and_serves_the_same(self):
        database, server, site = self.furnished()
        before = self.answers(server, site)
        served = {value for number in range(12) for name, _, value in before[number][0] if name == "split"}
        self.assertTrue({"left", "right"} & served, served)
        file = processes.directory() / "project.ndjson"
        # The server goes on meanwhile.
        self.burgee("export", database, "--project", site.project, "--keys", "--identities", file)
        self.ok(site.flags(server))
        lines = file.read_text(encoding="utf-8").splitlines()
        self.assertEqual(json.loads(lines[0])["format"], "burgee/project")
        self.assertEqual(json.loads(lines[-1])["identities"], 12)

        other, elsewhere, there = self.fresh()
        organisation = self.organisation(elsewhere, there)
        told, _ = self.burgee("import", other, file, "--organisation", organisation, "--name", "Moved", "--dry-run")
        self.assertIn("Nothing was written", told)
        self.assertEqual(site.flags(elsewhere).status, 403)
        told, _ = self.burgee("import", other, file, "--organisation", organisation, "--name", "Moved")
        self.assertIn('new project "Moved"', told)
        self.assertIn("new: 12 identities", told)
        # The owners of its features are nobody here.
        self.assertEqual([line.split(": ")[1] for line in told.splitlines() if "not as in the file" in line], ["2 owners of features"])
        # A server that runs learns of it by itself: both keys of the environment open it.
        http_client.until(lambda: site.flags(elsewhere).status == 200, 10, "the project is served")
        self.assertEqual(self.answers(elsewhere, site), before)
        self.ok(site.sdk(elsewhere, "GET", "environment-document/", key=site.server_key))
        self.assertEqual(elsewhere.stop(), 0)
        elsewhere = self.start(other)
        self.assertEqual(self.answers(elsewhere, site), before)

    def test_a_file_on_standard_output_and_back_into_the_project_changes_nothing(self):
        database, server, site = self.furnished()
        before = self.answers(server, site)
        text, _ = self.burgee("export", database, "--project", site.project, "--keys")
        file = processes.directory() / "again"
        file.write_text(text, encoding="utf-8")
        told, _ = self.burgee("import", database, file, "--project", site.project)
        self.assertIn("changed: 2 features", told)
        self.assertEqual(self.answers(server, site), before)

    def test_an_organisation_moves_whole(self):
        database, server, site = self.furnished()
        organisation = self.organisation(server, site)
        site.made(server, f"organisations/{organisation}/groups/", {"name": "crew"})
        file = processes.directory() / "organisation.json"
        self.burgee("export", database, "--organisation", organisation, "--keys", file)
        other, elsewhere, there = self.fresh()
        into = self.organisation(elsewhere, there)
        told, _ = self.burgee("import", other, file, "--organisation", into)
        self.assertIn("new: 1 groups", told)
        # The project of that name is there already, with its own "Production".
        self.assertIn(f'project "Operations" ({there.project})', told)
        http_client.until(lambda: len(there.flags(elsewhere).json()) == 2, 10, "the new flag is served")

    def test_what_can_not_be_done_is_said_and_nothing_is_written(self):
        database, server, site = self.furnished()
        _, told = self.burgee("export", database, "--project", 9999, status=1)
        self.assertIn("there is no project 9999", told)
        file = processes.directory() / "project.ndjson"
        self.burgee("export", database, "--project", site.project, "--identities", file)
        # Cut off in the middle, as by a full disk.
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) * 2 // 3])
        features = self.ok(site.manage(server, "GET", f"projects/{site.project}/features/")).json()
        _, told = self.burgee("import", database, file, "--project", site.project, status=1)
        self.assertIn("breaks off", told)
        file.write_bytes(whole.replace(b'"split"', b'"spl1t"', 1))
        _, told = self.burgee("import", database, file, "--project", site.project, status=1)
        self.assertIn("not as it was written", told)
        self.assertEqual(self.ok(site.manage(server, "GET", f"projects/{site.project}/features/")).json(), features)


class SqliteTest(Files, OnSqlite):
    def test_no_database_is_made_where_there_is_none(self):
        database = self.database()
        _, told = self.burgee("export", database, "--project", 1, status=1)
        self.assertIn("there is no database", told)
        self.assertFalse(database.file.exists())


class PostgresTest(Files, OnPostgres):
    pass
