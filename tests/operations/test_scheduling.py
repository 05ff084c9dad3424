"""What was to happen while no server was up happens right after the start, in order."""
import datetime
import time

from cases import OnPostgres, OnSqlite


def in_seconds(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.isoformat().replace("+00:00", "Z")


class Scheduling:
    def schedule(self, server, site, value, seconds):
        site.made(server, f"environments/{site.key}/scheduled-changes/", {
            "feature": site.feature, "live_from": in_seconds(seconds),
            "feature_states_to_update": [{"enabled": True, "feature_state_value": {"type": "unicode", "string_value": value}}]})

    def wait_for(self, server, site, value, seconds):
        """How long it took until the flag had the value."""
        start = time.monotonic()
        while site.value(server) != value:
            self.assertLess(time.monotonic() - start, seconds, f"still {site.value(server)}")
            time.sleep(0.02)
        return time.monotonic() - start

    def test_what_came_due_while_the_server_was_down_happens_at_the_start(self):
        database, server, site = self.fresh()
        self.schedule(server, site, "later", 2.2)
        self.schedule(server, site, "earlier", 2)
        self.assertEqual(site.value(server), "first")
        before = site.flags(server).headers["X-Flagsmith-Document-Updated-At"]
        self.assertEqual(server.stop(), 0)
        time.sleep(3)
        server = self.start(database)
        took = self.wait_for(server, site, "later", 5)
        self.tell(f"live {took:.2f} s after the server was ready")
        self.assertGreater(float(site.flags(server).headers["X-Flagsmith-Document-Updated-At"]), float(before))
        waiting = self.ok(site.manage(server, "GET", f"environments/{site.key}/scheduled-changes/")).json()
        self.assertEqual(waiting["count"], 0)
        log = self.ok(site.manage(server, "GET", f"projects/{site.project}/audit/")).json()
        line = "Scheduled change to Flag state / Remote config value went live for feature: flag"
        self.assertEqual(sum(each["log"] == line for each in log["results"]), 2)

    def test_a_change_is_at_most_a_little_late(self):
        _, server, site = self.fresh()
        self.schedule(server, site, "on time", 2)
        took = self.wait_for(server, site, "on time", 6)
        self.tell(f"scheduled 2 s ahead, live after {took:.2f} s")
        self.assertGreater(took, 1)


class SqliteTest(Scheduling, OnSqlite):
    pass


class PostgresTest(Scheduling, OnPostgres):
    pass
