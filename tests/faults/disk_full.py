#!/usr/bin/env python3
"""The disk of the embedded database is full, and then has room again. Needs root, for a small disk of its own."""

import asyncio
import os
import subprocess
import sys

from support.databases import Sqlite
from support.gateway import Gateway, configuration
from support.outside import Outside
from support.place import main, until
from support.report import Report, latencies
from support.work import Launches, Sysadmin, Work, judge


async def story(place):
    report = Report("the disk of the embedded database is full under load")
    disk = place.folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        print(f"skipped: a small disk cannot be mounted here: {mounted.stderr.strip()}")
        return True
    place.on_close(lambda: subprocess.run(["umount", "--lazy", disk], check=False))
    database = Sqlite(place, disk)
    outside = await Outside().start()
    outside.pause = 0.01
    gateway = Gateway(place, database)
    gateway.apply(configuration(outside))
    await gateway.started()
    work = Work(gateway)
    for _ in range(10):
        await work.piece(work.take())
    sysadmin = await Sysadmin(gateway).sign_in()
    launches = Launches([gateway.port], list(range(1, 11)), 100)
    for number in range(50):
        await launches.one(number)
    going_on = [asyncio.create_task(work.pieces()) for _ in range(4)]
    going_on += [asyncio.create_task(sysadmin.go_on()), asyncio.create_task(launches.go_on())]

    # Somebody else fills what is left.
    filler = disk / "filler"
    refused = 0
    for _ in range(3):
        before = sum(work.statuses.values())

        async def is_full():
            with filler.open("ab", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    pass
            return sum(work.statuses.values()) > before + 10

        await until("writes are refused", is_full, 60)
        made = len(work.sessions)
        learner = launches.redirected

        async def learners_go_on():
            return launches.redirected > learner + 100

        await until("learners go on", learners_go_on, 20)
        refused += sum(work.statuses.values()) - before
        filler.unlink()

        async def works_again():
            return len(work.sessions) > made + 10

        await until("sessions are made again", works_again, 60)
    work.stopping = sysadmin.stopping = launches.stopping = True
    await asyncio.gather(*going_on)

    async def nothing_calls():
        return database.ask("select count(*) from journal where state = 'calling'") == [("0",)]

    await until("the journal's calls are settled", nothing_calls, 40, 0.2)
    judge(report, database, outside, work, sysadmin)
    report.note(f"refused while it was full, three times: {refused}, by status: {work.statuses}")
    report.note(f"launches: {launches.sent + 50} sent, {launches.redirected} redirected; {latencies(launches.took)}")
    report.none("failed redirects of known sessions", launches.failed)
    report.must("the database is whole", database.ask("pragma integrity_check")[0][0],
                database.ask("pragma integrity_check") == [("ok",)], "must be ok")
    gateway.kill()
    return report.held


if __name__ == "__main__":
    if os.getuid() != 0:
        print("\n== the disk of the embedded database is full\nskipped: only root can mount a small disk")
        sys.exit(0)
    main(story)
