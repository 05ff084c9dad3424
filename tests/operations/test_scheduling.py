"""What was to happen while no server was up happens right after the start, in order."""
import datetime
import time

from cases import OnPostgres, OnSqlite


def in_seconds(seconds):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


def until(moment):
    """How many seconds are left."""
    return (moment - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


class Scheduling:
    def schedule(self, server, site, value, moment):
        site.made(server, f"environments/{site.key}/scheduled-changes/", {
            "feature": site.feature, "live_from": moment.isoformat().replace("+00:00", "Z"),
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
        # Far enough for a slow machine to be done by then.
        moment = in_seconds(15)
        self.schedule(server, site, "later", moment + datetime.timedelta(seconds=0.2))
        self.schedule(server, site, "earlier", moment)
        self.assertEqual(site.value(server), "first")
        before = site.flags(server).headers["X-Flagsmith-Document-Updated-At"]
        self.assertEqual(server.stop(), 0)
        self.assertGreater(until(moment), 0, "the server was stopped too late for this to mean anything")
        time.sleep(until(moment) + 0.5)
        server = self.start(database)
        took = self.wait_for(server, site, "later", 30)
        self.tell(f"live {took:.2f} s after the server was ready")
        self.assertGreater(float(site.flags(server).headers["X-Flagsmith-Document-Updated-At"]), float(before))
        waiting = self.ok(site.manage(server, "GET", f"environments/{site.key}/scheduled-changes/")).json()
        self.assertEqual(waiting["count"], 0)
        log = self.ok(site.manage(server, "GET", f"projects/{site.project}/audit/")).json()
        line = "Scheduled change to Flag state / Remote config value went live for feature: flag"
        self.assertEqual(sum(each["log"] == line for each in log["results"]), 2)

    def test_a_change_is_never_early_and_at_most_a_little_late(self):
        _, server, site = self.fresh()
        moment = in_seconds(4)
        self.schedule(server, site, "on time", moment)
        while True:
            left = until(moment)
            if site.value(server) == "on time":
                break
            self.assertGreater(left, -30, f"{-left:.1f} s late")
            time.sleep(0.02)
        # Asked after `left` was read: what was live by then was so at the earliest at its moment.
        self.assertLess(until(moment), 0, "before its time")
        self.tell(f"live {-until(moment):.2f} s after its time")


class SqliteTest(Scheduling, OnSqlite):
    pass


class PostgresTest(Scheduling, OnPostgres):
    pass
