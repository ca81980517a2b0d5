"""What the benchmarks need: from the distribution's packages, from crates.io, and what the peers install themselves."""

import os
import shutil
import subprocess
from pathlib import Path

from support.databases import programs
from support.place import ROOT

from .contestants import HOME, PEERS

OHA = "1.14.0"


def peers():
    """The peers that are measured."""
    named = os.environ.get("PEERS")
    return ["tomcat", "pylti1p3", "ltijs"] if named is None else named.split()


def everything(names):
    HOME.mkdir(parents=True, exist_ok=True)
    missing = [] if shutil.which("wrk") else ["wrk"]
    if not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
        missing.append("nginx-light")
    try:
        programs()
    except IndexError:
        missing.append("postgresql")
    if missing:
        print(f"installing {' '.join(missing)}", flush=True)
        root = [] if os.getuid() == 0 else ["sudo"]
        subprocess.run([*root, "apt-get", "update", "-qq"], check=True)
        subprocess.run([*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq",
                        "--no-install-recommends", *missing], check=True, stdout=subprocess.DEVNULL)
    if "TOOLGATE_BINARY" not in os.environ:
        subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    if "open_loop" in names and not oha().exists():
        print("installing oha", flush=True)
        subprocess.run(["cargo", "install", "oha", "--locked", "--quiet", "--version", OHA, "--root", str(HOME)], check=True)
    if "launch" in names or "cold" in names:
        for peer in peers():
            print(f"installing {peer}", flush=True)
            subprocess.run([str(PEERS / peer / "install")], env={**os.environ, "BENCH_HOME": str(HOME)}, check=True,
                           stdout=subprocess.DEVNULL)


def oha():
    return HOME / "bin/oha"
