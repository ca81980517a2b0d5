#!/usr/bin/env python3
"""PostgreSQL's primary is killed under load and a streaming standby takes over. Replication is synchronous, so that what
was acknowledged is on both. Once the connections of the old one end, once they hang, as those to a dead machine do."""

import asyncio
import time

from support.databases import Postgres
from support.gateway import Gateway, configuration
from support.outside import Outside
from support.place import in_thread, main, until
from support.report import Report, latencies
from support.switch import Switch
from support.work import Launches, Sysadmin, Work, judge


async def fail_over(place, name, silently):
    report = Report(f"failover to a standby under load; connections to the old primary {name}")
    primary = Postgres(place, f"primary-{name}")
    primary.start()
    primary.create()
    standby = Postgres(place, f"standby-{name}", copy_of=primary)
    standby.database = primary.database
    standby.start(hot_standby="on")
    primary.ask("alter system set synchronous_standby_names = '*'")
    primary.ask("select pg_reload_conf()")

    async def in_step():
        return primary.ask("select count(*) from pg_stat_replication where sync_state = 'sync'") == [("1",)]

    await until("replication is synchronous", in_step)

    switch = await Switch().start(primary.port)
    outside = await Outside().start()
    outside.pause = 0.02
    gateway = Gateway(place, primary, primary.url(switch.port))
    await in_thread(gateway.apply, configuration(outside))
    await gateway.started()
    work = Work(gateway)
    for _ in range(20):
        await work.piece(work.take())
    sysadmin = await Sysadmin(gateway).sign_in()
    launches = Launches([gateway.port], list(range(1, 21)), 150)
    for number in range(200):
        await launches.one(number)
    going_on = [asyncio.create_task(work.pieces()) for _ in range(6)]
    going_on += [asyncio.create_task(sysadmin.go_on()), asyncio.create_task(launches.go_on())]
    made = len(work.sessions)

    async def busy():
        return len(work.sessions) > made + 30

    await until("sessions are made", busy, 60)

    launches.took.clear()
    begun = time.monotonic()
    if silently:
        # The machine goes off the network: nothing of it is heard any more.
        switch.lead_to(None, silently)
    await in_thread(primary.stop, "immediate")
    switch.lead_to(standby.port, silently)
    # For a while the address leads to a standby that is none yet that takes changes.
    await asyncio.sleep(1)
    await in_thread(standby.promote)
    promoted = time.monotonic()
    await until("the gateway is ready", gateway.is_ready, 60, 0.01)
    ready = time.monotonic() - promoted
    made = len(work.sessions)
    again = await until("sessions are made again", busy, 60)
    over = time.monotonic() - begun
    work.stopping = sysadmin.stopping = launches.stopping = True
    await asyncio.gather(*going_on)

    async def nothing_calls():
        return standby.ask("select count(*) from journal where state = 'calling'") == [("0",)]

    await until("the journal's calls are settled", nothing_calls, 40, 0.2)
    judge(report, standby, outside, work, sysadmin)
    report.note(f"launches: {launches.sent + 200} sent, {launches.redirected} redirected; meanwhile: {latencies(launches.took)}")
    report.note(f"from the primary's end to sessions being made again: {over:.2f} s")
    report.none("failed redirects of known sessions", launches.failed)
    report.within("ready again, after the promotion", ready, 2)
    report.within("sessions are made again, after that", again, 5)
    gateway.kill()
    standby.stop("immediate")
    return report.held


async def story(place):
    held = await fail_over(place, "end", silently=False)
    return await fail_over(place, "hang", silently=True) and held


if __name__ == "__main__":
    main(story)
