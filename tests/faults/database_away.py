#!/usr/bin/env python3
"""PostgreSQL is stopped and started again under load, and hangs: learners of known sessions go on, who writes is told to
wait, and what was acknowledged stays."""

import asyncio
import time

from support.databases import Postgres
from support.gateway import TOOL, Gateway, configuration
from support.outside import Outside
from support.place import in_thread, main, seconds, until
from support.report import Report, latencies
from support.work import AWAY, Launches, Sysadmin, Work, judge

AWAY_FOR = seconds("FAULTS_AWAY", 60, 10)
RATE = 200


class Readiness:
    """Asks /readyz and tries to write, ten times a second, all the time."""

    def __init__(self, gateway):
        self.gateway, self.stopping = gateway, False
        self.ready = None
        self.turned = []  # when, and to what
        self.refused = []  # how long each refused write took

    async def watch(self):
        while not self.stopping:
            ready = await self.gateway.is_ready()
            if ready != self.ready:
                self.ready = ready
                self.turned.append((time.monotonic(), ready))
            await asyncio.sleep(0.05)

    async def turned_to(self, ready):
        async def turned():
            return self.ready == ready

        await until(f"ready is {ready}", turned, 60, 0.01)
        return self.turned[-1][0]

    async def write(self, report):
        """One write after the other while the database is away."""
        while not self.stopping:
            begun = time.monotonic()
            try:
                answer = await self.gateway.call("PATCH", f"/tools/{TOOL}/contents/1", {"runOffline": False})
            except AWAY as error:
                report.none(f"writes without an answer ({error!r})", 1)
                return
            took = time.monotonic() - begun
            if answer.status == 503 and "retry-after" in answer.headers:
                self.refused.append(took)
            elif answer.status != 200:
                report.none(f"answers {answer.status} to a write: {answer.text()[:200]}", 1)
            await asyncio.sleep(0.1)


async def away(place, postgres, report, take, bring):
    """Takes the database away under load, and brings it back."""
    outside = await Outside().start()
    gateway = Gateway(place, postgres)
    gateway.apply(configuration(outside))
    await gateway.started()
    work, readiness = Work(gateway), Readiness(gateway)
    for _ in range(20):
        await work.piece(work.take())
    sysadmin = await Sysadmin(gateway).sign_in()
    launches = Launches([gateway.port], list(range(1, 21)), RATE)
    # Every worker has seen every session.
    for number in range(200):
        await launches.one(number)
    launches.took.clear()
    going_on = [asyncio.create_task(work.pieces()) for _ in range(4)]
    going_on += [asyncio.create_task(task) for task in
                 (sysadmin.go_on(), launches.go_on(), readiness.watch(), readiness.write(report))]
    await readiness.turned_to(True)
    await asyncio.sleep(1)

    before, launches.took = launches.took, []
    begun = time.monotonic()
    await in_thread(take)
    turned_off = await readiness.turned_to(False) - begun
    # The length of the outage is what is tried here.
    await asyncio.sleep(AWAY_FOR - (time.monotonic() - begun))
    during, launches.took = launches.took, []
    await in_thread(bring)
    # From when it takes connections again, which `bring` waits for.
    begun = time.monotonic()
    turned_on = max(0.0, await readiness.turned_to(True) - begun)

    made = len(work.sessions)

    async def works_again():
        return len(work.sessions) > made + 10

    again = await until("sessions are made again", works_again, 60)
    work.stopping = sysadmin.stopping = launches.stopping = readiness.stopping = True
    await asyncio.gather(*going_on)

    async def nothing_calls():
        return postgres.ask("select count(*) from journal where state = 'calling'")[0][0] == "0"

    await until("the journal's calls are settled", nothing_calls, 40, 0.2)
    judge(report, postgres, outside, work, sysadmin)
    unsettled = postgres.ask("select local_id, error from journal where state = 'unsettled'")
    report.none("calls that are unsettled, though the server answered", unsettled)
    report.note(f"launches: {launches.sent} sent, {launches.redirected - 200} redirected; before: {latencies(before)}")
    report.note(f"launches while it was away: {len(during)}; {latencies(during)}")
    report.none("failed redirects of known sessions", launches.failed)
    report.must("writes refused with 503 and Retry-After", len(readiness.refused), readiness.refused, "at least 1")
    report.within("the slowest of them", max(readiness.refused, default=0.0), 2)
    report.within("/readyz turns", turned_off, 2)
    report.within("/readyz turns back", turned_on, 2)
    report.within("sessions are made again, after it is back", again, 5)
    gateway.kill()
    return report.held


async def story(place):
    postgres = Postgres(place)
    postgres.start()
    postgres.create("stopped")
    report = Report(f"PostgreSQL is stopped for {AWAY_FOR:.0f} s under load, and started again")
    held = await away(place, postgres, report, lambda: postgres.stop("immediate"), postgres.start)
    postgres.create("hanging")
    report = Report(f"PostgreSQL hangs for {AWAY_FOR:.0f} s under load")
    held &= await away(place, postgres, report, postgres.freeze, postgres.thaw)
    return held


if __name__ == "__main__":
    main(story)
