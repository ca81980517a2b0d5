"""Who is measured: processes that answer launches with redirects, on a port of their own."""

import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from support.gateway import Gateway
from support.place import ROOT, free_port

from . import stage

HOME = Path(os.environ.get("BENCH_HOME", ROOT / "target/bench"))
PEERS = stage.BENCH / "peers"
TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """A process and what it started."""
    found = [pid]
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return found
    for child in children:
        found += tree(int(child))
    return found


def cpu(pids):
    """The seconds of processor time that processes have taken, children that ended included."""
    seconds = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        seconds += sum(map(int, fields[11:15])) / TICKS
    return seconds


def memory(pids):
    """The KiB that processes have in memory; what several share counts in parts."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def wait_for(port, path="/ready", patience=60.0):
    """Waits until a process answers."""
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            pass
        if time.monotonic() > end:
            raise RuntimeError(f"nothing is ready on port {port}")
        time.sleep(0.05)


class Contestant:
    """One of those that are measured. `requests` writes a file of launches for requests.lua; `database` is whose
    processor time counts, too."""

    def __init__(self, name, port, process, requests, database=None, check=None):
        self.name, self.port, self.process = name, port, process
        self.requests, self.database, self.check = requests, database, check

    def pids(self):
        return tree(self.process.pid)

    def pids_of_database(self):
        return self.database.processes() if self.database else []


NGINX = """
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    server {{
        listen 127.0.0.1:{port};
        location = /ready {{ return 200; }}
        location / {{ return 302 "{address}"; }}
    }}
}}
"""


def nginx(place, address):
    """The ceiling: an address that stands in its configuration, as long as the gateway's."""
    port = free_port()
    file = place.folder / "nginx.conf"
    file.write_text(NGINX.format(folder=place.folder, port=port, address=address.replace("$", "")))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    # Killed, it would leave its workers.
    process = place.start([program, "-c", str(file), "-g", "daemon off;"], ends_by=signal.SIGTERM,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(port)
    return port, process


async def gateway(place, database, contents=stage.CONTENTS, servers=stage.SERVERS):
    """A gateway on a database that is filled first."""
    one = Gateway(place, database, TOOLGATE_PUBLIC_URL="https://toolgate.example.org")
    one.database = database
    one.apply(stage.configuration(servers))
    stage.fill(database, contents, servers)
    await one.started()
    return one


def peer(place, name, environment):
    """One of bench/peers, which is installed already."""
    port = free_port()
    log = (place.folder / f"{name}.log").open("ab")
    process = place.start(
        [str(PEERS / name / "start"), str(port)],
        env={**os.environ, "BENCH_HOME": str(HOME), **environment}, stdout=log, stderr=log,
    )
    wait_for(port)
    return port, process


def requests_of_peer(name, count, port, *arguments, environment=None):
    """Launches for a peer, as it makes them itself: lines for requests.lua."""
    import json

    command = [str(PEERS / name / "requests"), str(count), f"http://127.0.0.1:{port}", *arguments]
    environment = {**os.environ, "BENCH_HOME": str(HOME), **(environment or {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}/requests: {done.stderr[-2000:]}")
    lines = []
    for line in done.stdout.splitlines():
        request = json.loads(line)
        headers = {"Host": "peer.example.org", **(request.get("headers") or {})}
        body = request.get("body") or ""
        if body:
            headers["Content-Length"] = str(len(body.encode()))
        head = "".join(f"{key}: {value}\\r\\n" for key, value in headers.items())
        lines.append(f"{request['method']} {request['path']} HTTP/1.1\\r\\n{head}\\r\\n{body}")
    return lines
