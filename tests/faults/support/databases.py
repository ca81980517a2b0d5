"""The two databases: real ones, in the script's folder."""

import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

from .place import free_port


def programs():
    """Where PostgreSQL's programs are."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return sorted(versions, key=lambda path: int(path.parts[4]))[-1].parent


class Postgres:
    """A cluster of its own, on a free port of loopback. What is acknowledged is on the disk: fsync is on."""

    kind = "PostgreSQL"

    def __init__(self, place, name="primary", copy_of=None):
        self.folder = place.folder / name
        self.folder.mkdir()
        self.port = free_port()
        self.data = self.folder / "data"
        # PostgreSQL refuses to run as root; its package brings a user for it.
        self.user = "postgres" if os.getuid() == 0 else None
        if self.user:
            owner = pwd.getpwnam(self.user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        if copy_of is None:
            self._run("initdb", f"--pgdata={self.data}", "--username=postgres", "--auth=trust", "--encoding=UTF8")
        else:
            self._run(
                "pg_basebackup", f"--pgdata={self.data}", "--host=127.0.0.1", f"--port={copy_of.port}",
                "--username=postgres", "--write-recovery-conf", "--checkpoint=fast",
            )
        place.on_close(lambda: self.stop("immediate"))

    def _run(self, program, *arguments):
        as_user = ["runuser", "-u", self.user, "--"] if self.user else []
        command = [*as_user, str(programs() / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    def start(self, **settings):
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "max_connections": 200,
                    "unix_socket_directories": self.folder, **settings}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run("pg_ctl", f"--pgdata={self.data}", f"--log={self.folder}/log", "--wait", "--silent",
                  f"--options={options}", "start")

    def stop(self, mode="fast"):
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", f"--pgdata={self.data}", f"--mode={mode}", "--silent", "stop")

    def promote(self):
        self._run("pg_ctl", f"--pgdata={self.data}", "--wait", "--silent", "promote")

    def processes(self):
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True)
        return [first, *map(int, listed.stdout.split())]

    def freeze(self):
        """Its processes take no turn any more, as on a machine that hangs; connections stay."""
        for process in self.processes():
            os.kill(process, signal.SIGSTOP)

    def thaw(self):
        for process in self.processes():
            os.kill(process, signal.SIGCONT)

    def url(self, port=None):
        return f"postgres://postgres@127.0.0.1:{port or self.port}/{self.database}"

    def create(self, database="toolgate"):
        """Makes an empty database, which is used from now on."""
        self.database = "postgres"
        self.ask(f"create database {database}")
        self.database = database

    def ask(self, sql):
        """The rows of a statement, as texts."""
        command = [str(programs() / "psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-d", self.url(), "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return [tuple(line.split("\x1f")) for line in done.stdout.splitlines()]


class Sqlite:
    """An embedded database."""

    kind = "SQLite"

    def __init__(self, place, folder=None):
        self.path = (folder or place.folder) / "toolgate.db"

    def start(self):
        pass

    def create(self):
        pass

    def url(self):
        return f"sqlite://{self.path}"

    def ask(self, sql):
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            rows = connection.execute(sql).fetchall()
        finally:
            connection.close()
        return [tuple("" if value is None else str(value) for value in row) for row in rows]


def databases(place):
    """Both, started and empty, one after the other."""
    yield Sqlite(place)
    postgres = Postgres(place)
    postgres.start()
    postgres.create()
    yield postgres
