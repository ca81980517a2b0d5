#!/usr/bin/env python3
"""Classes: 300 learners who open the same activity within ten seconds, many classes at once, each learner with a browser
of its own; then the same with an external server that takes its time, while sessions are made there. An hour of lessons
is so pressed into minutes. Memory must be flat after the first rounds, and no descriptor may be left over."""

import asyncio
import os
import resource
import time
from urllib.parse import urlsplit

from support.databases import Postgres, Sqlite
from support.gateway import TOOL, Gateway, configuration
from support.outside import Outside
from support.place import SHORT, in_thread, main, until
from support.report import Report, latencies, percentile
from support.web import Connections
from support.work import AWAY, learn, parameter, path_of, saved

LEARNERS = 300
CLASSES = int(os.environ.get("FAULTS_CLASSES", 10 if SHORT else 50))
WITHIN = 10.0
#: Rounds with all classes, one of them with the slow server; then rounds with half of them, in which memory has to be
#: flat.
FULL = 2
ROUNDS = int(os.environ.get("FAULTS_ROUNDS", 4 if SHORT else 8))
GROWTH = 1.05


class Class:
    """The launches of one round, each over a connection of its own, spread over ten seconds."""

    def __init__(self, port, classes):
        self.port, self.classes = port, classes
        self.took, self.failed, self.late = [], [], 0.0

    async def round(self, returns):
        total = self.classes * LEARNERS
        begun, tasks = time.monotonic(), []
        for number in range(total):
            due = begun + WITHIN * number / total
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self.late = max(self.late, -wait)
            tasks.append(asyncio.create_task(self.learner(number, returns)))
        await asyncio.gather(*tasks)
        return time.monotonic() - begun

    async def learner(self, number, returns):
        session, web = number % self.classes + 1, Connections(self.port, keep=False)
        at = time.monotonic()
        try:
            answer = await web.get(learn(session, f"mdl_learner{number // self.classes}"))
            self.took.append(time.monotonic() - at)
            if answer.status != 302:
                self.failed.append(answer.status)
            elif returns and number % 10 == 0:
                # One in ten is done already.
                answer = await web.get(path_of(parameter(answer.location, "returnUrl")))
                if answer.status not in (200, 302):
                    self.failed.append(("return", answer.status))
        except AWAY as error:
            self.failed.append(repr(error))


async def settled(gateway, database, expected):
    """Waits until what happened is written down and connections are closed."""

    async def is_written():
        rows = await in_thread(database.ask, "select count(*) from launches where kind = 'learner'")
        return int(rows[0][0]) >= expected

    return await until("all launches are written down", is_written, 120, 0.2)


async def classes(place, database):
    report = Report(f"{CLASSES} classes of {LEARNERS} learners within {WITHIN:.0f} s, {FULL} rounds, then {ROUNDS} of "
                    f"half as many; {database.kind}")
    outside = await Outside().start()
    gateway = Gateway(place, database)
    await in_thread(gateway.apply, configuration(outside))
    await gateway.started()
    for number in range(1, CLASSES + 1):
        await saved(gateway.web, number)
        await gateway.call("PUT", f"/tools/{TOOL}/sessions/{number}", {"toolContentID": number})
    gateway.web.close()

    kept_to = [urlsplit(outside.url).port, getattr(database, "port", None)]
    memory, descriptors, sent, redirected, all_took, failed = [], [], 0, 0, [], []
    for number in range(FULL + ROUNDS):
        classes = CLASSES if number < FULL else CLASSES // 2
        slow = number % 2 == 1
        outside.pause = 5.0 if slow else 0.0
        groups = asyncio.create_task(make_sessions(gateway, number)) if slow else None
        crowd = Class(gateway.port, classes)
        length = await crowd.round(returns=True)
        made = await groups if groups else None
        sent += classes * LEARNERS
        redirected += len(crowd.took) - sum(isinstance(one, int) for one in crowd.failed)
        failed += crowd.failed
        waited = await settled(gateway, database, sent)
        gateway.web.close()

        # A second in which nothing more is closed.
        open_now = None
        while open_now != (open_now := gateway.descriptors(*kept_to)):
            await asyncio.sleep(1)
        memory.append(gateway.memory())
        descriptors.append(open_now)
        all_took += crowd.took if number >= FULL else []
        report.note(f"round {number + 1}{', slow server' if slow else ''}: {classes} classes, {classes * LEARNERS / length:.0f} launches/s, "
                    f"{latencies(crowd.took)}; written down {waited:.1f} s after; {memory[-1] / 1024:.1f} MiB, "
                    f"{open_now[0]} descriptors and {open_now[1]} kept connections" + (f"; {made} sessions made meanwhile" if made else ""))
    report.went_in(launches=sent)
    rows = database.ask("select count(*) from launches where kind = 'learner' and outcome = 'redirected'")
    report.is_there(redirected=redirected, written_down=int(rows[0][0]))
    report.none("failed launches and returns", failed)
    report.none("launches that are not written down", max(0, redirected - int(rows[0][0])))
    # What the peak and the first round after it left.
    before, after = max(memory[: FULL + 1]), memory[-1]
    report.must("memory after the last round", f"{after / 1024:.1f} MiB, {after / before - 1:+.1%}",
                after <= before * GROWTH, f"at most 5 % above the {before / 1024:.1f} MiB of the first {FULL + 1} rounds")
    report.none("descriptors left over", max(0, descriptors[-1][0] - descriptors[0][0]))
    report.must("connections kept to database and server", descriptors[-1][1], descriptors[-1][1] <= 38 + 8, "at most 46")
    report.within("the 99th percentile at half load", percentile(all_took, 0.99), 1.0)
    gateway.kill()
    return report.held


async def make_sessions(gateway, number):
    """What teachers start meanwhile, on the slow server; how many were made."""
    first = 10_000 * (number + 1)
    web = Connections(gateway.port)
    for session in range(first, first + 16):
        await saved(web, session)

    async def make(session):
        answer = await gateway.call("PUT", f"/tools/{TOOL}/sessions/{session}", {"toolContentID": session})
        return answer.status == 201

    made = sum(await asyncio.gather(*map(make, range(first, first + 16))))
    web.close()
    return made


async def story(place):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    postgres = Postgres(place)
    postgres.start()
    postgres.create()
    held = await classes(place, postgres)
    postgres.stop()
    return await classes(place, Sqlite(place)) and held


if __name__ == "__main__":
    main(story)
