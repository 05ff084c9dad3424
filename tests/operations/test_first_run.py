"""A fresh installation: who may make the first administrator, and how long a start takes."""
import re

import databases
from cases import OnPostgres, OnSqlite
from installation import Installation

PLACE = "/api/v1/users/config/init/"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class FirstRun:
    def superusers(self, database):
        return [row["email"] for row in database.rows("select email from users where is_superuser")]

    def code(self, server):
        found = re.search(r"one-time code: (\S+?)\)", server.output())
        return found and found[1]

    def test_on_loopback_no_code_is_needed_and_it_works_once(self):
        database = self.database()
        port = databases.free_port()
        server = self.start(database, port=port)
        self.assertIsNone(self.code(server))
        self.assertRegex(server.output(), rf"Set up the first administrator: http://127\.0\.0\.1:{port}({PLACE}|/setup)\n")
        self.assertNotIn(b'name="code"', self.ok(server.get(PLACE)).body)
        done = self.ok(server.call("POST", PLACE, {"email": "first@example.com"})).json()
        self.assertRegex(done["passwordResetUrl"], rf"^http://127\.0\.0\.1:{port}/")
        self.assertEqual(server.get(PLACE).status, 404)
        self.assertEqual(server.call("POST", PLACE, {"email": "second@example.com"}).status, 404)
        self.assertEqual(self.superusers(database), ["first@example.com"])
        self.assertEqual(server.stop(), 0)
        again = self.start(database)
        self.assertEqual(again.get(PLACE).status, 404)
        self.assertNotIn("Set up the first administrator", again.output())

    def test_where_others_can_reach_it_the_printed_code_is_asked_for(self):
        database = self.database()
        server = self.start(database, host="0.0.0.0")
        code = self.code(server)
        self.assertTrue(code, server.output())
        self.assertGreaterEqual(len(code), 10)
        self.assertIn(b'name="code"', self.ok(server.get(PLACE)).body)
        for wrong in ({}, {"code": ""}, {"code": code[:-1]}, {"code": code + "x"}, {"code": code.swapcase()}, {"code": None}, {"code": [code]}):
            answer = server.call("POST", PLACE, {"email": "thief@example.com"} | wrong)
            self.assertEqual(answer.status, 400, f"{wrong}: {answer}")
        # The other way to become a superuser on an empty installation.
        server.call("POST", "/api/v1/auth/users/", {"email": "thief@example.com", "password": "correct-horse-42", "first_name": "T", "last_name": "T", "superuser": True})
        self.assertEqual(self.superusers(database), [])
        self.ok(server.get(PLACE))
        # As a browser sends it.
        self.ok(server.call("POST", PLACE, f"email=first%40example.com&code={code}".encode(), FORM))
        self.assertEqual(self.superusers(database), ["first@example.com"])
        self.assertEqual(server.get(PLACE).status, 404)
        self.assertEqual(server.call("POST", PLACE, {"email": "second@example.com", "code": code}).status, 404)
        self.assertEqual(server.stop(), 0)
        again = self.start(database, host="0.0.0.0")
        self.assertIsNone(self.code(again))

    def test_every_start_has_a_code_of_its_own(self):
        database = self.database()
        first = self.start(database, host="0.0.0.0")
        old = self.code(first)
        self.assertEqual(first.stop(), 0)
        second = self.start(database, host="0.0.0.0")
        self.assertNotEqual(self.code(second), old)
        self.assertEqual(second.call("POST", PLACE, {"email": "first@example.com", "code": old}).status, 400)
        self.ok(second.call("POST", PLACE, {"email": "first@example.com", "code": self.code(second)}))

    def test_it_is_ready_soon_after_the_start(self):
        database = self.database()
        server = self.start(database)
        site = Installation(server)
        for n in range(20):
            site.create_feature(server, f"feature_{n}", "x")
        self.assertEqual(server.stop(), 0)
        times = []
        for _ in range(3):
            server = self.start(database, wait=False)
            times.append(server.wait_until_alive())
            # Alive means that it serves, not that it will.
            self.assertEqual(site.value(server), "first")
            self.ok(server.get("/health/readiness/"))
            self.assertEqual(server.stop(), 0)
        self.tell("alive after " + ", ".join(f"{each:.2f}" for each in times) + " s (wanted: 1, failed beyond: 5)")
        self.assertLess(min(times), 5)


class SqliteTest(FirstRun, OnSqlite):
    pass


class PostgresTest(FirstRun, OnPostgres):
    pass
