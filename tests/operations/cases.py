"""What the test files share: cases on SQLite, on Postgres or on both."""
import sys
import unittest

import databases
from installation import Installation
from processes import Server


class Case(unittest.TestCase):
    """A test with servers. Whatever it starts ends with it."""

    def database(self):
        raise NotImplementedError

    def start(self, database, **options):
        server = Server(database.arguments, **options)
        self.addCleanup(server.kill)
        return server

    def fresh(self):
        """An empty database, a server on it, and an installation made there."""
        database = self.database()
        server = self.start(database)
        return database, server, Installation(server)

    def tell(self, text):
        """A measured value, for the log."""
        print(f"    {text}", file=sys.stderr, flush=True)

    def ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer)
        return answer


class OnSqlite(Case):
    def database(self):
        return databases.Sqlite()


@unittest.skipIf(databases.programs() is None, "Postgres is not installed; scripts/setup-tests installs it")
class OnPostgres(Case):
    def database(self):
        return databases.Postgres(databases.shared_cluster())
