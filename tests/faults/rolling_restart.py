#!/usr/bin/env python3
"""Two instances behind nginx, with deploy/nginx.conf, are stopped and started again one after the other, while learners
come at a thousand a second: none of them may notice. Then one is killed, which some may."""

import asyncio
import os
import re
import shutil
import signal
import time

from support.databases import Postgres
from support.gateway import TOOL, Gateway, configuration, sign
from support.learners import Learners
from support.outside import Outside
from support.place import ROOT, SHORT, free_port, in_thread, main, until
from support.report import Report, latencies
from support.work import Work, judge, saved
from support.web import Connections

RATE = float(os.environ.get("FAULTS_RATE", 1000))
ROUNDS = 1 if SHORT else 3


def nginx(place, port, instances):
    """Starts nginx with the file that is shipped, but other addresses, and without TLS."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    text = text.replace("one:8080", f"127.0.0.1:{instances[0].port}").replace("two:8080", f"127.0.0.1:{instances[1].port}")
    text = re.sub(r"    server \{\n        listen 80;.*?\n    \}\n", "", text, flags=re.S)
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};").replace("/dev/stdout", f"{place.folder}/access.log")
    text = re.sub(r" *ssl_.*\n", "", text)
    file = place.folder / "nginx.conf"
    file.write_text(text)
    own = "".join(f"{name}_temp_path {place.folder}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file.write_text(text.replace("http {", f"http {{ {own}", 1))
    more = f"daemon off; pid {place.folder}/nginx.pid; error_log {place.folder}/nginx.log;"
    return place.start([shutil.which("nginx") or "/usr/sbin/nginx", "-p", place.folder, "-c", file, "-g", more],
                       ends_by=signal.SIGTERM)


async def story(place):
    if not (shutil.which("nginx") or os.path.exists("/usr/sbin/nginx")):
        print("\n== rolling restart\nskipped: nginx is not here")
        return True
    report = Report(f"rolling restart, {ROUNDS} times both, behind nginx, at {RATE:.0f} launches a second")
    database = Postgres(place)
    database.start()
    database.create()
    outside = await Outside().start()
    port = free_port()
    instances = [Gateway(place, database, public_port=port, TOOLGATE_TRUSTED_PROXIES="127.0.0.1") for _ in range(2)]
    await in_thread(instances[0].apply, configuration(outside))
    for instance in instances:
        await instance.started()
    nginx(place, port, instances)
    front = Connections(port)

    async def answers():
        try:
            return (await front.get("/healthz")).status == 200
        except OSError:
            return False

    await until("nginx answers", answers)
    sessions = range(1, 51)
    for number in sessions:
        await saved(front, number)
        await instances[number % 2].call("PUT", f"/tools/{TOOL}/sessions/{number}", {"toolContentID": number})

    # As sent, also where it has slashes too many, and with an address that is sent on to of some length.
    doubled = sign(f"/lams//tool/{TOOL}//learning.do?mode=learner&toolSessionID=1", "mdl_anna")
    answer = await front.get(doubled)
    report.must("a launch with doubled slashes", answer.status, answer.status == 302, "must be 302")
    long = "x" * 12_000
    answer = await front.get(sign(f"/lams/tool/{TOOL}/authoring.do?toolContentID=60&contentFolderID={long}"
                                  "&customCSV=bill%2C7%2C3%2Cmoodle", "mdl_bill"))
    report.must("a launch with a long address", answer.status, answer.status == 302, "must be 302")
    answer = await front.get("/metrics")
    report.must("the metrics, from outside", answer.status, answer.status == 404, "must be 404")

    learners = Learners(place, port, RATE, sessions)
    work = Work(instances, first=10_000)
    work.webs = [front]
    writers = [asyncio.create_task(work.pieces()) for _ in range(2)]
    await asyncio.sleep(2)
    stopped = []
    begun = time.monotonic()
    for _ in range(ROUNDS):
        for instance in instances:
            at = time.monotonic()
            instance.tell_to_stop()
            status = await in_thread(instance.process.wait)
            stopped.append(time.monotonic() - at)
            report.must("a stopped instance ends with status", status, status == 0, "must be 0") if status else None
            await instance.started()
            await asyncio.sleep(1)
    length = time.monotonic() - begun
    work.stopping = True
    await asyncio.gather(*writers)
    counted = await in_thread(learners.stop)
    rate = counted["sent"] / (length + 2)
    judge(report, database, outside, work)
    report.note(f"each instance stopped {ROUNDS} times, within {max(stopped):.1f} s; {rate:.0f} launches a second; "
                f"{latencies(counted['took'])}")
    report.went_in(launches=counted["sent"])
    report.is_there(redirected=counted["redirected"])
    report.none("failed redirects", counted["failed"])

    killed = Report("one of two behind nginx is killed")
    learners = Learners(place, port, RATE, sessions)
    await asyncio.sleep(2)
    instances[0].kill()
    await asyncio.sleep(3)
    await instances[0].started()
    await asyncio.sleep(1)
    counted = await in_thread(learners.stop)
    killed.went_in(launches=counted["sent"])
    killed.is_there(redirected=counted["redirected"], failed=len(counted["failed"]))
    killed.must("failed redirects", len(counted["failed"]), len(counted["failed"]) <= 10, "at most 10: what was under way")
    return report.held and killed.held


if __name__ == "__main__":
    main(story)
