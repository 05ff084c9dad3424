"""A small HTTP client: one connection per call unless one is handed in, every status is an answer, no retries."""
import http.client
import json
import socket
import threading
import time


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


def call(port, method, path, body=None, headers=(), timeout=30, connection=None):
    """`body` is sent as JSON, unless it is bytes already."""
    connection, own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=timeout), connection is None
    headers = {"Accept": "application/json", **dict(headers)}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        if own:
            connection.close()


class EventStream:
    """An open realtime stream, read by a thread of its own. `events` are the versions told, with the time of each."""

    def __init__(self, port, key):
        self.events, self.ended, self.ended_well = [], threading.Event(), False
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.sendall(f"GET /sse/environments/{key}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        self._answer = http.client.HTTPResponse(self._socket)
        self._answer.begin()
        self.status = self._answer.status
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            name = None
            # Ends by itself after the last chunk; a stream that is cut off raises.
            for line in self._answer:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: ") and name == "environment_updated":
                    self.events.append((json.loads(line[6:])["updated_at"], time.monotonic()))
            self.ended_well = True
        except (OSError, http.client.HTTPException, ValueError):
            pass
        self.ended.set()

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()


def gather(count, work):
    """Runs `work(number)` in that many threads that begin together; their results, in order. The first exception is raised."""
    results, problems, start = [None] * count, [], threading.Barrier(count)

    def run(number):
        try:
            start.wait()
            results[number] = work(number)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results


def until(check, seconds, what):
    """Asks again and again until it is so; how many seconds that took. `check` gives something true when it is."""
    began = time.monotonic()
    while True:
        last = check()
        if last:
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.005)
