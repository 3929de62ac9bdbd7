"""What can go wrong around a draw: its worker dies, hangs or never starts, or the disk refuses."""

from __future__ import annotations

from gridimpact.errors import GridImpactError, InputError


class WorkerDied(GridImpactError):
    """A worker ended before its task was done; only the draws it was solving are lost."""


class WorkerTimeout(WorkerDied):
    """A task ran longer than it was given, so its worker was ended.

    Parameters
    ----------
    limit_s : float
        Time the task was given [s].
    """

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"no result after {limit_s:g} s")
        self.limit_s = limit_s

    def __reduce__(self) -> tuple[type[WorkerTimeout], tuple[float]]:
        """Return how to make it again from its limit."""
        return (WorkerTimeout, (self.limit_s,))


class WorkerNotStarted(GridImpactError):
    """A worker process could not be started at all; trying again would not help."""


class StorageError(InputError):
    """The folder of results cannot be written: full, read-only or gone. What was stored stays."""
