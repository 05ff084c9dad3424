"""Tests that need real processes: kills, outages, several nodes, orderly ends.

    python3 tests/operations [PART OF A TEST'S NAME]...     with BURGEE_BINARY naming the built program

Standard library only. The last line is `N passed, N failed[, N skipped] in N.Ns`; the exit status is 0 when nothing failed.
"""
import os
import pathlib
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import databases  # noqa: E402
import processes  # noqa: E402


class Result(unittest.TextTestResult):
    """One line per test, with its time; counts each test once, as the worst of what happened in it."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed, self.failed = 0, set()

    def getDescription(self, test):
        return test.id()

    def startTest(self, test):
        self._began = time.monotonic()
        super().startTest(test)
        self.stream.writeln()

    def addSuccess(self, test):
        self.passed += 1
        super().addSuccess(test)

    def addFailure(self, test, error):
        self.failed.add(test.id())
        super().addFailure(test, error)

    def addError(self, test, error):
        self.failed.add(test.id())
        super().addError(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.failed.add(test.id())
        super().addSubTest(test, subtest, error)

    def addUnexpectedSuccess(self, test):
        self.failed.add(test.id())
        super().addUnexpectedSuccess(test)

    def stopTest(self, test):
        self.stream.writeln(f"    [{time.monotonic() - self._began:.1f} s]")
        super().stopTest(test)


def main():
    if not os.access(processes.BINARY, os.X_OK):
        sys.exit("BURGEE_BINARY does not name the built program; use scripts/test-operations")
    # An end by signal cleans up as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    loader = unittest.TestLoader()
    if sys.argv[1:]:
        loader.testNamePatterns = [f"*{part}*" for part in sys.argv[1:]]
    began = time.monotonic()
    try:
        suite = loader.discover(str(HERE), top_level_dir=str(HERE))
        runner = unittest.TextTestRunner(stream=sys.stderr, verbosity=2, resultclass=Result)
        result = runner.run(suite)
    finally:
        # Clusters first: to stop one takes the files in its directory.
        databases.end_everything()
        processes.end_everything()
    for test, reason in result.skipped:
        print(f"skipped {test.id()}: {reason}")
    skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
    print(f"{result.passed} passed, {len(result.failed)} failed{skipped} in {time.monotonic() - began:.1f}s", flush=True)
    # Nothing run is nothing proven.
    return 0 if result.passed and not result.failed else 1


sys.exit(main())
