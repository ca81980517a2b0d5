#!/usr/bin/env python3
"""External servers that hang, are slow, break connections before and after they made a copy: every call is answered in
time, learners of what is there go on, nothing is made twice, and what is not known is listed."""

import asyncio
import json
import time

from support.databases import Sqlite
from support.gateway import TOOL, Gateway, configuration
from support.outside import Outside
from support.place import SHORT, main, until
from support.report import Report, latencies
from support.work import Launches, Work, ext_of, judge, saved

CALLS = 24
WORDS = {
    "never": "never answers",
    "slowly": "takes a second",
    "resets": "breaks connections off before it makes a copy",
    "resets late": "breaks connections off after it made a copy",
}
#: The server's own limit; 15 s where it sets none.
TIMEOUT_MS = 3000 if SHORT else 15000
#: A call waits so many seconds for its turn at most.
TURN = 15


async def with_server(place, how, pause):
    report = Report(f"an external server that {WORDS[how]}, {CALLS} calls at once")
    folder = place.folder / f"outside-{how}".replace(" ", "-")
    folder.mkdir()
    database = Sqlite(place, folder)
    outside = await Outside().start()
    gateway = Gateway(place, database)
    gateway.apply(configuration(outside, more=f"timeout_ms = {TIMEOUT_MS}"))
    await gateway.started()
    gateway.web.patience = 60
    work = Work(gateway)
    for _ in range(5):
        await work.piece(work.take())
    first = work.next
    for number in range(first, first + CALLS):
        await saved(gateway.web, number)
        work.callbacks[number] = ext_of(number)
    launches = Launches([gateway.port], list(range(1, 6)), 100)
    learners = asyncio.create_task(launches.go_on())

    outside.answers, outside.pause = how, pause
    statuses, took, codes = {}, [], set()

    async def ask(number):
        begun = time.monotonic()
        answer = await gateway.call("PUT", f"/tools/{TOOL}/sessions/{number}", {"toolContentID": number})
        took.append(time.monotonic() - begun)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        if answer.status in (200, 201):
            work.sessions[number] = answer.json()["extSessionID"]
        else:
            codes.add(json.loads(answer.body)["code"])
        if answer.status == 503 and "retry-after" not in answer.headers:
            work.without_retry_after += 1

    numbers = range(first, first + CALLS)
    await asyncio.gather(*map(ask, numbers))
    report.note(f"answers by status: {statuses}, codes: {sorted(codes)}; {latencies(took)}")
    report.within("the slowest answer", max(took), TURN + TIMEOUT_MS / 1000 + 1)

    # It comes back, and LAMS asks again for what it has not got.
    outside.answers, outside.pause = "at once", 0.0
    left = [number for number in numbers if number not in work.sessions]
    statuses.clear()

    async def answered(number):
        answer = await gateway.call("PUT", f"/tools/{TOOL}/sessions/{number}", {"toolContentID": number})
        if answer.status in (200, 201):
            work.sessions[number] = answer.json()["extSessionID"]
        return answer.status in (200, 201) or answer.json().get("code") == "unsettled"

    for number in left:
        await until("the server is asked again", lambda n=number: answered(n), 60, 0.25)
    launches.stopping = True
    await learners
    judge(report, database, outside, work)
    report.note(f"launches meanwhile: {launches.sent} sent, {launches.redirected} redirected; {latencies(launches.took)}")
    report.none("failed redirects of known sessions", launches.failed)
    gateway.kill()
    return report.held


async def story(place):
    held = True
    for how, pause in (("never", 0.0), ("slowly", 1.0), ("resets", 0.0), ("resets late", 0.0)):
        held &= await with_server(place, how, pause)
    return held


if __name__ == "__main__":
    main(story)
