"""Memory of a scan: how many workers a budget carries, and what was held at most."""

from __future__ import annotations

from concurrent.futures import Executor

from gridimpact.errors import InputError
from gridimpact.hosting.worker_main import peak_bytes

BUDGET_GB = 2.0
"""Memory a scan may take in all, main process and workers, unless told otherwise [GB]."""

PROCESS_BYTES = 350_000_000
"""A process with the package, its compiled kernels and an ordinary study loaded [byte]; measured about
200 MB after import and 300 MB with kernels."""


def check_memory(workers: int, bytes_per_draw: float, budget_gb: float = BUDGET_GB) -> int:
    """Return how many workers a memory budget carries, at most those wanted.

    Parameters
    ----------
    workers : int
        Wanted; 0 solves in the main process.
    bytes_per_draw : float
        Largest memory one draw takes beyond the process that solves it [byte].
    budget_gb : float
        For the main process and all workers together [GB], 1e9 bytes.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If not even one draw at a time fits.
    """
    room = budget_gb * 1e9 - PROCESS_BYTES
    each = bytes_per_draw + (PROCESS_BYTES if workers else 0)
    fitting = int(room // each) if each > 0 else workers
    if fitting < 1:
        need = (PROCESS_BYTES + each) / 1e9
        message = (
            f"budget_gb: {budget_gb:g} GB do not hold one draw, which needs about {need:.1f} GB with the"
            " processes around it -> raise the budget, or scan fewer numbers of cars or days at once"
        )
        raise InputError(message)
    return min(workers, fitting)


def memory_record(executor: Executor) -> dict[str, int]:
    """Return the most memory held by the main process and by any worker [byte], 0 where unknown."""
    return {
        "main_peak_bytes": peak_bytes(),
        "worker_peak_bytes": int(getattr(executor, "peak_bytes", 0)),
        "workers": int(getattr(executor, "workers", 0)),
    }
