"""Gateways as processes, configured as a school has them: signed launches, states required."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import time
from urllib.parse import quote

from .place import binary, end, free_port, until
from .web import Connections

LAUNCH_SECRET = "launch-secret-of-the-fault-scripts"
API_TOKEN = "api-token-of-the-fault-scripts"
SERVER_KEY = "key-of-the-external-server"
SECRET_KEY = base64.b64encode(b"0123456789" * 3 + b"01").decode()
TOOL = "mdquiz10"

CONFIGURATION = """
[[platforms]]
id = "lams"
url = "http://lams.example.org/lams/"
launch_auth = "signed"
launch_secret = "{secret}"
callback_state = "required"
api_token = "{token}"

[[servers]]
id = "moodle"
name = "{name}"
url = "{outside}"
key = "{key}"
prefix = "mdl"
sign_redirects = true
private_network = true
tools = ["{tool}"]
{more}
[servers.settings.{tool}]
adapter_page = "{outside}adapter"
"""


def configuration(outside, name="Moodle", more=""):
    """The file of `toolgate apply`."""
    return CONFIGURATION.format(secret=LAUNCH_SECRET, token=API_TOKEN, key=SERVER_KEY, tool=TOOL,
                                outside=outside.url, name=name, more=more)


def sign(path, uid):
    """A launch as the platform signs it."""
    path = f"{path}&ts={time.time_ns() // 1_000_000}&uid={quote(uid)}"
    return f"{path}&sig={hmac.new(LAUNCH_SECRET.encode(), path.encode(), hashlib.sha256).hexdigest()}"


class Gateway:
    """One instance; it can be killed and started again on its port."""

    def __init__(self, place, database, url=None, public_port=None, within=(), **more):
        self.within = within
        self.place, self.port = place, free_port()
        self.log = place.folder / f"gateway-{self.port}.log"
        self.process = None
        self.environment = {
            "PATH": os.environ["PATH"],
            "TOOLGATE_DATABASE_URL": url or database.url(),
            "TOOLGATE_SECRET_KEY": SECRET_KEY,
            "TOOLGATE_LISTEN": f"127.0.0.1:{self.port}",
            "TOOLGATE_PUBLIC_URL": f"http://127.0.0.1:{public_port or self.port}",
            "TOOLGATE_LOG": "warn",
            **more,
        }
        self.web = Connections(self.port)

    def command(self, *arguments, given=None):
        """What a command of `toolgate` on the same database says."""
        done = subprocess.run([binary(), *arguments], env=self.environment, input=given, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"toolgate {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def apply(self, text):
        return self.command("apply", "-", given=text)

    def start(self):
        with self.log.open("ab") as log:
            self.process = self.place.start([*self.within, binary(), "serve"], env=self.environment, stdout=log, stderr=log)

    async def is_ready(self):
        try:
            return (await self.web.get("/readyz")).status == 200
        except (OSError, EOFError):
            return False

    async def started(self, patience=30.0):
        """Starts it; how many seconds until it is ready."""
        begun = time.monotonic()
        self.start()
        await until("the gateway is ready", self.is_ready, patience, 0.005)
        return time.monotonic() - begun

    def kill(self):
        """As a power cut would."""
        end(self.process)

    def tell_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def memory(self):
        """What it has in memory now, in KiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def descriptors(self, *kept_to):
        """How many descriptors it has open; those of connections to some ports, which are kept, apart."""
        folder = f"/proc/{self.process.pid}"
        kept = set()
        with open(f"{folder}/net/tcp") as connections:
            for line in list(connections)[1:]:
                fields = line.split()
                if int(fields[2].split(":")[1], 16) in kept_to:
                    kept.add(f"socket:[{fields[9]}]")
        names = []
        for descriptor in os.listdir(f"{folder}/fd"):
            try:
                names.append(os.readlink(f"{folder}/fd/{descriptor}"))
            except OSError:
                pass  # closed meanwhile
        there = sum(name in kept for name in names)
        return len(names) - there, there

    async def call(self, method, path, body=None):
        """A call of the API."""
        headers = {"Authorization": f"Bearer {API_TOKEN}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        return await self.web.ask(method, f"/api/v1{path}", headers, sent)

    async def metric(self, name):
        """A number of /metrics."""
        lines = (await self.web.get("/metrics")).text().splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} ")), None)
