"""What every power-flow engine promises: its protocol, its options and the check of its input.

No engine lives here. Power is positive where it is drawn from the grid; a lane is one scenario at
one time, and lanes keep their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from gridimpact.errors import FlowNotConverged, InputError, Problem, raise_problems
from gridimpact.powerflow.injection_problems import SHOWN, non_finite, wrong_shares
from gridimpact.records import BoolArray, FloatArray, FlowResult, Grid, Injections, Note

KEPT = (
    "vm_pu",
    "line_loading_percent",
    "transformer_loading_percent",
    "transformer_p_kw",
    "transformer_q_kvar",
    "losses_kw",
)
"""Result arrays that come unless left out; status and residual always come."""

ASKED = (
    "line_i_ka",
    "transformer3w_loading_percent",
    "unbalance_percent",
    "unbalance_nema_percent",
    "transformer_phase_loading_percent",
    "transformer_phase_p_kw",
    "transformer_phase_q_kvar",
)
"""Result arrays that come only where `FlowOptions.keep` names them; those by phase in three phases only."""


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """How a power flow is solved and which of its arrays are kept.

    Parameters
    ----------
    tolerance_pu : float
        Largest voltage step [pu] that a solved lane may still have before it: its last one, or the next
        one where steps shrink fast enough to tell.
    max_iterations : int
        Fixed-point iterations before a lane goes to Newton.
    newton_iterations : int
        Newton iterations before a lane is given up; 0 switches Newton off.
    residual_kva : float
        Largest power missing at a node [kVA] that a solved lane may leave, beside what
        `tolerance_pu` explains on the node's own admittance.
    vm_plausible_pu : tuple of float
        Lanes with a voltage outside are marked implausible.
    threads : int
        Threads to use, 0 for all cores. Results do not depend on it.
    keep : tuple of str
        Names of `KEPT` and `ASKED` to return; the others come back with length zero on their last axis.
    storage : str
        ``"float64"`` or ``"float32"`` for the arrays of `KEPT` and `ASKED`; arithmetic is always float64.
    phases : int
        1 for the balanced equivalent, 3 for phase coordinates, which need `Grid.phase_model`.
    """

    tolerance_pu: float = 1e-10
    max_iterations: int = 100
    newton_iterations: int = 40
    residual_kva: float = 1e-3
    vm_plausible_pu: tuple[float, float] = (0.5, 1.5)
    threads: int = 0
    keep: tuple[str, ...] = KEPT
    storage: str = "float64"
    phases: int = 1

    def __post_init__(self) -> None:
        """Check every option."""
        low, high = self.vm_plausible_pu
        checks = (
            (0 < self.tolerance_pu < 1e-2, "tolerance_pu", "must lie between 0 and 0.01"),
            (_whole(self.max_iterations, 1), "max_iterations", "must be a whole number from 1 on"),
            (
                _whole(self.newton_iterations, 0),
                "newton_iterations",
                "must be a whole number, not negative",
            ),
            (self.residual_kva > 0, "residual_kva", "must be above 0"),
            (0 <= low < high, "vm_plausible_pu", "must be two rising voltages"),
            (_whole(self.threads, 0), "threads", "must be a whole number, 0 for all cores"),
            (
                set(self.keep) <= set(KEPT + ASKED),
                "keep",
                f"may name only {', '.join(KEPT + ASKED)}",
            ),
            (self.phases in (1, 3), "phases", "must be 1 or 3"),
            (self.storage in ("float32", "float64"), "storage", "must be float32 or float64"),
        )
        raise_problems(
            [
                Problem(name, f"is {getattr(self, name)!r}, {rule}")
                for passed, name, rule in checks
                if not passed
            ],
            "power-flow options",
        )

    def as_mapping(self) -> Mapping[str, Any]:
        """Return the options for a manifest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int | np.integer) and bool(value >= least)


@runtime_checkable
class Engine(Protocol):
    """A power-flow engine.

    `solve` keeps lane order, never writes into its arguments, never raises because of a lane, and
    checks the power balance at every node apart from its own iteration. A lane that fails is NaN
    in every array and named by its status; a lane that leaves only demand without supply keeps its
    values, with NaN at the buses without supply. Energy left without supply counts drawn power
    only. Non-finite or misplaced injections are refused: nothing is returned.
    """

    @property
    def name(self) -> str:
        """Name and version, for manifests."""
        ...

    def solve(
        self, grid: Grid, injections: Injections, options: FlowOptions | None = None
    ) -> FlowResult:
        """Return the flow of every lane.

        Raises
        ------
        InputError
            Where an injection is not finite or does not fit the grid; every place is named.
        """
        ...


