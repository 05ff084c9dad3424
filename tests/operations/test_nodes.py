"""Several nodes on one Postgres: what one is told, the other serves; and neither loses what the other wrote."""
import databases
from cases import Case, OnPostgres, OnSqlite
from http_client import EventStream, gather, until
from installation import Installation

WITHIN = 1.0


class TwoNodesTest(OnPostgres):
    def setUp(self):
        self.db = self.database()
        self.a, self.b = self.start(self.db), self.start(self.db)
        self.site = Installation(self.a)
        until(lambda: self.document(self.b) == self.document(self.a), 5, "the installation on the other node")

    def document(self, node):
        answer = self.site.sdk(node, "GET", "environment-document/", key=self.site.server_key)
        return answer.status, answer.json()

    def reaches(self, what, check, times=None):
        took = until(check, WITHIN, f"{what} on the other node")
        if times is None:
            self.tell(f"{what}: {took * 1000:.0f} ms")
        else:
            times.append(took)

    def test_a_change_on_one_node_is_served_by_the_other(self):
        site, a, b, times = self.site, self.a, self.b, []
        for turn in range(10):
            self.ok(site.set_value(a, f"value {turn}"))
            self.reaches("a flag's value", lambda: site.value(b) == f"value {turn}", times)
        times.sort()
        self.tell(f"a flag's value, 10 times: median {times[5] * 1000:.0f} ms, slowest {times[-1] * 1000:.0f} ms")
        self.ok(site.set_value(b, "backwards"))
        self.reaches("a flag's value, the other way", lambda: site.value(a) == "backwards")
        site.create_feature(a, "another", "new")
        self.reaches("a new flag", lambda: site.flag(site.flags(b).json(), "another") == "new")
        environment = site.made(a, "environments/", {"name": "Staging", "project": site.project})
        self.reaches("a new environment", lambda: site.flags(b, key=environment["api_key"]).status == 200)
        self.ok(site.manage(a, "DELETE", f"environments/{environment['api_key']}/"), 204)
        self.reaches("a deleted environment", lambda: site.flags(b, key=environment["api_key"]).status == 403)
        self.assertEqual(self.document(a), self.document(b))

    def test_server_keys_open_and_close_on_the_other_node(self):
        site, a, b = self.site, self.a, self.b
        key = site.made(a, f"environments/{site.key}/api-keys/", {"name": "second"})
        document = lambda: site.sdk(b, "GET", "environment-document/", key=key["key"])
        self.reaches("a new server key", lambda: document().status == 200)
        place = f"environments/{site.key}/api-keys/{key['id']}/"
        self.ok(site.manage(a, "PATCH", place, {"active": False}))
        self.reaches("a deactivated server key", lambda: document().status in (401, 403))
        self.ok(site.manage(a, "PATCH", place, {"active": True}))
        self.reaches("a server key activated again", lambda: document().status == 200)
        self.ok(site.manage(a, "DELETE", place), 204)
        self.reaches("a deleted server key", lambda: document().status in (401, 403))
        self.assertEqual(document().status, site.sdk(a, "GET", "environment-document/", key=key["key"]).status)

    def test_segments_and_identity_overrides_reach_the_other_node(self):
        site, a, b = self.site, self.a, self.b
        seen = lambda plan: site.flag(site.identify(b, None, {"plan": plan}).json()["flags"])
        self.assertEqual((seen("pro"), seen("gold")), ("for the segment", "first"))
        self.ok(site.manage(a, "PUT", f"projects/{site.project}/segments/{site.segment}/", site.segment_of("gold")))
        self.reaches("an edited segment", lambda: (seen("pro"), seen("gold")) == ("first", "for the segment"))

        identity = site.made(a, f"environments/{site.key}/identities/", {"identifier": "vip"})
        asked = lambda: site.flag(site.sdk(b, "GET", "identities/?identifier=vip").json()["flags"])
        self.assertEqual(asked(), "first")
        states = f"environments/{site.key}/identities/{identity['id']}/featurestates/"
        state = site.made(a, states, {"feature": site.feature, "enabled": True, "feature_state_value": "for the vip"})
        self.reaches("an identity override", lambda: asked() == "for the vip")
        self.ok(site.manage(a, "DELETE", f"{states}{state['id']}/"), 204)
        self.reaches("a deleted identity override", lambda: asked() == "first")

    def test_an_event_stream_on_the_other_node_tells_of_the_change(self):
        site, a, b, times = self.site, self.a, self.b, []
        stream = EventStream(b.port, site.key)
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200)
        until(lambda: stream.events, 5, "the first event")
        for turn in range(5):
            known, version = len(stream.events), stream.events[-1][0]
            self.ok(site.set_value(a, f"told {turn}"))
            self.reaches("an event", lambda: len(stream.events) > known, times)
            # Whoever fetches because of the event must get the new answer, and not be told twice.
            self.assertEqual(site.value(b), f"told {turn}")
            self.assertGreater(stream.events[-1][0], version)
        self.tell(f"an event, 5 times: slowest {max(times) * 1000:.0f} ms")

    def test_traits_written_on_both_nodes_at_once_are_all_kept(self):
        site, nodes, each = self.site, (self.a, self.b), 40

        def increments(number):
            body = {"identifier": "counted", "trait_key": "visits", "increment_by": 1}
            return [site.sdk(nodes[number % 2], "POST", "traits/increment-value/", body).status for _ in range(each)]

        statuses = sum(gather(6, increments), [])
        self.assertEqual(set(statuses), {200})
        for node in nodes:
            self.assertEqual(site.traits(node, "counted"), {"visits": 6 * each})

    def test_an_identity_created_on_both_nodes_at_once_is_one_with_both_traits(self):
        site, nodes = self.site, (self.a, self.b)
        for turn in range(25):
            answers = gather(4, lambda n: site.identify(nodes[n % 2], f"twin-{turn}", {f"trait{n}": n}))
            self.assertEqual([answer.status for answer in answers], [200] * 4, answers)
        rows = self.db.rows("select identifier, count(*) as copies from identities where identifier like 'twin-%' group by identifier")
        self.assertEqual(len(rows), 25)
        self.assertEqual({row["copies"] for row in rows}, {1})
        for turn in range(25):
            self.assertEqual(site.traits(nodes[turn % 2], f"twin-{turn}"), {f"trait{n}": n for n in range(4)})

    def test_identities_written_in_any_order_on_both_nodes_never_wait_in_a_circle(self):
        site, nodes = self.site, (self.a, self.b)
        names = [f"crowd-{n:02}" for n in range(30)]

        def bulk(number):
            statuses = []
            for turn in range(8):
                order = names if (number + turn) % 2 else names[::-1]
                traits = [{"trait_key": f"k{number}", "trait_value": turn}]
                body = {"data": [{"identifier": name, "traits": traits} for name in order]}
                statuses.append(site.sdk(nodes[number % 2], "PUT", "bulk-identities/", body).status)
            return statuses

        self.assertEqual(set(sum(gather(6, bulk), [])), {202})
        for name in (names[0], names[-1]):
            self.assertEqual(site.traits(self.a, name), {f"k{n}": 7 for n in range(6)})

    def test_changes_made_on_both_nodes_at_once_all_reach_both(self):
        site, nodes, each = self.site, (self.a, self.b), 8

        def features(number):
            return [site.create_feature(nodes[number % 2], f"made_{number}_{turn}", "x") for turn in range(each)]

        made = sum(gather(4, features), [])
        self.assertEqual(len(set(made)), 4 * each)
        wanted = {f"made_{number}_{turn}" for number in range(4) for turn in range(each)}
        names = lambda node: {flag["feature"]["name"] for flag in site.flags(node).json()}
        for node in nodes:
            until(lambda: wanted <= names(node), 2, "every new flag")


