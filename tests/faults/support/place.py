"""Where a script works: a folder of its own and the processes it started, gone when it ends, also when interrupted."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SHORT = os.environ.get("FAULTS_SHORT", "") not in ("", "0")


def binary():
    """The gateway that is tried: TOOLGATE_BINARY, or the release build."""
    return Path(os.environ.get("TOOLGATE_BINARY", ROOT / "target/release/toolgate")).resolve()


def seconds(name, usual, short):
    """A length of time: from the environment, or as usual, or shorter under FAULTS_SHORT."""
    return float(os.environ.get(name, short if SHORT else usual))


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Place:
    """The folder, and what was started in it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="toolgate-faults."))
        # The user that PostgreSQL runs as has to get through.
        self.folder.chmod(0o711)
        self.closing = []

    def on_close(self, what):
        """Remembers what has to be done at the end; the last is done first."""
        self.closing.append(what)

    def start(self, arguments, ends_by=signal.SIGKILL, **options):
        """Starts a process that ends with the script."""
        process = subprocess.Popen(arguments, **options)
        self.on_close(lambda: end(process, ends_by))
        return process

    def close(self):
        while self.closing:
            try:
                self.closing.pop()()
            except Exception as error:  # the rest has to be cleaned up all the same
                print(f"while cleaning up: {error}", file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def end(process, by=signal.SIGKILL):
    """Ends a process that may have ended."""
    if process.poll() is None:
        process.send_signal(by)
    process.wait()


async def until(what, fact, patience=30.0, step=0.02):
    """Waits for a fact; how many seconds it took."""
    begun = time.monotonic()
    while not await fact():
        if time.monotonic() - begun > patience:
            raise RuntimeError(f"it never came true within {patience:.0f} s: {what}")
        await asyncio.sleep(step)
    return time.monotonic() - begun


async def in_thread(work, *arguments):
    """Does what would block, beside the load."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


def main(story):
    """Runs a script's story in a place of its own; ends with status 0 only where all held."""

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    try:
        with Place() as place:
            held = asyncio.run(story(place))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if held else 1)
