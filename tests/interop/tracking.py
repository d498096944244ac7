"""A real MLflow tracking server, and vintner's cockpit in a pseudo-terminal as its client."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading

from emulators import Emulator
from vintner import eventually


class Mlflow(Emulator):
    """`mlflow server` on SQLite, artefacts beside it, all in a folder that goes away."""

    def command(self):
        return [
            "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.home}/mlflow.db", "--artifacts-destination", f"{self.home}/artefacts",
        ]

    def extra_env(self):
        return {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

    def tracking(self):
        """MLflow's own client."""
        os.environ.update(self.extra_env())
        from mlflow import MlflowClient

        return MlflowClient(self.url)


class Cockpit:
    """`with Cockpit(home, …) as cockpit:` is the app as a person runs it."""

    def __init__(self, home, **env):
        self.env, self.cwd, self.shown = {**home.env, "TERM": "xterm-256color", "LANG": "C.UTF-8", **env}, home.dir, b""

    def __enter__(self):
        self.screen, keyboard = pty.openpty()
        fcntl.ioctl(keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            [os.environ["VINTNER"]], stdin=keyboard, stdout=keyboard, stderr=keyboard, env=self.env, cwd=self.cwd,
            start_new_session=True,
        )
        os.close(keyboard)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.send("\x03")
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(timeout=10)
        os.close(self.screen)

    def read(self):
        """Until the terminal is hung up, which reads as an error on Linux."""
        try:
            while part := os.read(self.screen, 65536):
                self.shown += part
        except OSError:
            pass

    def send(self, keys):
        os.write(self.screen, keys.encode())

    def see(self, text):
        eventually(lambda: text.encode() in self.shown, seconds=60)
