#!/usr/bin/env python3
"""Two instances over one PostgreSQL, without sticky sessions: what one knows the other knows, what is to be done once is
done once, and what a dead one was at is taken over."""

import asyncio
import os
import time
from urllib.parse import urlsplit

from support.databases import Postgres
from support.gateway import TOOL, Gateway, configuration
from support.outside import Outside
from support.place import SHORT, in_thread, main, until
from support.report import Report, latencies
from support.work import Sysadmin, author, learn, parameter, path_of, saved

REPLAYS = int(os.environ.get("FAULTS_REPLAYS", 1_000 if SHORT else 10_000))
AT_ONCE = 32
ROWS = 1_000
ENROLLMENT = """
[servers.enrollment]
backend = "openedx"
base_url = "{url}"
api_token = "token"
selector_regex = '^.*/courses/(?P<course_id>.*)/info$'
course_regex = '^.*/courses/(?P<course_id>.*)/info$'
"""
#: An instance that seems to be on another machine: of its processes nothing is known here, so that leases decide.
ELSEWHERE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


async def everywhere(report, one, two):
    """What was begun on one goes on on the other."""
    sysadmin = await Sysadmin(one).sign_in()
    other = sysadmin.at(two)
    report.must("a sign-in of one, on the other", (await other.get("/admin/account")).status,
                (await other.get("/admin/account")).status == 200, "must be 200")

    took = []
    for number in range(6 if SHORT else 20):
        changed, seen = ((sysadmin, two), (other, one))[number % 2]
        address = f"http://moodle{number}.example.org/"
        answer = await changed.change("url", address)
        if answer.status != 303:
            raise RuntimeError(f"a change was not saved: {answer.status} {answer.text()[:500]}")

        async def served():
            location = (await seen.web.get(learn(1, "mdl_anna"))).location
            return location.startswith(address)

        took.append(await until("the change is served", served, 30, 0.005))
    report.note(f"changes of configuration, {len(took)}, served by the other: {latencies(took)}")
    report.within("the slowest of them", max(took), 2)

    answer, callback = await author(one.web, 900_001)
    answer = await two.web.get(f"{callback}&extToolContentID=777")
    report.must("a state of one, on the other", answer.status, answer.status == 200, "must be 200")
    answer = await two.call("PUT", f"/tools/{TOOL}/sessions/900001", {"toolContentID": 900_001})
    location = (await one.web.get(learn(900_001, "mdl_anna"))).location
    report.must("a session of one, on the other", urlsplit(location).hostname, location, "must be the server's")
    await two.web.get(path_of(parameter(location, "returnUrl")))

    async def known():
        location = (await one.web.get(learn(900_001, "mdl_anna"))).location
        return parameter(location, "isFinished") == "true"

    report.within("who finished on one, known on the other", await until("it is known", known, 30, 0.001), 2)

    answer = await other.get("/admin/account")
    await other.post("/admin/sign-out", [("form_token", answer.text().split('name="form_token" value="')[1].split('"')[0])])
    answer = await sysadmin.get("/admin/account")
    report.must("signed out on one, on the other", answer.status, answer.status == 303, "must be 303")


async def replays(report, database, one, two):
    """One state, two callbacks with an id each, to both at once: one counts."""
    outcomes, wrong = {}, []
    numbers = iter(range(100_000, 100_000 + REPLAYS))

    async def race():
        for number in numbers:
            _, callback = await author(one.web, number)
            first, second = await asyncio.gather(
                one.web.get(f"{callback}&extToolContentID={number}1"),
                two.web.get(f"{callback}&extToolContentID={number}2"),
            )
            both = (first.status, second.status)
            outcomes[both] = outcomes.get(both, 0) + 1
            if both.count(200) != 1:
                wrong.append((number, both))
            else:
                winners[number] = f"{number}{both.index(200) + 1}"

    winners = {}
    begun = time.monotonic()
    await asyncio.gather(*(race() for _ in range(AT_ONCE)))
    stored = dict(database.ask("select tool_content_id, ext_tool_content_id from contents where tool_content_id >= 100000"))
    report.went_in(states=REPLAYS, callbacks=2 * REPLAYS, seconds=round(time.monotonic() - begun))
    states = database.ask("select count(*) from used_states")[0][0]
    report.is_there(**{" and ".join(map(str, both)): count for both, count in sorted(outcomes.items())}, used_states=states)
    report.none("states accepted twice, or not at all", wrong)
    report.none("contents with another id than the one that was accepted",
                [number for number, ext in winners.items() if stored[str(number)] != ext])


