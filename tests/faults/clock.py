#!/usr/bin/env python3
"""The clock jumps, forward and back, by seconds, hours and a day, under load: with libfaketime, which moves the clock of
the gateway's process alone. LAMS's clock stays, so that launches are refused while the two differ by more than five
minutes; nothing else may be."""

import asyncio
import glob

from support.databases import databases
from support.gateway import Gateway, configuration
from support.outside import Outside
from support.place import main, until
from support.report import Report
from support.work import Work, judge

JUMPS = ["+20", "-20", "+3h", "-3h", "+1d", "-1d", "+0"]


async def story(place):
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        print("\n== the clock jumps\nskipped: libfaketime is not here")
        return True
    held = True
    for database in databases(place):
        held &= await jumps(place, database, found[0])
    return held


async def jumps(place, database, library):
    report = Report(f"the clock jumps under load: {', '.join(JUMPS)}; {database.kind}")
    clock = place.folder / f"clock-{database.kind}"
    clock.write_text("+0")
    outside = await Outside().start()
    outside.pause = 0.3
    with_clock = {
        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
    }
    gateway = Gateway(place, database, **with_clock)
    other = Gateway(place, database)
    gateway.apply(configuration(outside))
    await gateway.started()
    await other.started()
    work = Work([gateway, other])
    work.may_refuse_launches = True
    going_on = [asyncio.create_task(work.pieces()) for _ in range(6)]
    for jump in JUMPS:
        made = len(work.sessions)

        async def busy():
            return len(work.sessions) >= made + 20

        await until("sessions are made", busy, 60)
        clock.write_text(jump)
        made = len(work.sessions)
        await until("sessions are made", busy, 60)
        date = (await gateway.web.get("/healthz")).headers.get("date")
        report.note(f"{jump}: the gateway says it is {date}; refused so far by status: {work.statuses}")
    work.stopping = True
    await asyncio.gather(*going_on)

    async def nothing_calls():
        return database.ask("select count(*) from journal where state = 'calling'") == [("0",)]

    await until("the journal's calls are settled", nothing_calls, 40, 0.2)
    judge(report, database, outside, work)
    stored = int(database.ask("select count(*) from launches where outcome = 'redirected'")[0][0])
    report.must("launch records stored", stored, stored >= work.redirected, f"at least {work.redirected}")
    unsettled = int(database.ask("select count(*) from journal where state = 'unsettled'")[0][0])
    report.none("calls that are unsettled, though nothing failed", unsettled)
    gateway.kill()
    other.kill()
    return report.held


if __name__ == "__main__":
    main(story)
