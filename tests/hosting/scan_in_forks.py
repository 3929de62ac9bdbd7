"""A scan of toy draws as a process of its own, forked so that many kills cost one import.

``python -m tests.hosting.scan_in_forks FOLDER KILLS WORKERS SEED`` starts the scan, kills it at so many
random moments, resuming each time, lets it end, and prints how many draws each kill left.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from pathlib import Path

from gridimpact.hosting.journal import Journal
from gridimpact.hosting.journal_format import DRAW, records
from gridimpact.hosting.local_workers import InProcess, LocalWorkers
from gridimpact.hosting.runner import run_draws
from tests.hosting.toy_jobs import Toy

DRAWS = 60
KEY = {"scan": "toy"}


def scan(folder: Path, workers: int) -> None:
    """Run or resume the scan to its end."""
    pool = LocalWorkers(workers, chunk=2) if workers else InProcess()
    with pool, Journal(folder, KEY, resume=True) as journal:
        run_draws(
            Toy(pause_s=0.01),
            (20, DRAWS),
            executor=pool,
            enough=lambda outcomes: False,
            journal=journal,
            progress=False,
        )


def main(folder: Path, kills: int, workers: int, seed: int) -> None:
    """Kill and resume."""
    moments, left = random.Random(seed), []
    for _ in range(kills):
        child = os.fork()
        if not child:
            scan(folder, workers)
            os._exit(0)
        time.sleep(moments.uniform(0.0, 0.12 + 0.9 * bool(workers)))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        path = folder / "journal.bin"
        data = path.read_bytes() if path.exists() else b""
        left.append(sum(r.mark == DRAW for r in records(data)))
    scan(folder, workers)
    print(*left)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(a) for a in sys.argv[2:5]))
