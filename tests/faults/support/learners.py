"""Learners as a process of their own, so that nothing else that a script does keeps them waiting. Run as a program:
PORT, launches a second, sessions; it goes on until its input ends, and prints what it counted as JSON."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path


class Learners:
    """Some of them, over kept connections, at a fixed rate in all."""

    PROCESSES = 2

    def __init__(self, place, port, rate, sessions, keep=True):
        command = [sys.executable, "-m", "support.learners", str(port), str(rate / self.PROCESSES),
                   ",".join(map(str, sessions)), "keep" if keep else "anew"]
        folder = Path(__file__).resolve().parents[1]
        self.processes = [
            place.start(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(self.PROCESSES)
        ]

    def stop(self):
        """What they counted, all together."""
        for process in self.processes:
            process.stdin.close()
        counted = [json.loads(process.stdout.read()) for process in self.processes]
        return {name: sum((each[name] for each in counted), type(counted[0][name])()) for name in counted[0]}


async def run(port, rate, sessions, keep):
    from .work import Launches

    launches = Launches([port], sessions, rate, keep)
    going_on = asyncio.create_task(launches.go_on())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    launches.stopping = True
    await going_on
    return {"sent": launches.sent, "redirected": launches.redirected, "failed": launches.failed,
            "took": [round(took, 5) for took in launches.took]}


if __name__ == "__main__":
    _, port, rate, sessions, keep = sys.argv
    counted = asyncio.run(run(int(port), float(rate), [int(one) for one in sessions.split(",")], keep == "keep"))
    print(json.dumps(counted))
