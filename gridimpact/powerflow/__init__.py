"""Power flow: the protocol of an engine, the batched default engine and pandapower as reference."""

from __future__ import annotations

from collections.abc import Iterator

from gridimpact.powerflow.batched import BatchedEngine
from gridimpact.powerflow.engine import (
    Engine,
    FlowChunk,
    FlowOptions,
    require_converged,
    solve_in_chunks,
)
from gridimpact.powerflow.pandapower_engine import PandapowerEngine
from gridimpact.records import FlowResult, Grid, Injections, Network

__all__ = [
    "BatchedEngine",
    "Engine",
    "FlowChunk",
    "FlowOptions",
    "PandapowerEngine",
    "require_converged",
    "solve",
    "solve_chunks",
    "solve_in_chunks",
]

_DEFAULT = BatchedEngine()


def solve(
    network: Network | Grid, injections: Injections, options: FlowOptions | None = None
) -> FlowResult:
    """Return the flow of every lane, solved by the batched engine.

    Parameters
    ----------
    network : Network or Grid
        What to solve; never written to.
    injections : Injections
        (scenario, time, element); positive draws from the grid.
    options : FlowOptions, optional
        Tolerance, threads and what to keep.

    Raises
    ------
    InputError
        Where an injection is not finite or does not fit the grid.
    """
    grid = network.grid if isinstance(network, Network) else network
    return _DEFAULT.solve(grid, injections, options)


def solve_chunks(
    network: Network | Grid,
    injections: Injections,
    options: FlowOptions | None = None,
    chunk: int = 4096,
) -> Iterator[FlowChunk]:
    """Yield the flow in parts of at most `chunk` lanes, for reducers that stream.

    Raises
    ------
    InputError
        As `solve`, or if `chunk` is not positive.
    """
    grid = network.grid if isinstance(network, Network) else network
    return solve_in_chunks(_DEFAULT, grid, injections, options, chunk)
