"""Power flow: the protocol of an engine, the batched default engine and pandapower as reference."""

from __future__ import annotations

from collections.abc import Iterator

from gridimpact.powerflow.batched import BatchedEngine
from gridimpact.powerflow.choose import engine_for
from gridimpact.powerflow.engine import (
    Engine,
    FlowChunk,
    FlowOptions,
    require_converged,
    solve_in_chunks,
)
from gridimpact.powerflow.given import injections_at
from gridimpact.powerflow.pandapower_engine import PandapowerEngine
from gridimpact.powerflow.pgm_engine import PgmEngine
from gridimpact.powerflow.volt_var import volt_var, volt_var_for
from gridimpact.records import FlowResult, Grid, Injections, Network

__all__ = [
    "BatchedEngine",
    "Engine",
    "FlowChunk",
    "FlowOptions",
    "PandapowerEngine",
    "PgmEngine",
    "engine_for",
    "injections_at",
    "require_converged",
    "solve",
    "solve_chunks",
    "solve_in_chunks",
    "volt_var",
    "volt_var_for",
]


def solve(
    network: Network | Grid, injections: Injections, options: FlowOptions | None = None
) -> FlowResult:
    """Return the flow of every lane, solved by the engine that can (see `engine_for`).

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
    GridError
        Where a grid alone is given and only pandapower can solve its network.
    """
    grid = network.grid if isinstance(network, Network) else network
    return engine_for(network).solve(grid, injections, options)


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
    return solve_in_chunks(engine_for(network), grid, injections, options, chunk)
