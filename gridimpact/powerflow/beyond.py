"""Say what keeps a grid from being solved by the batched engine."""

from __future__ import annotations

from gridimpact.errors import GridError
from gridimpact.records import Grid

_SHOWN = 5


def refuse_beyond(grid: Grid) -> None:
    """Refuse a grid with elements that no fixed admittance can follow.

    Raises
    ------
    GridError
        Naming the elements and the way out.
    """
    if not grid.beyond_batched:
        return
    who = ", ".join(grid.beyond_batched[:_SHOWN])
    more = len(grid.beyond_batched) - _SHOWN
    who += f" and {more} more" if more > 0 else ""
    message = (
        f"the batched engine cannot follow {who}; solve the network instead of its grid "
        "(gridimpact.powerflow.engine_for), so that pandapower takes over"
    )
    raise GridError(message)