@dataclass(frozen=True)
class FlowChunk:
    """A part of a power flow: which scenarios and steps, and what was found there."""

    scenario: slice
    time: slice
    injections: Injections
    """Of this part alone."""
    result: FlowResult


def check_injections(grid: Grid, injections: Injections, *, power: bool = True) -> None:
    """Refuse injections that do not fit the grid or are not finite, naming every place.

    Parameters
    ----------
    grid : Grid
        Never written to.
    injections : Injections
        Never written to.
    power : bool
        Whether every power is looked at; False where the caller comes back with True should any
        turn out not to be finite.

    Raises
    ------
    InputError
        With scenario, step and element of the offending values.
    """
    count = len(injections.bus)
    shape = injections.p_kw.shape
    expected = (shape[0] if shape else 0, injections.timeline.count, count)
    wanted = {"p_kw": expected, "q_kvar": expected, "phase_share": (count, 3)}
    wanted |= {"zip_p": (count, 2), "zip_q": (count, 2)}
    found = {name: getattr(injections, name).shape for name in wanted}
    problems = [
        Problem(name, f"has shape {found[name]}, must be {wanted[name]}")
        for name in wanted
        if found[name] != wanted[name]
    ]
    raise_problems(problems, "injections")
    outside = np.flatnonzero((injections.bus < 0) | (injections.bus >= len(grid.bus_index)))
    problems = [
        Problem(
            f"bus of element {element}",
            f"is {injections.bus[element]}, must be a position from 0 to {len(grid.bus_index) - 1}",
        )
        for element in outside[:SHOWN]
    ]
    shares = wrong_shares(injections)
    if power or problems or shares:
        problems += non_finite(injections, "p_kw") + non_finite(injections, "q_kvar")
    problems += shares
    raise_problems(problems, "injections")


def unserved_power_kw(grid: Grid, injections: Injections) -> FloatArray:
    """Return the power drawn at buses without supply, shape (scenario, time) [kW]."""
    dark = ~grid.bus_supplied[injections.bus]
    if not dark.any():
        return np.zeros(injections.p_kw.shape[:2])
    return np.asarray(np.clip(injections.p_kw[:, :, dark], 0.0, None).sum(axis=2))


def balanced_notes(injections: Injections) -> tuple[Note, ...]:
    """Say so where unbalanced elements are solved as balanced ones."""
    uneven = int((np.abs(injections.phase_share - 1 / 3) > 1e-9).any(axis=1).sum())
    if not uneven:
        return ()
    text = f"{uneven} elements are not connected evenly to three phases but are solved as if they were."
    return (Note("assumption", "power flow", text),)


def require_converged(result: FlowResult) -> BoolArray:
    """Return which lanes are solved, shape (scenario, time).

    Raises
    ------
    FlowNotConverged
        If not one lane is solved; its ``failed`` holds the mask.
    """
    failed = ~np.isfinite(result.residual_kva)
    if failed.all():
        message = (
            f"none of {failed.size} power flows converged; the network cannot carry the load given"
        )
        raise FlowNotConverged(message, failed)
    return ~failed


def take_part(injections: Injections, scenario: slice, time: slice) -> Injections:
    """Return views of some scenarios and steps of injections."""
    first, last, _ = time.indices(injections.timeline.count)
    return replace(
        injections,
        timeline=injections.timeline.part(first, last - first),
        p_kw=injections.p_kw[scenario, time],
        q_kvar=injections.q_kvar[scenario, time],
    )


def solve_in_chunks(
    engine: Engine,
    grid: Grid,
    injections: Injections,
    options: FlowOptions | None = None,
    chunk: int = 4096,
) -> Iterator[FlowChunk]:
    """Solve at most `chunk` lanes at a time, scenario after scenario, in order of time.

    Several whole scenarios go together where they fit. Results are the same bytes as those of one
    call; only one part is held in memory.

    Raises
    ------
    InputError
        If `chunk` is not positive, or as `Engine.solve`.
    """
    if chunk < 1:
        message = f"chunk is {chunk}, must be at least one lane"
        raise InputError(message)
    scenarios, steps = injections.p_kw.shape[0], injections.timeline.count
    span, block = (1, chunk) if steps >= chunk else (chunk // steps, steps)
    for first in range(0, scenarios, span):
        scenario = slice(first, min(first + span, scenarios))
        for begin in range(0, steps, block):
            time = slice(begin, min(begin + block, steps))
            part = take_part(injections, scenario, time)
            yield FlowChunk(scenario, time, part, engine.solve(grid, part, options))
