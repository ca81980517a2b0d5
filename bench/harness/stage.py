"""A gateway with what a large school has stored, and the launches that are sent to it."""

import hashlib
import hmac
import sqlite3
import time
from pathlib import Path


BENCH = Path(__file__).resolve().parents[1]
PLATFORMS = 5
TOOL = "mdquiz10"
SECRET = "launch-secret-of-the-benchmark-{}"
KEY = "key-of-server-{}"

PLATFORM = """
[[platforms]]
id = "lams{n}"
url = "http://lams{n}.example.org/lams/"
launch_auth = "signed"
launch_secret = "{secret}"
callback_state = "required"
api_token = "api-token-of-the-benchmark-{n}"
"""

SERVER = """
[[servers]]
id = "moodle{n}"
name = "Moodle {n}"
url = "https://moodle{n}.example.org/"
key = "{key}"
prefix = "mdl{n}"
sign_redirects = true
tools = ["{tool}"]
[servers.settings.{tool}]
adapter_page = "https://moodle{n}.example.org/mod/lamstwo/tooladapter_quiz.php"
"""


def configuration(servers):
    platforms = "".join(PLATFORM.format(n=n, secret=SECRET.format(n)) for n in range(PLATFORMS))
    return platforms + "".join(SERVER.format(n=n, key=KEY.format(n), tool=TOOL) for n in range(servers))


def fill(database, contents, servers):
    """Stores contents and sessions, past the gateway."""
    text = (BENCH / "stored.sql").read_text()
    for name, value in (("CONTENTS", contents), ("PLATFORMS", PLATFORMS), ("SERVERS", servers)):
        text = text.replace(name, str(value))
    if database.kind == "SQLite":
        connection = sqlite3.connect(database.path)
        connection.executescript(text)
        connection.execute("analyze")
        connection.close()
    else:
        database.ask(text)
        database.ask("vacuum analyze")


def signed(platform, path, uid):
    """A launch as its platform signs it."""
    path = f"{path}&ts={time.time_ns() // 1_000_000}&uid={uid}"
    sig = hmac.new(SECRET.format(platform).encode(), path.encode(), hashlib.sha256).hexdigest()
    return f"{path}&sig={sig}"


def learner_launch(session, contents, learner):
    platform = (session % contents + 1) % PLATFORMS
    path = f"/lams{platform}/tool/{TOOL}/learning.do?mode=learner&toolSessionID={session}"
    return signed(platform, path, f"mdl{(session % contents + 1) % 50}_learner{learner}")


def as_sent(path):
    """A GET as a line of the file that requests.lua reads."""
    return f"GET {path} HTTP/1.1\\r\\nHost: gateway.example.org\\r\\n\\r\\n"