async def takeover(report, database, outside, one, two):
    """One dies while it works through a list and makes sessions; two takes over."""
    for number in range(5_000, 5_008):
        await saved(one.web, number)
    outside.pause, outside.asked = 3600.0, 0
    calls = [asyncio.ensure_future(one.call("PUT", f"/tools/{TOOL}/sessions/{number}", {"toolContentID": number}))
             for number in range(5_000, 5_008)]
    rows = [{"username": f"learner{number}", "resourceLink": "http://x.example.org/courses/course-v1:a+b+c/info",
             "active": True} for number in range(ROWS)]
    bulk = (await one.call("POST", "/lms/enrollments", {"rows": rows})).json()["id"]

    async def is_at_both():
        return len(outside.enrolled) > 100 and outside.asked >= 8

    await until("one is at both", is_at_both, 30)
    await two.started()
    one.kill()
    died = time.monotonic()
    enrolled = len(outside.enrolled)

    async def goes_on():
        return len(outside.enrolled) > enrolled + 20

    async def are_listed():
        return len(database.ask("select 1 from journal where state = 'unsettled'")) == 8

    async def timed(what, fact):
        await until(what, fact, 60, 0.05)
        return time.monotonic() - died

    list_taken, calls_listed = await asyncio.gather(
        timed("the list is taken over", goes_on), timed("the calls are listed", are_listed))
    await asyncio.gather(*calls, return_exceptions=True)

    async def is_done():
        return (await two.call("GET", f"/lms/enrollments/{bulk}")).json()["state"] == "done"

    await until("the list is done", is_done, 120, 0.2)
    outside.pause = 0.0
    result = (await two.call("GET", f"/lms/enrollments/{bulk}")).json()
    report.went_in(rows=ROWS, sessions_under_way=8)
    report.is_there(done=result["done"], failed=result["failed"], enrolled_outside=len(set(outside.enrolled)),
                    sent_twice=len(outside.enrolled) - len(set(outside.enrolled)), listed_as_unsettled=8)
    report.none("rows that were lost", ROWS - result["done"])
    report.none("learners who are not enrolled", ROWS - len(set(outside.enrolled)))
    report.within("the list is taken over", list_taken, 30)
    report.within("calls of the dead one are listed", calls_listed, 30)


async def story(place):
    database = Postgres(place)
    database.start()
    database.create()
    outside = await Outside().start()
    elsewhere = ELSEWHERE if os.getuid() == 0 else ()
    one = Gateway(place, database, within=elsewhere)
    two = Gateway(place, database, TOOLGATE_PUBLIC_URL=f"http://127.0.0.1:{one.port}")
    await in_thread(one.apply, configuration(outside, more=ENROLLMENT.format(url=outside.url)))
    await one.started()
    report = Report(f"two instances: one dies{'' if elsewhere else ' (on the same machine: without root no other can be played)'}")
    await saved(one.web, 1)
    await one.call("PUT", f"/tools/{TOOL}/sessions/1", {"toolContentID": 1})
    await takeover(report, database, outside, one, two)
    held = report.held
    await one.started()

    report = Report("two instances: what one knows the other knows")
    await everywhere(report, one, two)
    held &= report.held

    report = Report(f"two instances: {REPLAYS} states, each brought to both at once with another id")
    await replays(report, database, one, two)
    one.kill()
    two.kill()
    return held and report.held


if __name__ == "__main__":
    main(story)
