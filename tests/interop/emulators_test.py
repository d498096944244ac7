"""vintner against moto and ministack, two emulators of AWS that know nothing of it."""

import time
import unittest

from emulators import Ministack, Moto
from vintner import eventually

GROUP = "/interop/group"
HANDLER = """
def handler(event, context):
    print("working on", event)
    if event.get("fail"):
        raise ValueError("bad row 7")
    return {"ok": True}
"""


def now():
    return int(time.time() * 1000)


class Writer:
    """Puts numbered lines and remembers them."""

    def __init__(self, aws, group=GROUP):
        self.logs, self.group, self.lines = aws.client("logs"), group, []
        self.logs.create_log_group(logGroupName=group)

    def stream(self, name):
        self.logs.create_log_stream(logGroupName=self.group, logStreamName=name)

    def put(self, stream, times, level="INFO"):
        events = []
        for at in sorted(times):
            line = f"{level} line {len(self.lines)}"
            self.lines.append(line)
            events.append({"timestamp": at, "message": line})
        for start in range(0, len(events), 5000):
            self.logs.put_log_events(logGroupName=self.group, logStreamName=stream, logEvents=events[start:start + 5000])


class WithMoto(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = cls.enterClassContext(Moto())

    def test_many_pages_come_whole_and_in_order(self):
        writer = Writer(self.aws, "/interop/pages")
        writer.stream("a")
        start = now() - 3_000_000
        writer.put("a", [start + n * 100 for n in range(25_000)])
        rows = self.aws.rows("logs", "--log-group", writer.group, "--since", "1h")
        self.assertEqual([row["message"] for row in rows], writer.lines)
        self.assertTrue(all(row["eventId"] and row["logStreamName"] == "a" for row in rows))

    def test_filter_range_and_glob(self):
        writer = Writer(self.aws, "/interop/filter")
        writer.stream("a")
        start = now() - 100_000
        writer.put("a", [start + n for n in range(10)])
        writer.put("a", [start + 50_000], level="ERROR")
        errors = self.aws.rows("logs", "--log-group", "/interop/fil*", "--since", "1h", "--filter", "ERROR")
        self.assertEqual([row["message"] for row in errors], ["ERROR line 10"])
        late = self.aws.rows("logs", "--log-group", writer.group, "--since", str(start + 20_000))
        self.assertEqual(len(late), 1)
        early = self.aws.rows("logs", "--log-group", writer.group, "--since", "1h", "--until", str(start + 4))
        self.assertEqual(len(early), 5)

    def test_a_missing_group_is_named(self):
        said = self.aws.vintner("logs", "--log-group", "/interop/nobody", code=(3,)).stderr
        self.assertIn("/interop/nobody not found in us-east-1", said)

    def test_following_shows_late_lines_and_new_streams_once(self):
        writer = Writer(self.aws, "/interop/follow")
        follower = self.aws.follow("--log-group", writer.group, "--since", "5m")
        for step in range(20):
            writer.stream(f"s{step}")
            writer.put(f"s{step}", [now()] * 5 + [now() - 400 * step])
            time.sleep(0.2)
        eventually(lambda: len(follower.rows()) >= len(writer.lines), seconds=40)
        time.sleep(3)
        messages = [row["message"] for row in follower.rows()]
        self.assertEqual(sorted(messages), sorted(writer.lines))
        follower.stop()


class WithMinistack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = cls.enterClassContext(Ministack())
        cls.functions = cls.aws.function("wine", HANDLER)
        cls.group = "/aws/lambda/wine"

    def invoke(self, payload=b"{}"):
        return self.functions.invoke(FunctionName="wine", Payload=payload)

    def test_a_functions_lines_without_event_ids_are_followed_once(self):
        follower = self.aws.follow("--function", "wine", "--since", "5m")
        for _ in range(5):
            self.invoke()

        def starts():
            rows = [row for row in follower.rows() if row["message"].startswith("START")]
            return rows if len(rows) >= 5 else None

        eventually(starts, seconds=30)
        time.sleep(3)
        stored = self.aws.client("logs").filter_log_events(logGroupName=self.group)["events"]
        key = lambda row: (row["timestamp"], row["logStreamName"], row["message"])
        since = min(key(row)[0] for row in follower.rows())
        self.assertEqual(sorted(map(key, follower.rows())), sorted(key(row) for row in stored if row["timestamp"] >= since))
        follower.stop()

    def test_requests_are_joined_and_errors_grouped(self):
        self.invoke(b'{"fail": true}')
        requests = eventually(lambda: [
            row for row in self.aws.rows("logs", "--function", "wine", "--since", "5m", "--requests") if row["durationMs"] is not None
        ])
        self.assertTrue(all(row["requestId"] and row["memoryMB"] == 256 for row in requests), requests)

    def test_live_tail_shows_what_the_poller_shows(self):
        writer = Writer(self.aws, "/interop/live")
        writer.stream("a")
        follower = self.aws.follow("--log-group", writer.group, "--since", "1m", "--live")
        time.sleep(3)
        for _ in range(20):
            writer.put("a", [now()])
            time.sleep(0.1)
        eventually(lambda: len(follower.rows()) >= 20, seconds=30)
        time.sleep(7)
        rows = follower.rows()
        self.assertEqual(sorted(row["message"] for row in rows), sorted(writer.lines))
        self.assertTrue(any("eventId" not in row for row in rows), "no line came by Live Tail")
        follower.stop()

    def test_lambda_describes_the_function(self):
        # 1 is a red lamp: a function that failed just now has a reason for one.
        said = self.aws.vintner("lambda", "--function", "wine", "--json", code=(0, 1)).stdout
        self.assertIn("wine", said)
        self.assertIn("256", said)


if __name__ == "__main__":
    unittest.main()
