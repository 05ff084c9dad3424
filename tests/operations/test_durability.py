"""What was acknowledged is there after the process was killed."""
import http.client
import threading
import time

from cases import OnPostgres, OnSqlite

TRAIT_WRITERS = 6
REPORTERS = 2
# Fewer than these were no test of a kill "in the middle".
FEWEST = 40


class Writers:
    """Threads that write without a pause and note what was answered 200, until the server is gone."""

    def __init__(self, site, server, round):
        self.site, self.server, self.round = site, server, round
        self.traits, self.counters, self.reports, self.features, self.odd = {}, {}, [], [], []
        self.cut_off = 0
        work = [(self._traits, n) for n in range(TRAIT_WRITERS)] + [(self._reports, n) for n in range(REPORTERS)] + [(self._features, 0)]
        self._threads = [threading.Thread(target=self._run, args=each, daemon=True) for each in work]
        for thread in self._threads:
            thread.start()

    def acknowledged(self):
        return len(self.traits) + len(self.reports) + len(self.features)

    def join(self):
        for thread in self._threads:
            thread.join(60)

    def _run(self, work, number):
        turn = 0
        while True:
            turn += 1
            try:
                work(number, turn)
            except (OSError, http.client.HTTPException):
                # The kill: whether this one was stored is not known.
                self.cut_off += 1
                return

    def _note(self, answer, allowed, note):
        if answer.status in allowed:
            note()
        else:
            self.odd.append(answer)

    def _traits(self, number, turn):
        identifier, key, value = f"r{self.round}-w{number}-{turn // 10}", f"k{turn % 10}", f"value {number} {turn}"
        # The second trait lies on one identity that all threads write to: commits are shared, none may lose another's.
        answer = self.site.identify(self.server, identifier, {key: value})
        self._note(answer, (200,), lambda: self.traits.__setitem__((identifier, key), value))
        answer = self.site.identify(self.server, f"r{self.round}-shared", {f"w{number}": turn})
        self._note(answer, (200,), lambda: self.counters.__setitem__(f"w{number}", turn))

    def _reports(self, number, turn):
        count = self.round * 10_000_000 + number * 1_000_000 + turn
        answer = self.site.sdk(self.server, "POST", "analytics/flags/", {"flag": count})
        self._note(answer, (200,), lambda: self.reports.append(count))

    def _features(self, _, turn):
        name = f"r{self.round}_feature_{turn}"
        body = {"name": name, "default_enabled": True, "initial_value": name}
        answer = self.site.manage(self.server, "POST", f"projects/{self.site.project}/features/", body)
        self._note(answer, (201,), lambda: self.features.append(name))


class Durability:
    def test_what_was_acknowledged_survives_a_kill(self):
        database, server, site = self.fresh()
        for round in (1, 2, 3):
            with self.subTest(round=round):
                writers = Writers(site, server, round)
                deadline = time.monotonic() + 20
                time.sleep(1)
                while writers.acknowledged() < FEWEST * 3 and time.monotonic() < deadline:
                    time.sleep(0.02)
                server.kill()
                writers.join()
                self.assertEqual(writers.odd, [])
                self.assertGreater(writers.cut_off, 0, "nobody was writing when the server was killed")
                for written in (writers.traits, writers.reports, writers.features):
                    self.assertGreater(len(written), 0)
                self.assertGreater(writers.acknowledged(), FEWEST)
                server = self.start(database)
                self.check(database, server, site, writers)
                self.tell(f"kill {round}: {len(writers.traits)} traits, {len(writers.reports)} reports, {len(writers.features)} features acknowledged, {writers.cut_off} requests cut off")

    def check(self, database, server, site, writers):
        stored = {}
        for identifier in {identifier for identifier, _ in writers.traits}:
            stored |= {(identifier, key): value for key, value in site.traits(server, identifier).items()}
        lost = {at: value for at, value in writers.traits.items() if stored.get(at) != value}
        self.assertEqual(lost, {}, "acknowledged traits that are not there")

        shared = site.traits(server, f"r{writers.round}-shared")
        # The last write of a thread may have been stored and its answer cut off.
        lost = {key: turn for key, turn in writers.counters.items() if shared.get(key) not in (turn, turn + 1)}
        self.assertEqual(lost, {}, f"acknowledged traits of the shared identity that are not there; stored: {shared}")

        counts = [row["evaluation_count"] for row in database.rows("select evaluation_count from feature_evaluations_raw")]
        self.assertEqual(set(writers.reports) - set(counts), set(), "acknowledged reports that are not stored")
        self.assertEqual(len(counts), len(set(counts)), "reports stored twice")

        served = {each["feature"]["name"]: each["feature_state_value"] for each in self.ok(site.flags(server)).json()}
        lost = [name for name in writers.features if served.get(name) != name]
        self.assertEqual(lost, [], "acknowledged features that are not served")


class SqliteTest(Durability, OnSqlite):
    pass


class PostgresTest(Durability, OnPostgres):
    pass
