"""A gateway with what a large school has stored, and the launches that are sent to it."""

import hashlib
import hmac
import sqlite3
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

BENCH = Path(__file__).resolve().parents[1]
PLATFORMS = 5
SERVERS = 50
CONTENTS = 100_000
LEARNERS = 5_000
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
        # Not of tables that are empty: PostgreSQL would take them for empty ever after, and read them from end to end
        # when they are not any more. Of tables that nobody has analyzed it thinks better.
        database.ask("vacuum analyze contents, sessions")


def signed(platform, path, uid):
    """A launch as its platform signs it."""
    path = f"{path}&ts={time.time_ns() // 1_000_000}&uid={uid}"
    sig = hmac.new(SECRET.format(platform).encode(), path.encode(), hashlib.sha256).hexdigest()
    return f"{path}&sig={sig}"


def learner_launch(session, learner, contents=CONTENTS, servers=SERVERS):
    """A learner's launch of one of the stored sessions."""
    content = session % contents + 1
    platform = content % PLATFORMS
    path = f"/lams{platform}/tool/{TOOL}/learning.do?mode=learner&toolSessionID={session}"
    return signed(platform, path, f"mdl{content % servers}_learner{learner}")


def author_launch(content, servers=SERVERS):
    """An author's launch of content that is not there yet."""
    platform, server = content % PLATFORMS, content % servers
    path = f"/lams{platform}/tool/{TOOL}/authoring.do?toolContentID={content}&contentFolderID=f1"
    path += f"&customCSV=teacher{content % 1000}%2C7%2C3%2Cmoodle{server}"
    return signed(platform, path, f"mdl{server}_teacher{content % 1000}")


def is_right(launch, location, contents=CONTENTS, servers=SERVERS):
    """Whether an address is that of a learner's launch: the server, the copy, the learner, and the signature."""
    asked, address = (parse_qs(urlsplit(url).query, keep_blank_values=True) for url in (launch, location))
    session = int(asked["toolSessionID"][0])
    server = (session % contents + 1) % servers
    learner = asked["uid"][0].split("_", 1)[1]
    ts = address["ts"][0]
    hs = hashlib.sha1(f"{ts}{learner}moodle{server}{KEY.format(server)}".lower().encode()).hexdigest()
    return (
        urlsplit(location).netloc == f"moodle{server}.example.org"
        and address["id"] == [str(2_000_000 + session)]
        and address["un"] == [learner]
        and address["hs"] == [hs]
        and abs(int(ts) - time.time() * 1000) < 600_000
    )


def as_sent(path):
    """A GET as a line of the file that requests.lua reads."""
    return f"GET {path} HTTP/1.1\\r\\nHost: gateway.example.org\\r\\n\\r\\n"
