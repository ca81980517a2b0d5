"""What the benchmarks are made of. Processes and databases are those of the fault scripts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/faults"))
