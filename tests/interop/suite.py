"""Runs every check below this folder: one line each, then `N passed, M failed`; exits 1 if any failed.

    suite.py            every file
    suite.py sandbox    only sandbox_test.py
"""

import os
import sys
import time
import traceback
import unittest


class Lines(unittest.TestResult):
    """One line a check."""

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def say(self, mark, test):
        words = test.id().split(".", 1)[-1].replace("_", " ")
        print(f"{mark:6} {words} ({time.monotonic() - getattr(self, 'began', time.monotonic()):.1f} s)", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say("ok", test)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self.say("FAILED", subtest)
            traceback.print_exception(*error)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.say("FAILED", test)
        traceback.print_exception(*error)

    def addError(self, test, error):
        super().addError(test, error)
        self.say("FAILED", test)
        traceback.print_exception(*error)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    pattern = f"{sys.argv[1] if len(sys.argv) > 1 else '*'}_test.py"
    result = Lines()
    unittest.defaultTestLoader.discover(here, pattern).run(result)
    # A test with several subtests that failed is one.
    failed = len({getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors})
    passed = max(result.testsRun - failed, 0)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