class FirstStart(Case):
    """Nodes that are started together on an empty database: one prepares it, all of them run."""

    def test_nodes_started_together_on_an_empty_database_all_come_up(self):
        for round in range(4):
            with self.subTest(round=round):
                database = self.database()
                servers = [self.start(database, wait=False) for _ in range(4)]
                for server in servers:
                    server.wait_until_alive()
                site = Installation(servers[0])
                for server in servers[1:]:
                    until(lambda: site.flags(server).status == 200, 5, "the new environment")
                # Signed in on one is signed in on all.
                for server in servers:
                    self.ok(site.manage(server, "GET", "auth/users/me/"))
            for server in servers:
                server.kill()


class FirstStartOnPostgresTest(FirstStart, OnPostgres):
    pass


class FirstStartOnSqliteTest(FirstStart, OnSqlite):
    pass


del FirstStart


class SameFileTest(OnSqlite):
    """Two processes on one SQLite file: not how it is meant to be run, but nothing may break."""

    def test_two_processes_on_one_file_see_each_other_and_break_nothing(self):
        database, a, site = self.fresh()
        b = self.start(database)
        for one, other, value in ((a, b, "from a"), (b, a, "from b")):
            self.ok(site.set_value(one, value))
            took = until(lambda: site.value(other) == value, 2.5, "the change in the other process")
            self.tell(f"a change reached the other process in {took:.2f} s")
        nodes, each = (a, b), 25

        def work(number):
            body = {"identifier": "counted", "trait_key": "visits", "increment_by": 1}
            statuses = [site.sdk(nodes[number % 2], "POST", "traits/increment-value/", body).status for _ in range(each)]
            site.create_feature(nodes[number % 2], f"feature_{number}", "x")
            return statuses

        self.assertEqual(set(sum(gather(4, work), [])), {200})
        for node in nodes:
            # Each process keeps identities it was just asked for, for a second.
            until(lambda: site.traits(node, "counted") == {"visits": 4 * each}, 2.5, "every visit")
            until(lambda: len(site.flags(node).json()) == 5, 2.5, "every new flag")
        self.assertEqual((a.stop(), b.stop()), (0, 0))
        connection = database.connect("rw")
        self.addCleanup(connection.close)
        self.assertEqual([tuple(row) for row in connection.execute("pragma integrity_check")], [("ok",)])
        self.assertEqual([tuple(row) for row in connection.execute("pragma foreign_key_check")], [])
