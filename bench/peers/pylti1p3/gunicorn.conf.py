"""How gunicorn serves the tool."""

import os
import shutil

# Kept connections need threads: plain workers close a connection after each answer.
worker_class = "gthread"
threads = 16
keepalive = 75
loglevel = "error"


def on_exit(_server) -> None:
    """Leaves nothing behind."""
    shutil.rmtree(os.environ["CACHE_FOLDER"], ignore_errors=True)
