"""Burgee as a process: started on a free port, asked, stopped, killed. Whatever was started is ended with the run."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import http_client

BINARY = os.environ.get("BURGEE_BINARY", "")
_running = set()
_directories = []


def directory():
    """A directory that is deleted with the run."""
    path = tempfile.mkdtemp(prefix="burgee-operations-")
    _directories.append(path)
    return pathlib.Path(path)


def end_everything():
    for server in list(_running):
        server.kill()
    while _directories:
        shutil.rmtree(_directories.pop(), ignore_errors=True)


class Server:
    """One `burgee serve`, or another command that listens. `url` is where it answers; `output()` what it has printed and logged so far."""

    def __init__(self, arguments, host="127.0.0.1", port=0, wait=True, command="serve"):
        self.home = directory()
        self._output = open(self.home / "output", "w+", encoding="utf-8")
        # Nothing of the caller's environment or directory may stand in for what a test names.
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [BINARY, command, "--listen", f"{host}:{port}", *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT, cwd=self.home, env=environment)
        _running.add(self)
        if wait:
            self.wait_until_alive()

    def wait_until_alive(self, seconds=30):
        """Returns how many seconds after the start the server was alive."""
        deadline = self.began + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with status {self.process.returncode} while starting:\n{self.output()}")
            listening = re.search(r"^Burgee .* http://[^\s/]+:(\d+)", self.output(), re.MULTILINE)
            if listening:
                self.port = int(listening[1])
                self.url = f"http://127.0.0.1:{self.port}"
                if self.get("/health/liveness/").status == 200:
                    return time.monotonic() - self.began
            time.sleep(0.01)
        raise AssertionError(f"the server was not alive after {seconds} s:\n{self.output()}")

    def output(self):
        return pathlib.Path(self._output.name).read_text(encoding="utf-8", errors="replace")

    def call(self, method, path, body=None, headers=(), **options):
        return http_client.call(self.port, method, path, body, headers, **options)

    def get(self, path, headers=(), **options):
        return self.call("GET", path, None, headers, **options)

    def connect(self, timeout=30):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds):
        """The exit status, or None when it still runs after that time."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._forget()
        return status

    def stop(self, seconds=15):
        """SIGTERM; the exit status. Killed, and None, when it does not end."""
        self.signal(signal.SIGTERM)
        status = self.wait(seconds)
        if status is None:
            self.kill()
        return status

    def kill(self):
        """SIGKILL: no chance to write anything down."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._forget()

    # Ending twice is fine: tests end what their clean-up would end.
    def _forget(self):
        _running.discard(self)
        self._output.close()
