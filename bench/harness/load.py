"""Sends load, and reads what came of it."""

import json
import os
import re
import subprocess
from dataclasses import dataclass

from . import stage

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass
class Answered:
    """What a load came to: requests a second, milliseconds, and what was not a redirect."""

    rate: float
    requests: int
    median: float
    p99: float
    wrong: int


def _milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * UNITS[unit]


def closed(port, file, seconds, connections=64, threads=2):
    """As fast as it is answered, over kept connections."""
    command = ["wrk", f"-t{min(threads, connections)}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
               "--latency", "-s", str(stage.BENCH / "requests.lua"), f"http://127.0.0.1:{port}"]
    done = subprocess.run(command, env={**os.environ, "REQUESTS": str(file)}, capture_output=True, text=True)
    said = done.stdout

    def number(pattern, otherwise=None):
        found = re.search(pattern, said)
        if found is None and otherwise is None:
            raise RuntimeError(f"wrk said {said}{done.stderr}")
        return found.group(1) if found else otherwise

    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    wrong = int(number(r"Non-2xx or 3xx responses: (\d+)", "0")) + sum(map(int, errors.groups() if errors else ()))
    return Answered(
        rate=float(number(r"Requests/sec:\s+([\d.]+)")),
        requests=int(number(r"(\d+) requests in")),
        median=_milliseconds(number(r"\n\s+50%\s+(\S+)")),
        p99=_milliseconds(number(r"\n\s+99%\s+(\S+)")),
        wrong=wrong,
    )


def open_loop(oha, urls, seconds, rate, connections=64):
    """At a fixed rate, whatever is answered; latencies count from when a request was due."""
    command = [str(oha), "--no-tui", "--output-format", "json", "--redirect", "0", "-z", f"{seconds}s", "-q", str(int(rate)),
               "-c", str(connections), "--latency-correction", "--urls-from-file", str(urls)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"oha: {done.stderr}")
    said = json.loads(done.stdout)
    latency, codes = said["latencyPercentiles"], said["statusCodeDistribution"]
    # What was under way when the time was over is no answer, and no error.
    errors = {what: count for what, count in said["errorDistribution"].items() if "deadline" not in what}
    return Answered(
        rate=said["summary"]["requestsPerSec"],
        requests=sum(codes.values()),
        median=latency["p50"] * 1000,
        p99=latency["p99"] * 1000,
        wrong=sum(count for code, count in codes.items() if code != "302") + sum(errors.values()),
    )
