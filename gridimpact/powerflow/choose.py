"""Which engine solves a network: the batched one, or pandapower where it alone can."""

from __future__ import annotations

from collections.abc import Callable

from gridimpact.powerflow.batched import BatchedEngine
from gridimpact.powerflow.beyond import refuse_beyond
from gridimpact.powerflow.engine import Engine
from gridimpact.powerflow.pandapower_engine import PandapowerEngine
from gridimpact.records import Grid, Network

_BATCHED = BatchedEngine()


def engine_for(
    network: Network | Grid, progress: Callable[[int, int], None] | None = None
) -> Engine:
    """Return the engine that can solve a network.

    Parameters
    ----------
    network : Network or Grid
        What shall be solved.
    progress : callable, optional
        Called with lanes solved and lanes in all by an engine that takes its time.

    Returns
    -------
    Engine
        The batched engine, or pandapower where an element of the network holds a voltage or power
        (`gridimpact.records.Grid.beyond_batched`); the result of a flow then says so in a note.

    Raises
    ------
    GridError
        If a grid alone is given that needs pandapower, which needs the whole network.
    """
    grid = network.grid if isinstance(network, Network) else network
    if grid.beyond_batched and isinstance(network, Network):
        return PandapowerEngine(network.net, progress)
    refuse_beyond(grid)
    return _BATCHED
