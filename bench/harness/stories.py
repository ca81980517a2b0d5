"""What is measured, one function for each table."""

import asyncio
import itertools
import os
import random
import statistics
import subprocess
import sys
import threading
import time

from support.databases import Postgres, Sqlite, programs
from support.place import binary, until

from . import contestants, install, load, stage
from .contestants import Contestant
from .tables import table

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("ROUND_SECONDS", "5"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "64"))
LAUNCH_KEY = stage.SECRET.format(0)
POSTGRES = {"shared_buffers": "256MB", "max_wal_size": "4GB"}


def write(place, name, lines):
    file = place.folder / name
    file.write_text("\n".join(lines) + "\n")
    return file


def launches(sessions, count, **more):
    """Launches of some sessions, each once at first, in no order."""
    order = list(sessions)
    random.shuffle(order)
    some = itertools.islice(itertools.cycle(order), count)
    return [stage.learner_launch(session, random.randrange(stage.LEARNERS), **more) for session in some]


def new_postgres(place, name):
    postgres = Postgres(place, name)
    postgres.start(**POSTGRES)
    postgres.create()
    return postgres


class Checker(threading.Thread):
    """Beside a load, sends one launch for a thousand of it, and looks at where that leads."""

    def __init__(self, port, paths, a_second):
        super().__init__(daemon=True)
        self.port, self.paths, self.pause = port, paths, 1 / max(a_second, 1)
        self.checked, self.wrong, self.over = 0, 0, threading.Event()

    def run(self):
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.over.wait(self.pause):
            path = random.choice(self.paths)
            connection.request("GET", path, headers={"Host": "gateway.example.org"})
            answer = connection.getresponse()
            answer.read()
            self.checked += 1
            self.wrong += answer.status != 302 or not stage.is_right(path, answer.getheader("location", ""))

    def ended(self):
        self.over.set()
        self.join()


class Measured:
    """The rounds of one contestant."""

    def __init__(self, one):
        self.one, self.rounds = one, []
        self.checked = self.wrong = 0

    def round(self, seconds=SECONDS):
        one = self.one
        lines = one.requests()
        file, paths = lines if isinstance(lines, tuple) else (lines, None)
        checker = None
        if one.check and self.rounds:
            checker = Checker(one.port, one.check(), self.rounds[-1][0].rate / 1000)
            checker.start()
        pids, others = one.pids(), one.pids_of_database()
        before = contestants.cpu(pids), contestants.cpu(others)
        answered = load.closed(one.port, file, seconds, CONNECTIONS)
        took = contestants.cpu(pids) - before[0], contestants.cpu(others) - before[1]
        if checker:
            checker.ended()
            self.checked += checker.checked
            self.wrong += checker.wrong
        if answered.wrong:
            raise RuntimeError(f"{one.name}: {answered.wrong} of {answered.requests} were not answered by a redirect")
        self.rounds.append((answered, *(seconds * 1e6 / answered.requests for seconds in took)))
        print(f"  {one.name}: {answered.rate:,.0f} a second", file=sys.stderr, flush=True)

    def begin(self):
        """The round before this one was the warm-up."""
        self.rounds = self.rounds[-1:]

    def counted(self):
        return self.rounds[1:]

    def median(self, what):
        return statistics.median(what(*round) for round in self.counted())


async def settled(gateway):
    """Waits until every launch that was answered is in the tables; how many seconds it took."""

    async def nothing_waits():
        waiting = await gateway.metric("toolgate_launches_waiting")
        return not waiting

    return await until("every launch is filed", nothing_waits, 300.0, 0.1)


async def compare(place, title, measured, gateways, rounds=ROUNDS):
    """Warm-up, then rounds, one after the other in turn; prints the table."""
    for one in measured:
        one.round()
        one.begin()
    filed = 0.0
    for gateway in gateways:
        await settled(gateway)
    for _ in range(rounds):
        for one in measured:
            one.round()
            for gateway in gateways:
                filed = max(filed, await settled(gateway))
    ceiling = measured[0].median(lambda answered, *_: answered.rate)
    base = measured[1].median(lambda answered, *_: answered.rate)
    rows = []
    for one in measured:
        rate = one.median(lambda answered, *_: answered.rate)
        spread = [round[0].rate for round in one.counted()]
        rows.append([
            one.one.name, f"{rate:,.0f}", f"{min(spread):,.0f} to {max(spread):,.0f}", f"{rate / ceiling:.3f}", f"{rate / base:.3f}",
            f"{one.median(lambda answered, *_: answered.median):.2f}", f"{one.median(lambda answered, *_: answered.p99):.2f}",
            f"{one.median(lambda _, own, __: own):.1f}", f"{one.median(lambda _, __, other: other):.1f}",
            f"{contestants.memory(one.one.pids()) / 1024:.0f}", f"{one.checked}",
        ])
        if one.wrong:
            raise RuntimeError(f"{one.one.name}: {one.wrong} of {one.checked} redirects were not right")
    table(title, ["", "a second", "least to most", "of nginx", "of the gateway", "median ms", "p99 ms", "CPU µs", "database's CPU µs",
                  "memory MiB", "checked"], rows)
    print(f"All launches were filed {filed:.1f} s after a round at the latest.", flush=True)


