#!/usr/bin/env python3
"""kill -9 of the gateway under load, again and again, on both databases."""

import asyncio
import random
import time

from support.databases import databases
from support.gateway import Gateway, configuration
from support.outside import Outside
from support.place import SHORT, in_thread, main, until
from support.report import Report
from support.work import Launches, Sysadmin, Work, judge

KILLS = 4 if SHORT else 12
READY = {"SQLite": 1.0, "PostgreSQL": 2.0}


async def story(place):
    held = True
    for database in databases(place):
        held &= await crash(place, database)
    return held


async def crash(place, database):
    report = Report(f"kill -9 under load, {KILLS} times, {database.kind}")
    outside = await Outside().start()
    outside.pause = 0.02
    gateway = Gateway(place, database)
    gateway.apply(configuration(outside))
    await gateway.started()
    # One session that learners open all the time.
    work = Work(gateway)
    await work.piece(work.take())
    sysadmin = await Sysadmin(gateway).sign_in()
    launches = Launches([gateway.port], [1], 150)

    going_on = [asyncio.create_task(work.pieces()) for _ in range(8)]
    going_on += [asyncio.create_task(sysadmin.go_on()), asyncio.create_task(launches.go_on())]
    took = []
    for _ in range(KILLS):
        before = len(work.sessions)

        async def busy():
            return len(work.sessions) >= before + 10

        await until("sessions are made", busy)
        await asyncio.sleep(random.uniform(0, 0.5))
        died = time.monotonic()
        await in_thread(gateway.kill)
        gateway.start()
        await until("the gateway is ready", gateway.is_ready, 30, 0.005)
        took.append(time.monotonic() - died)

    await until("sessions are made", busy)
    work.stopping = sysadmin.stopping = launches.stopping = True
    await asyncio.gather(*going_on)

    async def nothing_calls():
        return database.ask("select count(*) from journal where state = 'calling'")[0][0] == "0"

    await until("the journal's calls are settled", nothing_calls, 40, 0.2)
    judge(report, database, outside, work, sysadmin)
    report.note(f"launches: {launches.sent} sent, {launches.redirected} redirected, {len(launches.failed)} while it was down")
    written = int(database.ask("select count(*) from launches where kind = 'learner' and outcome = 'redirected'")[0][0])
    report.note(f"launch records: {written} stored, of {launches.redirected + len(work.finishes)} or more launches")
    report.within("from crash to ready", max(took), READY[database.kind])
    gateway.kill()
    return report.held


if __name__ == "__main__":
    main(story)
