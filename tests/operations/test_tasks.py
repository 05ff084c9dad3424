"""What is to be sent out because of a change is sent, whatever happens to the process that was to send it."""
import http.server
import json
import threading
import time

from cases import OnPostgres, OnSqlite
from processes import Server, directory


class Receiver:
    """Takes webhooks; while `hang` is set it answers nobody."""

    def __init__(self):
        self.got, self.hang, receiver = [], threading.Event(), self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((self.headers["webhook-id"], json.loads(body)))
                while receiver.hang.is_set():
                    time.sleep(0.05)
                try:
                    self.send_response(200)
                    self.send_header("content-length", "0")
                    self.end_headers()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self.hang.clear()
        self._server.shutdown()
        self._server.server_close()


# Longer than another process waits before it takes over what a killed one had begun.
TAKEN_OVER = 40


class Tasks:
    def start(self, database, *more, wait=True, command="serve"):
        settings = directory() / "burgee.toml"
        settings.write_text("[outbound]\nallow_private_addresses = true\n" + "".join(more))
        server = Server(["--config", settings, *database.arguments], command=command, wait=wait)
        self.addCleanup(server.kill)
        return server

    def receiver(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        return receiver

    def wait_for(self, what, seconds, told):
        began = time.monotonic()
        while not what():
            self.assertLess(time.monotonic() - began, seconds, told)
            time.sleep(0.05)
        return time.monotonic() - began

    def test_a_delivery_survives_the_kill_of_the_process_that_was_making_it(self):
        database, server, site = self.fresh()
        receiver = self.receiver()
        site.made(server, f"environments/{site.key}/webhooks/", {"url": receiver.url})
        receiver.hang.set()
        self.ok(site.set_value(server, "second"))
        self.wait_for(lambda: receiver.got, 10, "nothing was sent")
        server.kill()
        receiver.hang.clear()
        begun = receiver.got[0][0]
        del receiver.got[:]
        server = self.start(database)
        took = self.wait_for(lambda: receiver.got, TAKEN_OVER, "it was not sent again")
        self.tell(f"sent again {took:.1f} s after the start")
        identifier, body = receiver.got[0]
        self.assertEqual(identifier, begun, "a repeat can't be told from another event")
        self.assertEqual(body["data"]["new_state"]["feature_state_value"], "second")
        self.assertEqual(server.stop(), 0)
        time.sleep(0.5)
        self.assertEqual(len(receiver.got), 1, "sent more often than needed")

    def test_what_was_changed_while_no_worker_ran_is_sent_by_the_first_that_does(self):
        database, server, site = self.fresh()
        receiver = self.receiver()
        self.assertEqual(server.stop(), 0)
        server = self.start(database, "[worker]\nin_server = false\n")
        site.made(server, f"environments/{site.key}/webhooks/", {"url": receiver.url})
        self.ok(site.set_value(server, "second"))
        time.sleep(2.5)
        self.assertEqual(receiver.got, [], "the server does background work though it was told not to")
        worker = self.start(database, command="worker")
        took = self.wait_for(lambda: receiver.got, 15, "the worker sent nothing")
        self.tell(f"sent {took:.1f} s after the worker started")
        self.assertEqual(worker.get("/health/liveness/").status, 200)
        done = b'burgee_tasks_total{kind="webhook",outcome="done"} '
        self.wait_for(lambda: done in worker.get("/metrics/").body, 5, "what was done is not counted")
        self.assertEqual(worker.get("/api/v1/flags/").status, 404)
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(server.stop(), 0)


class SqliteTest(Tasks, OnSqlite):
    pass


class PostgresTest(Tasks, OnPostgres):
    pass