def measured_nginx(place):
    address = ("https://moodle7.example.org/course/lamsframes.php?&id=2000123&returnUrl=" + "x" * 260
               + "&dest=mod%2Fquiz%2Fview.php&is_learner=1&isFinished=false&un=learner123&ts=1764259200000&hs=" + "a" * 40)
    port, process = contestants.nginx(place, address)
    file = write(place, "nginx.requests", map(stage.as_sent, launches(range(1, 10_001), 10_000)))
    return Measured(Contestant("nginx, a redirect that stands in its configuration", port, process, lambda: file))


def measured_gateway(place, name, gateway, sessions, count=100_000):
    def requests():
        measured.paths = launches(sessions, count)
        return write(place, f"{gateway.port}.requests", map(stage.as_sent, measured.paths))

    database = gateway.database if gateway.database.kind == "PostgreSQL" else None
    measured = Measured(Contestant(name, gateway.port, gateway.process, requests, database, lambda: measured.paths))
    return measured


# How they are called, how many launches a second are made for them (each is sent once, so that there have to be enough),
# and whether they want a PostgreSQL.
LTI = {"pylti1p3": ("PyLTI1p3, LTI 1.3", 2000, False), "ltijs": ("ltijs, LTI 1.3", 300, True)}


def lti(place, name, words, a_second, wants_postgres):
    postgres = new_postgres(place, f"{name}-database") if wants_postgres else None
    environment = {"DATABASE_URL": postgres.url()} if postgres else {}
    port, process = contestants.peer(place, name, environment)

    def requests():
        lines = contestants.requests_of_peer(name, a_second * (SECONDS + 1), port, environment=environment)
        return write(place, f"{name}.requests", lines)

    return Measured(Contestant(words, port, process, requests, postgres))


def measured_peers(place, jdbc_only=False):
    """Those of bench/peers that are wanted, started."""
    found = []
    for name in install.peers():
        if name == "tomcat":
            found += tomcat(place, ["jdbc"] if jdbc_only else ["jdbc", "memory"])
        elif not jdbc_only:
            found.append(lti(place, name, *LTI[name]))
    return found


