"""The two databases a server is started on, looked into from outside."""
import json
import os
import pathlib
import pwd
import random
import shutil
import socket
import sqlite3
import subprocess

import processes

_clusters = []
_shared = None


def end_everything():
    global _shared
    while _clusters:
        _clusters[-1].remove()
    _shared = None


class Sqlite:
    name = "SQLite"

    def __init__(self):
        self.directory = processes.directory()
        self.file = self.directory / "burgee.db"
        self.arguments = ["--data-dir", self.directory]

    def connect(self, mode="ro"):
        connection = sqlite3.connect(f"file:{self.file}?mode={mode}", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        return connection

    def rows(self, select):
        connection = self.connect()
        try:
            return [dict(row) for row in connection.execute(select)]
        finally:
            connection.close()

    def dump(self):
        """Everything in it, schema first, as text."""
        connection = self.connect()
        try:
            return "\n".join(connection.iterdump())
        finally:
            connection.close()


class Postgres:
    name = "Postgres"

    def __init__(self, cluster):
        self.cluster = cluster
        self.url = cluster.create_database()
        self.arguments = ["--database-url", self.url]

    def rows(self, select):
        text = self.cluster.psql(self.url, f"select coalesce(json_agg(found), '[]') from ({select}) found")
        return json.loads(text)

    def dump(self):
        text = self.cluster.run("pg_dump", "--dbname", self.url)
        # Newer versions guard their output with a random word.
        return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def programs():
    """The directory of Postgres' programs, newest version first; None when it is not installed."""
    places = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    found = shutil.which("initdb")
    places += [pathlib.Path(os.path.realpath(found)).parent] if found else []
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


def shared_cluster():
    """The Postgres of all tests that don't stop it."""
    global _shared
    if _shared is None:
        _shared = Cluster()
    return _shared


class Cluster:
    """A Postgres server of our own, on 127.0.0.1 and a free port, that tests may stop and start."""

    def __init__(self):
        self.bin, self.databases, self.running = programs(), 0, False
        self.home = processes.directory()
        # Postgres refuses to run as root, so root lends it another user.
        self.user = None
        if os.geteuid() == 0:
            users = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "postgres" if "postgres" in users else "nobody"
            shutil.chown(self.home, self.user)
        self.data = self.home / "data"
        self._as_server("initdb", "--pgdata", self.data, "--username", "burgee", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
        # Not flushed to disk, for speed; but synchronous: what is committed must survive an immediate stop.
        settings = ["listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", "fsync = off", "max_connections = 200", "shared_buffers = '64MB'"]
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write("\n".join(settings) + "\n")
        _clusters.append(self)
        for attempt in range(5):  # another program may take the port between the look and the start
            self.port = free_port()
            try:
                self.start()
                return
            except AssertionError:
                if attempt == 4:
                    raise

    def _as_server(self, program, *arguments):
        command = [str(self.bin / program), *map(str, arguments)]
        if self.user:
            command = ["runuser", "-u", self.user, "--", *command]
        # A server keeps the pipes of whoever starts it open, so its output goes to a file.
        with open(self.home / "commands.log", "a+", encoding="utf-8") as log:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", timeout=90)
        if done.returncode != 0:
            raise AssertionError(f"{program} failed:\n" + (self.home / "commands.log").read_text(encoding="utf-8")[-2000:])

    def start(self):
        self._as_server("pg_ctl", "--pgdata", self.data, "--silent", "--wait", "--timeout", "60", "--log", self.home / "data" / "server.log", "--options", f"-p {self.port}", "start")
        self.running = True

    def stop(self, mode="immediate"):
        self._as_server("pg_ctl", "--pgdata", self.data, "--silent", "--wait", "--mode", mode, "--timeout", "60", "stop")
        self.running = False

    def remove(self):
        if self in _clusters:
            _clusters.remove(self)
        if self.running or (self.data / "postmaster.pid").exists():
            try:
                self.stop()
            except AssertionError:
                pass
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, program, *arguments):
        path = self.bin / program
        command = [str(path) if path.exists() else program, *map(str, arguments)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd="/")
        if done.returncode != 0:
            raise AssertionError(f"{program} failed: {done.stderr}")
        return done.stdout

    def psql(self, url, text):
        return self.run("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--dbname", url, "--command", text)

    def create_database(self):
        self.databases += 1
        name = f"burgee_{self.databases}"
        server = f"postgres://burgee@127.0.0.1:{self.port}"
        self.psql(f"{server}/postgres", f"create database {name}")
        return f"{server}/{name}"


def free_port():
    """A port nobody listens on, below the range the kernel hands out for outgoing connections."""
    for _ in range(100):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("found no free port")
