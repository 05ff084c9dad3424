"""The database goes away and comes back: flags are served throughout, writes are refused honestly and then work again."""
import time

import databases
from cases import OnPostgres
from http_client import EventStream, gather, until

# What is served from memory may not wait for the database. Generous, because machines differ.
PROMPT = 1.0
# A write may wait this long before it is refused.
REFUSED_WITHIN = 10


class OutageTest(OnPostgres):
    def database(self):
        # A cluster of its own: nobody else's tests may run on it.
        self.cluster = databases.Cluster()
        self.addCleanup(self.cluster.remove)
        return databases.Postgres(self.cluster)

    def reads(self, server, site):
        """Everything that is to be answered without the database: name → body."""
        asked = {
            "flags": lambda: site.flags(server),
            "flags with a server key": lambda: site.flags(server, key=site.server_key),
            "one flag": lambda: site.sdk(server, "GET", "flags/?feature=flag"),
            "environment document": lambda: site.sdk(server, "GET", "environment-document/", key=site.server_key),
            "transient identity": lambda: site.sdk(server, "GET", "identities/?identifier=x&transient=true"),
            "anonymous": lambda: site.identify(server, None, {"plan": "pro", "age": 7}),
            "anonymous, other traits": lambda: site.identify(server, None, {"plan": "free"}),
        }
        bodies = {}
        for name, ask in asked.items():
            began = time.monotonic()
            answer = ask()
            took = time.monotonic() - began
            self.assertEqual(answer.status, 200, f"{name}: {answer}")
            self.assertLess(took, PROMPT, f"{name} was answered after {took:.2f} s")
            bodies[name] = answer.json()
        return bodies

    def refused(self, name, write):
        """One write that must be answered 503; how long that took."""
        began = time.monotonic()
        answer = write()
        took = time.monotonic() - began
        self.assertEqual(answer.status, 503, f"{name}: {answer}")
        self.assertRegex(answer.headers.get("Retry-After", ""), r"^[1-9][0-9]*$", name)
        self.assertIn("detail", answer.json(), name)
        self.assertLess(took, REFUSED_WITHIN, name)
        return took

    def test_flags_are_served_while_the_database_is_away_and_writes_work_when_it_is_back(self):
        database, server, site = self.fresh()
        self.ok(site.set_value(server, "before"))
        self.ok(site.identify(server, "ada", {"stored": "before the outage"}))
        # Connections that the pool keeps are stale afterwards: have several.
        gather(12, lambda n: self.ok(site.identify(server, f"early-{n}", {"n": n})))
        stream = EventStream(server.port, site.key)
        self.addCleanup(stream.close)
        until(lambda: stream.events, 5, "the first event of the stream")
        before = self.reads(server, site)
        self.assertEqual(site.flag(before["flags"]), "before")
        self.assertEqual(site.flag(before["anonymous"]["flags"]), "for the segment")

        self.cluster.stop("immediate")
        began = time.monotonic()
        while time.monotonic() - began < 4:
            self.assertEqual(self.reads(server, site), before)
        writes = {
            "a trait": lambda: site.identify(server, "ada", {"lost": "in the outage"}),
            "a new identity": lambda: site.identify(server, "nobody-yet", {"lost": 1}),
            "an old trait route": lambda: site.sdk(server, "POST", "traits/", {"identity": {"identifier": "ada"}, "trait_key": "lost", "trait_value": "x"}),
            "a report": lambda: site.sdk(server, "POST", "analytics/flags/", {"flag": 1}),
            "a management PATCH": lambda: site.set_value(server, "in the outage"),
            "a management POST": lambda: site.manage(server, "POST", f"projects/{site.project}/features/", {"name": "in_the_outage"}),
        }
        waits = gather(len(writes), lambda n: self.refused(*list(writes.items())[n]))
        self.tell(f"a refused write is answered after {min(waits):.2f} to {max(waits):.2f} s")
        # Many at once: refusing them may not hold up the answers from memory.
        gather(20, lambda n: self.assertEqual(site.identify(server, f"many-{n}", {"n": n}).status, 503) if n % 2 else self.reads(server, site))
        self.assertEqual(server.get("/health/readiness/").status, 500)
        self.ok(server.get("/health/liveness/"))
        self.ok(server.get("/version/"))
        self.assertEqual(site.flags(server, key="unknown").status, 403)
        self.assertEqual(self.reads(server, site), before)
        self.assertIsNone(server.process.poll())

        self.cluster.start()
        began = time.monotonic()
        turns = iter(range(100_000))
        first = until(lambda: site.identify(server, f"late-{next(turns)}", {"n": 1}).status == 200, 10, "a write that succeeds")
        # Not one connection that happens to be good, but all of them.
        until(lambda: all(answer.status == 200 for answer in gather(12, lambda n: site.identify(server, f"later-{next(turns)}-{n}", {"n": n}))), 10, "twelve writes at once that succeed")
        until(lambda: site.set_value(server, "after").status == 200, 10, "a management write that succeeds")
        self.tell(f"first write {first:.2f} s, all of them {time.monotonic() - began:.2f} s after the database was back")
        for _ in range(30):
            self.ok(site.identify(server, f"later-{next(turns)}", {"n": 1}))
        self.ok(server.get("/health/readiness/"))
        until(lambda: site.value(server) == "after", 2, "the changed flag")
        self.assertEqual(site.traits(server, "ada"), {"stored": "before the outage"})
        self.assertNotIn("in_the_outage", [each["feature"]["name"] for each in site.flags(server).json()])

        # Realtime: on the stream that was open all the time, or on a new one when that ended.
        self.tell("the event stream ended in the outage" if stream.ended.is_set() else "the event stream stayed open")
        if stream.ended.is_set():
            stream = EventStream(server.port, site.key)
            self.addCleanup(stream.close)
            until(lambda: stream.events, 5, "the first event of the new stream")
        known = len(stream.events)
        self.ok(site.set_value(server, "told"))
        until(lambda: len(stream.events) > known, 2, "an event for the change after the outage")

    def test_two_nodes_find_each_other_again_after_the_outage(self):
        database, a, site = self.fresh()
        b = self.start(database)
        self.ok(site.set_value(a, "before"))
        until(lambda: site.value(b) == "before", 5, "the change on the other node")
        self.cluster.stop("immediate")
        self.assertEqual((site.value(a), site.value(b)), ("before", "before"))
        time.sleep(1.5)
        self.cluster.start()
        until(lambda: site.set_value(a, "after").status == 200, 10, "a management write that succeeds")
        took = until(lambda: site.value(b) == "after", 5, "the first change after the outage on the other node")
        self.tell(f"the first change after the outage reached the other node in {took:.3f} s")
        # Told by the database again, not only found by looking every second.
        def heard(turn):
            self.ok(site.set_value(a, f"told {turn}"))
            return until(lambda: site.value(b) == f"told {turn}", 2, "a change on the other node")
        time.sleep(3)
        times = [heard(turn) for turn in range(6)]
        self.tell("later changes: " + ", ".join(f"{each:.3f}" for each in times) + " s")
        self.assertLess(sorted(times)[len(times) // 2], 0.5, "nodes are not told of changes any more, they only look")

    def test_calls_counted_during_an_outage_are_stored_after_it(self):
        database, server, site = self.fresh()
        for _ in range(7):
            self.ok(site.flags(server))
        self.cluster.stop("immediate")
        for _ in range(11):
            self.ok(site.flags(server))
        time.sleep(11)  # counts are stored every 10 s: this time in vain
        self.cluster.start()
        until(lambda: server.get("/health/readiness/").status == 200, 10, "readiness")
        self.assertEqual(server.stop(), 0)
        [row] = database.rows("select coalesce(sum(count), 0) as count from api_usage_raw where resource = 1")
        self.assertEqual(int(row["count"]), 18)