def tomcat(place, kinds):
    postgres = new_postgres(place, "tomcat-database")
    subprocess.run([str(programs() / "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", postgres.url(),
                    "-f", str(contestants.PEERS / "tomcat/schema.sql")], check=True, stdout=subprocess.DEVNULL)
    environment = {"LAUNCH_KEY": LAUNCH_KEY, "PEER_DB_USER": "postgres", "PEER_DB_PASSWORD": "",
                   "PEER_JDBC_URL": f"jdbc:postgresql://127.0.0.1:{postgres.port}/{postgres.database}"}
    port, process = contestants.peer(place, "tomcat", environment)

    def contestant(kind):
        def requests():
            lines = contestants.requests_of_peer("tomcat", 50_000, port, kind, environment=environment)
            return write(place, f"tomcat-{kind}.requests", lines)

        words = {"jdbc": "Tomcat, JDBC and a pool", "memory": "Tomcat, from memory"}[kind]
        return Measured(Contestant(words, port, process, requests, postgres if kind == "jdbc" else None))

    return [contestant(kind) for kind in kinds]


async def launch(place):
    """Warm launches of learners: 100,000 sessions of as many contents, all in memory."""
    postgres = new_postgres(place, "launch")
    gateways = [await contestants.gateway(place, database) for database in (Sqlite(place), postgres)]
    warm = range(1, stage.CONTENTS + 1)
    for gateway in gateways:
        # Each session once, so that all are in memory.
        file = write(place, "warm.requests", map(stage.as_sent, launches(warm, stage.CONTENTS)))
        answered = 0
        while answered < 1.2 * stage.CONTENTS:
            answered += load.closed(gateway.port, file, SECONDS, CONNECTIONS).requests
        await settled(gateway)
        print(f"{gateway.database.kind}: {contestants.memory([gateway.process.pid]) / 1024:.1f} MiB in memory with "
              f"100,000 contents, of which {gateway.memory() / 1024:.1f} MiB resident", flush=True)
    measured = [measured_nginx(place)]
    measured += [measured_gateway(place, f"Toolgate, {gateway.database.kind}", gateway, warm) for gateway in gateways]
    await compare(place, "A learner's launch, warm", measured + measured_peers(place), gateways)


async def cold(place):
    """Launches of sessions that are not in memory, on PostgreSQL: a new gateway for each round."""
    postgres = new_postgres(place, "cold")
    gateway = await contestants.gateway(place, postgres)
    sessions = range(stage.CONTENTS + 1, 2 * stage.CONTENTS + 1)
    nginx = measured_nginx(place)
    measured = measured_gateway(place, "Toolgate, PostgreSQL, cold", gateway, sessions)

    class Anew(Measured):
        def round(self):
            gateway.kill()
            gateway.start()
            contestants.wait_for(gateway.port, "/readyz")
            measured.one.process = self.one.process = gateway.process
            super().round()

    cold = Anew(measured.one)
    cold.one.check = None
    await compare(place, "A learner's launch, cold", [nginx, cold] + measured_peers(place, True), [gateway])


async def writes(place):
    """Author launches and callbacks, beside pgbench with the same statements."""
    postgres = new_postgres(place, "writes")
    gateway = await contestants.gateway(place, postgres)
    fresh = itertools.count(10_000_000)
    # So many a round: more than are answered in it, so that each content is new, and each state used once.
    many, seconds = 40_000, 3
    rates = {name: [] for name in ("author", "callback", "pgbench author", "pgbench callback")}
    for number in range(ROUNDS + 1):
        authors = [stage.author_launch(next(fresh)) for _ in range(many)]
        callbacks = await callbacks_of(gateway, [stage.author_launch(next(fresh)) for _ in range(many)])
        await settled(gateway)
        for name, paths in (("author", authors), ("callback", callbacks)):
            file = write(place, f"{name}.requests", map(stage.as_sent, paths))
            answered = load.closed(gateway.port, file, seconds, CONNECTIONS)
            if answered.wrong or answered.requests > many:
                raise RuntimeError(f"{name}: {answered}")
            rates[name].append(answered.rate)
            print(f"  {name}: {answered.rate:,.0f} a second", file=sys.stderr, flush=True)
            await settled(gateway)
            rates[f"pgbench {name}"].append(max(pgbench(postgres, name, clients, seconds) for clients in (8, 64)))
    rows = []
    for name, words in (("author", "Author's launch of new content"), ("callback", "Callback")):
        own, base = (statistics.median(rates[key][1:]) for key in (name, f"pgbench {name}"))
        rows.append([words, f"{own:,.0f}", f"{base:,.0f}", f"{base / own:.2f}"])
    table("What writes, on PostgreSQL with fsync", ["", "a second", "pgbench, the same statements", "pgbench's, times ours"], rows)


async def callbacks_of(gateway, authors):
    """The callbacks that external servers would make after these launches of authors."""
    from urllib.parse import unquote, urlsplit

    callbacks = []

    async def over_one(share):
        for path in share:
            location = (await gateway.web.get(path)).location
            address = unquote(parameter(location, "lamsUpdateURL"))
            url = urlsplit(address)
            callbacks.append(f"{url.path}?{url.query}&extToolContentID={random.randrange(10**9)}")

    await asyncio.gather(*(over_one(authors[start::32]) for start in range(32)))
    return callbacks


def parameter(address, name):
    """One parameter of an address, decoded once."""
    from urllib.parse import parse_qs, urlsplit

    return parse_qs(urlsplit(address).query)[name][0]


def pgbench(postgres, name, clients, seconds):
    """Transactions a second."""
    command = [str(programs() / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds),
               "-f", str(stage.BENCH / f"{name}.sql"), postgres.url()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps = "))
    return float(line.split()[2])


async def open_loop(place):
    """Latencies at half of what is answered at most, counted from when each request was due; nginx's at the same rate."""
    warm = range(1, stage.CONTENTS // 5 + 1)
    ceiling, rows = measured_nginx(place).one, []

    def urls(name, port):
        return write(place, name, (f"http://127.0.0.1:{port}{path}" for path in launches(warm, len(warm))))

    def half(file, most):
        answered = load.open_loop(install.oha(), file, SECONDS, most / 2, CONNECTIONS)
        if answered.wrong:
            raise RuntimeError(f"{answered.wrong} were not answered by a redirect")
        return answered

    for database in (Sqlite(place), new_postgres(place, "open-loop")):
        gateway = await contestants.gateway(place, database)
        file = write(place, "open.requests", map(stage.as_sent, launches(warm, len(warm))))
        for _ in range(2):
            most = load.closed(gateway.port, file, SECONDS, CONNECTIONS)
        await settled(gateway)
        sent, sent_to_nginx = urls("open.urls", gateway.port), urls("nginx.urls", ceiling.port)
        for _ in range(ROUNDS):
            rows.append((database.kind, most.rate, half(sent, most.rate)))
            await settled(gateway)
            rows.append((f"nginx, as many as {database.kind}", most.rate, half(sent_to_nginx, most.rate)))
        gateway.kill()
    lines = []
    for kind in dict.fromkeys(name for name, _, _ in rows):
        of = [(most, answered) for name, most, answered in rows if name == kind]
        middle = [statistics.median(pick(answered) for _, answered in of)
                  for pick in (lambda a: a.rate, lambda a: a.median, lambda a: a.p99)]
        lines.append([kind, f"{of[0][0]:,.0f}", f"{middle[0]:,.0f}", f"{middle[1]:.2f}", f"{middle[2]:.2f}"])
    table("At half of what it can, open loop", ["", "the most a second", "sent a second", "median ms", "p99 ms"], lines)


async def start(place):
    """From the command to ready."""
    rows = []
    for database in (Sqlite(place), new_postgres(place, "start")):
        gateway = await contestants.gateway(place, database)
        times = []
        for _ in range(2 * ROUNDS + 1):
            gateway.kill()
            begun = time.monotonic()
            gateway.start()
            await until("it is ready", gateway.is_ready, step=0.001)
            times.append((time.monotonic() - begun) * 1000)
        rows.append([database.kind, f"{statistics.median(times):.0f}", f"{max(times):.0f}", f"{gateway.memory() / 1024:.1f}"])
        gateway.kill()
    size = binary().stat().st_size / 1e6
    table("Start with 100,000 contents", ["", "ready after ms", "at most", "resident MiB then"], rows)
    print(f"The binary has {size:.1f} MB.", flush=True)


async def growth(place):
    """What becomes of latency as there is more stored."""
    rows = []
    for contents, servers in [(10**3, 50), (10**4, 50), (10**5, 50), (10**6, 50), (10**5, 1), (10**5, 10), (10**5, 100), (10**5, 1000)]:
        row = [f"{contents:,}", f"{2 * contents:,}", f"{servers:,}"]
        for database in (Sqlite(place, folder(place, f"{contents}-{servers}")), new_postgres(place, f"growth-{contents}-{servers}")):
            gateway = await contestants.gateway(place, database, contents, servers)
            more = {"contents": contents, "servers": servers}
            for sessions, warm in ((range(1, 1001), True), (range(1001, 2 * contents + 1), False)):
                if not warm and len(sessions) < 10_000:
                    # They would be in memory before the round is over.
                    row.append("–")
                    continue
                paths = launches(sessions, min(len(sessions), 60_000), **more)
                file = write(place, "growth.requests", map(stage.as_sent, paths))
                if warm:
                    load.closed(gateway.port, file, 2, 8)
                    await settled(gateway)
                row.append(f"{load.closed(gateway.port, file, 3, 2).median:.3f}")
                await settled(gateway)
            gateway.kill()
            if database.kind == "PostgreSQL":
                database.stop("immediate")
        rows.append(row)
    table("As more is stored: median of a launch, ms, over two connections",
          ["contents", "sessions", "servers", "SQLite, in memory", "SQLite, not", "PostgreSQL, in memory", "PostgreSQL, not"], rows)


def folder(place, name):
    made = place.folder / name
    made.mkdir()
    return made


async def profile(place):
    """No table: what a gateway does all day, on both databases, for bench/profile, whose binary counts what it runs and
    writes that down when it is stopped."""
    for database in (Sqlite(place), new_postgres(place, "profile")):
        gateway = await contestants.gateway(place, database, 20_000)
        authors = [stage.author_launch(number) for number in range(10_000_000, 10_002_000)]
        for paths in (launches(range(1, 40_001), 80_000), authors, await callbacks_of(gateway, authors)):
            file = write(place, "profile.requests", map(stage.as_sent, paths))
            answered = load.closed(gateway.port, file, SECONDS, CONNECTIONS)
            print(f"  {database.kind}: {answered.requests:,} requests", file=sys.stderr, flush=True)
            await settled(gateway)
        gateway.tell_to_stop()
        gateway.process.wait(60)


TABLES = {story.__name__: story for story in (launch, cold, writes, open_loop, start, growth)}
STORIES = {**TABLES, profile.__name__: profile}
