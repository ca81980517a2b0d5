"""What a school does with the gateway: authors save, sessions are made, learners come and finish, a sysadmin changes
something. Each piece remembers what was acknowledged to it, so that it can be compared with what is there after."""

import asyncio
import functools
import random
import time
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urlsplit

from .gateway import TOOL, sign
from .place import in_thread
from .web import Connections

AWAY = (OSError, EOFError, asyncio.TimeoutError)


def parameter(address, name):
    """A parameter of an address, decoded once."""
    return parse_qs(urlsplit(address).query)[name][0]


def path_of(address):
    """Path and query of an address, for asking where the gateway really listens."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def callback_of(location):
    """The callback within an author redirect, whichever way the tool encodes it."""
    once = parameter(location, "lamsUpdateURL")
    return path_of(once if once.startswith("http://") else parse_qs(f"x={once}")["x"][0])


async def author(web, content):
    """An author opens new content; the path of the callback."""
    path = f"/lams/tool/{TOOL}/authoring.do?toolContentID={content}&contentFolderID=f&customCSV=bill%2C7%2C3%2Cmoodle"
    answer = await web.get(sign(path, "mdl_bill"))
    return answer, callback_of(answer.location) if answer.status == 302 else None


def learn(session, uid):
    """The address that a learner opens a session by."""
    return sign(f"/lams/tool/{TOOL}/learning.do?mode=learner&toolSessionID={session}", uid)


def ext_of(content):
    """What the author of a content saves it as, on the external server."""
    return str(500_000 + content)


async def saved(web, content):
    """Content that its author opened and saved."""
    answer, callback = await author(web, content)
    if answer.status != 302:
        raise RuntimeError(f"content {content}: {answer.status} {answer.text()[:300]}")
    answer = await web.get(f"{callback}&extToolContentID={ext_of(content)}")
    if answer.status != 200:
        raise RuntimeError(f"content {content}: {answer.status} {answer.text()[:300]}")


class Work:
    """Goes on until it is told to stop, whatever the gateway does, and repeats what was not acknowledged."""

    def __init__(self, gateways, first=1):
        self.gateways = gateways if isinstance(gateways, list) else [gateways]
        self.webs = [Connections(gateway.port) for gateway in self.gateways]
        self.next = first
        self.callbacks = {}  # content: external id, of callbacks that were answered
        self.sessions = {}  # session: external id, of sessions that were answered
        self.finishes = set()  # (session, learner)
        self.unsettled = set()  # sessions that the gateway says it does not know the outcome of
        self.statuses = {}  # of what was refused: how often, by status
        self.slowest = 0.0
        self.without_retry_after = 0
        self.odd = []
        self.redirected = 0
        self.may_refuse_launches = False  # for their time
        self.stopping = False

    def any(self):
        return random.choice(self.webs)

    async def _ask(self, method, path, body=None):
        """Repeats a request until it is answered with something final, as LAMS and browsers with patience do."""
        while not self.stopping:
            begun = time.monotonic()
            try:
                if path.startswith("/lams/"):
                    answer = await self.any().get(path)
                else:
                    answer = await random.choice(self.gateways).call(method, path, body)
            except AWAY:
                await asyncio.sleep(0.02)
                continue
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.redirected += answer.status == 302 and path.startswith("/lams/")
            if answer.status < 400 or answer.status == 409:
                return answer
            self._refused(answer, path)
            if answer.status not in (502, 503, 504) and not self._is_untimely(answer, path):
                return answer
            await asyncio.sleep(0.05)
        return None

    def _refused(self, answer, path):
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status == 503 and "retry-after" not in answer.headers:
            self.without_retry_after += 1
        if (answer.status == 500 or answer.status < 500) and not self._is_untimely(answer, path):
            self.odd.append(f"{answer.status} {path.split('?')[0]} {answer.headers.get('x-request-id', '')}")

    def _is_untimely(self, answer, path):
        return self.may_refuse_launches and answer.status in (401, 429) and ".do" in path

    async def pieces(self):
        """One piece after the other: an author saves, its session is made, a learner comes and finishes."""
        while not self.stopping:
            await self.piece(self.take())

    def take(self):
        """The next number of a content and of its session."""
        self.next += 1
        return self.next - 1

    async def piece(self, number):
        """One of them, to its end."""
        callback = None
        while callback is None and not self.stopping:
            try:
                answer, callback = await author(self.any(), number)
                if callback is None:
                    self._refused(answer, "authoring.do")
                    await asyncio.sleep(0.05)
                else:
                    self.redirected += 1
            except AWAY:
                await asyncio.sleep(0.02)
        if callback is None:
            return
        answer = await self._ask("GET", f"{callback}&extToolContentID={ext_of(number)}")
        if answer is None or answer.status != 200:
            return
        self.callbacks[number] = ext_of(number)
        answer = await self._ask("PUT", f"/tools/{TOOL}/sessions/{number}", {"toolContentID": number, "name": "Group"})
        if answer is None:
            return
        if answer.status in (200, 201):
            self.sessions[number] = answer.json()["extSessionID"]
        elif answer.status == 409 and answer.json().get("code") == "unsettled":
            self.unsettled.add(number)
            return
        else:
            self.odd.append(f"session {number}: {answer.status} {answer.text()[:200]}")
            return
        answer = await self._ask("GET", learn(number, "mdl_anna"))
        if answer is None or answer.status != 302:
            return
        answer = await self._ask("GET", path_of(parameter(answer.location, "returnUrl")))
        if answer is not None and answer.status in (200, 302):
            self.finishes.add((number, "mdl_anna"))


class Launches:
    """Learners who open sessions at a fixed rate, whatever the answers."""

    def __init__(self, ports, sessions, rate, keep=True, patience=30.0):
        self.webs = [Connections(port, patience, keep) for port in ports]
        self.sessions, self.rate = sessions, rate
        self.sent = 0
        self.redirected = 0
        self.failed = []  # when and what
        self.took = []
        self.stopping = False

    async def go_on(self):
        """Sends launches at the rate, until it is told to stop; ends when all are answered."""
        begun, under_way = time.monotonic(), set()
        while not self.stopping:
            due = int((time.monotonic() - begun) * self.rate)
            while self.sent < due:
                task = asyncio.create_task(self.one(self.sent))
                self.sent += 1
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.sleep(0.002)
        if under_way:
            await asyncio.wait(under_way)

    async def one(self, number):
        session = self.sessions[number % len(self.sessions)]
        begun = time.monotonic()
        try:
            answer = await self.webs[number % len(self.webs)].get(learn(session, f"mdl_learner{number % 300}"))
        except (*AWAY, ValueError) as error:
            self.failed.append((time.time(), repr(error)))
            return
        self.took.append(time.monotonic() - begun)
        if answer.status == 302:
            self.redirected += 1
        else:
            self.failed.append((time.time(), f"{answer.status} {answer.headers.get('x-request-id', '')}"))


class Forms(HTMLParser):
    """The fields of the forms of a page, by the address that each is sent to."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.fields, self.area, self.select = {}, None, None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.fields = self.forms.setdefault(given.get("action", ""), [])
        elif self.fields is None:
            return
        elif tag == "input" and given.get("name"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self.fields.append((given["name"], given.get("value") or ""))
        elif tag == "textarea":
            self.area = [given["name"], ""]
        elif tag == "select":
            self.select = given["name"]
        elif tag == "option" and self.select and "selected" in given:
            self.fields.append((self.select, given.get("value") or ""))

    def handle_data(self, text):
        if self.area:
            self.area[1] += text

    def handle_endtag(self, tag):
        if tag == "form":
            self.fields = None
        elif tag == "textarea" and self.area:
            self.fields.append(tuple(self.area))
            self.area = None
        elif tag == "select":
            self.select = None


class Sysadmin:
    """A browser that is signed in, and changes the server again and again."""

    def __init__(self, gateway):
        self.gateway, self.cookies = gateway, {}
        self.web = Connections(gateway.port)
        self.acknowledged = 0  # the number in the last name that was saved
        self.saved = 0
        self.tried = 0
        self.stopping = False

    def at(self, gateway):
        """The same browser at another instance."""
        other = Sysadmin(gateway)
        other.cookies = self.cookies
        return other

    async def sign_in(self):
        added = functools.partial(self.gateway.command, "admin", "add", "Ada", given="a few good words\n")
        await in_thread(added)
        answer = await self.post("/admin/sign-in", [("name", "Ada"), ("password", "a few good words")])
        if answer.status != 303:
            raise RuntimeError(f"signing in: {answer.status} {answer.text()[:300]}")
        return self

    async def get(self, path):
        return await self._ask("GET", path)

    async def post(self, path, fields):
        return await self._ask("POST", path, urlencode(fields).encode())

    async def _ask(self, method, path, body=None):
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded",
                   "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        answer = await self.web.ask(method, path, headers, body)
        for cookie in answer.cookies:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    async def change(self, field, value):
        """Saves the server's form with one field changed; the answer to it, or to the page where that fails."""
        page = await self.get("/admin/servers/edit?id=moodle")
        if page.status != 200:
            return page
        action, fields = next(
            (action, fields) for action, fields in Forms(page.text()).forms.items()
            if any(name == field for name, _ in fields)
        )
        fields = [(name, value if name == field else before) for name, before in fields]
        return await self.post(action or "/admin/servers/edit?id=moodle", fields)

    async def go_on(self):
        while not self.stopping:
            self.tried += 1
            number = self.tried
            try:
                answer = await self.change("name", f"Moodle {number}")
            except AWAY:
                await asyncio.sleep(0.05)
                continue
            if answer.status == 303:
                self.acknowledged = number
                self.saved += 1
            await asyncio.sleep(0.05)


def judge(report, database, outside, work, sysadmin=None):
    """Compares what was acknowledged with what is stored, and what the external server made with what is known."""
    contents = dict(database.ask("select tool_content_id, ext_tool_content_id from contents"))
    sessions = dict(database.ask("select tool_session_id, ext_session_id from sessions"))
    finished = set(database.ask("select tool_session_id, name from session_users where finished_at is not null"))
    journal = database.ask("select local_id, state from journal")
    unsettled = {int(number) for number, state in journal if state == "unsettled"}
    calling = {int(number) for number, state in journal if state == "calling"}
    changes = int(database.ask("select count(*) from audit where action = 'server.changed' and actor like '%Ada%'")[0][0])
    left_behind = {row[0] for row in database.ask("select ext_id from left_behind")}
    contents = {int(number): ext for number, ext in contents.items()}
    sessions = {int(number): ext for number, ext in sessions.items()}
    finished = {(int(number), name.lower()) for number, name in finished}

    report.went_in(callbacks=len(work.callbacks), sessions=len(work.sessions), finishes=len(work.finishes),
                   **({"changes": sysadmin.saved} if sysadmin else {}),
                   clone_calls=outside.asked, copies_made=len(outside.made))
    report.is_there(callbacks=sum(contents.get(n) == ext for n, ext in work.callbacks.items()),
                    sessions=sum(sessions.get(n) == ext for n, ext in work.sessions.items()),
                    finishes=len(work.finishes & finished), **({"changes": changes} if sysadmin else {}),
                    sessions_stored=len(sessions), listed_as_unsettled=len(unsettled), left_behind=len(left_behind))
    report.none("callbacks lost", [n for n, ext in work.callbacks.items() if contents.get(n) != ext])
    report.none("sessions lost", [n for n, ext in work.sessions.items() if sessions.get(n) != ext])
    report.none("finishes lost", work.finishes - finished)
    if sysadmin:
        name = database.ask("select name from servers where id = 'moodle'")[0][0]
        number = int(name.rsplit(" ", 1)[1]) if name[-1].isdigit() else 0
        lost = max(0, sysadmin.acknowledged - number, sysadmin.saved - changes)
        report.none("configuration changes lost", lost)
    report.none("duplicates on the external server", outside.duplicates())
    unknown = [
        (source, ext) for source, ext in outside.made
        if sessions.get(int(source) - 500_000) != ext and int(source) - 500_000 not in unsettled
        and ext not in left_behind
    ]
    report.none("copies neither known nor listed", unknown)
    report.none("calls that are still said to be under way", calling)
    report.none("answers that nobody could understand", work.odd)
    report.none("503 without Retry-After", work.without_retry_after)
