"""A start on a database that is there already: everything is kept, and nothing is changed."""
from cases import OnPostgres, OnSqlite


class Restart:
    def everything(self, server, site):
        return {
            "flags": self.ok(site.flags(server)).json(),
            "flags with a server key": self.ok(site.flags(server, key=site.server_key)).json(),
            "document": self.ok(site.sdk(server, "GET", "environment-document/", key=site.server_key)).json(),
            "version": site.flags(server).headers["X-Flagsmith-Document-Updated-At"],
            "identity": self.ok(site.identify(server, "ada", {"plan": "pro"})).json(),
            "anonymous": self.ok(site.identify(server, None, {"plan": "free"})).json(),
            "traits": site.traits(server, "ada"),
            "me": self.ok(site.manage(server, "GET", "auth/users/me/")).json(),
            "features": self.ok(site.manage(server, "GET", f"projects/{site.project}/features/")).json(),
            "segments": self.ok(site.manage(server, "GET", f"projects/{site.project}/segments/")).json(),
            "environments": self.ok(site.manage(server, "GET", f"environments/?project={site.project}")).json(),
            "server keys": self.ok(site.manage(server, "GET", f"environments/{site.key}/api-keys/")).json(),
        }

    def test_a_second_start_keeps_everything(self):
        database, server, site = self.fresh()
        self.ok(site.set_value(server, "changed"))
        self.ok(site.identify(server, "ada", {"plan": "pro", "age": 36, "score": 1.5, "beta": True, "name": "Gr\u00fc\u00dfe \u2603"}))
        before = self.everything(server, site)
        self.assertEqual(len(before["traits"]), 5)
        self.assertEqual(server.stop(), 0)
        server = self.start(database)
        self.assertEqual(self.everything(server, site), before)
        self.ok(site.set_value(server, "changed again"))
        self.assertEqual(site.value(server), "changed again")

    def test_a_start_on_a_database_that_is_up_to_date_changes_nothing(self):
        database, server, site = self.fresh()
        self.ok(site.identify(server, "ada", {"plan": "pro"}))
        self.assertEqual(server.stop(), 0)
        before = database.dump()
        for word in ("feature_states", "_sqlx_migrations", "ada", site.key):
            self.assertIn(word, before)
        for _ in range(2):
            server = self.start(database)
            self.assertEqual(server.stop(), 0)
            self.assertEqual(database.dump(), before)

    def test_a_database_made_by_other_migrations_is_refused_and_left_alone(self):
        database, server, site = self.fresh()
        self.assertEqual(server.stop(), 0)
        self.change(database, "update _sqlx_migrations set checksum = " + self.OTHER_CHECKSUM)
        before = database.dump()
        server = self.start(database, wait=False)
        self.assertNotIn(server.wait(20), (0, None), "it runs on a schema that is not its own")
        self.assertEqual(database.dump(), before)


class SqliteTest(Restart, OnSqlite):
    OTHER_CHECKSUM = "x'00'"

    def change(self, database, statement):
        connection = database.connect("rw")
        connection.execute(statement)
        connection.commit()
        connection.close()


class PostgresTest(Restart, OnPostgres):
    OTHER_CHECKSUM = r"'\x00'::bytea"

    def change(self, database, statement):
        database.cluster.psql(database.url, statement)
