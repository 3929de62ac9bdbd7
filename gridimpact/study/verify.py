"""Random steps of a study solved again by another engine, and the largest differences."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from gridimpact.errors import InputError, MissingExtra
from gridimpact.powerflow.engine import Engine, FlowOptions
from gridimpact.powerflow.pandapower_engine import PandapowerEngine
from gridimpact.powerflow.pgm_engine import PgmEngine
from gridimpact.records import FloatArray, FlowResult, Grid, Injections, IntArray
from gridimpact.study.spec import StudySpec

PANDAPOWER, POWER_GRID_MODEL = "pandapower", "power-grid-model"

VERIFY_ENGINES = (PANDAPOWER, POWER_GRID_MODEL)
"""Engines that can solve steps of a study again."""


@dataclass(frozen=True)
class Difference:
    """Largest differences between two engines over the lanes compared.

    Attributes
    ----------
    lanes : int
        Lanes compared.
    vm_pu, line_loading_percent, transformer_loading_percent : float
        Largest absolute difference at any bus (and phase), line and transformer.
    engine : str
        Name and version of the engine that solved again, "" where no lane was compared.
    skipped : mapping of str to int
        Lanes drawn but not compared, by reason.
    """

    lanes: int = 0
    vm_pu: float = 0.0
    line_loading_percent: float = 0.0
    transformer_loading_percent: float = 0.0
    engine: str = ""
    skipped: Mapping[str, int] = field(default_factory=dict)

    def joined(self, other: Difference) -> Difference:
        """Return the larger difference of each kind over both sets of lanes."""
        names = dict.fromkeys(name for name in (self.engine, other.engine) if name)
        skipped = dict(self.skipped)
        for reason, count in other.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + count
        return Difference(
            self.lanes + other.lanes,
            max(self.vm_pu, other.vm_pu),
            max(self.line_loading_percent, other.line_loading_percent),
            max(self.transformer_loading_percent, other.transformer_loading_percent),
            "; ".join(names),
            skipped,
        )


def draw_lanes(total: int, count: int, seed: int) -> IntArray:
    """Return `count` different lane numbers below `total`, sorted, by seed."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, 0x7E51F7]))
    chosen = generator.choice(total, size=min(count, total), replace=False)
    return np.sort(chosen).astype(np.int64)


def compare_lanes(
    spec: StudySpec,
    injections: Injections,
    flow: FlowResult,
    steps: IntArray,
    engine: str | None = None,
) -> Difference:
    """Solve `steps` again with another engine and return the largest differences to `flow`.

    Parameters
    ----------
    spec : StudySpec
        Whose network was solved.
    injections : Injections
        What `flow` was given, one scenario.
    flow : FlowResult
        What is checked; balanced or in three phases.
    steps : numpy.ndarray
        Steps to solve again.
    engine : str, optional
        One of `VERIFY_ENGINES`. None takes pandapower for a balanced flow; in three phases
        power-grid-model, or ``runpp_3ph`` where that is not installed or cannot hold the network.

    Returns
    -------
    Difference
        Steps that failed in `flow`, that the other engine cannot hold or does not solve are not
        compared but counted as skipped, with the reason.

    Raises
    ------
    InputError
        If `engine` is none of `VERIFY_ENGINES`.
    MissingExtra
        If power-grid-model is asked for by name and not installed.

    Notes
    -----
    Tap changers stand where `flow` left them: an engine that differs by 1e-9 pu could else choose
    another position. Reactive power that answers to voltage is answered anew, around whole solves
    of the other engine.
    """
    if engine is not None and engine not in VERIFY_ENGINES:
        message = f"verify_engine is {engine!r}, must be one of {', '.join(VERIFY_ENGINES)}"
        raise InputError(message)
    solved = np.isfinite(flow.residual_kva[0, steps])
    found = _skipped("failed in the study itself", int((~solved).sum()))
    steps = steps[solved]
    if not steps.size:
        return found
    reason = ""
    for other in _engines(spec, flow, engine):
        try:
            return found.joined(_compared(spec.network.grid, other, injections, flow, steps))
        except InputError as error:
            reason = reason or _first_line(error, other)
    return found.joined(
        _skipped(reason or "solved by pandapower, which alone can", int(steps.size))
    )


def _skipped(reason: str, count: int) -> Difference:
    return Difference(skipped={reason: count} if count else {})


def _first_line(error: InputError, engine: Engine) -> str:
    """Return what an engine cannot hold, in one line."""
    what = error.problems[0] if error.problems else None
    more = f" and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
    told = f"{what.where} {what.what}" if what else str(error)
    return f"{engine.name} cannot check it: {told}{more}"


def _engines(spec: StudySpec, flow: FlowResult, chosen: str | None) -> Iterator[Engine]:
    """Yield engines to try in turn, never the one that solved `flow`."""
    order = VERIFY_ENGINES if flow.phases == 1 else VERIFY_ENGINES[::-1]
    for name in order if chosen is None else (chosen,):
        if flow.engine.startswith(name):
            continue
        if name == PANDAPOWER:
            yield PandapowerEngine(spec.network.net)
            continue
        try:
            yield PgmEngine(spec.network.net)
        except MissingExtra:
            if chosen is not None:
                raise


def _compared(
    grid: Grid, engine: Engine, injections: Injections, flow: FlowResult, steps: IntArray
) -> Difference:
    """Return the differences of solved steps, those at the same tap positions solved together."""
    if not grid.tap_controls:
        return _gap(grid, engine, injections, flow, steps)
    if not isinstance(engine, PandapowerEngine | PgmEngine):
        message = f"{engine.name} cannot be set to other tap positions"
        raise InputError(message)
    positions, group = np.unique(flow.tap_pos[0, steps], axis=0, return_inverse=True)
    fixed = dataclasses.replace(grid, tap_controls=())
    found = Difference()
    for number, taps in enumerate(positions):
        moved = engine.at_taps(
            {c.transformer: int(t) for c, t in zip(grid.tap_controls, taps, strict=True)}
        )
        same = steps[group.ravel() == number]
        found = found.joined(_gap(fixed, moved, injections, flow, same))
    return found


def _gap(
    grid: Grid, engine: Engine, injections: Injections, flow: FlowResult, steps: IntArray
) -> Difference:
    lanes = dataclasses.replace(
        injections,
        timeline=injections.timeline.part(0, 1),
        p_kw=injections.p_kw[0, steps][:, None],
        q_kvar=injections.q_kvar[0, steps][:, None],
    )
    again = engine.solve(grid, lanes, FlowOptions(phases=flow.phases))
    fine = np.isfinite(again.residual_kva[:, 0])
    vm_pu, line, transformer = (
        _largest(getattr(again, name)[fine, 0] - getattr(flow, name)[0, steps[fine]])
        for name in ("vm_pu", "line_loading_percent", "transformer_loading_percent")
    )
    lost = _skipped(f"not solved by {again.engine}", int((~fine).sum()))
    return lost.joined(Difference(int(fine.sum()), vm_pu, line, transformer, again.engine))


def _largest(gap: FloatArray) -> float:
    """Return the largest size of a difference, 0 where there is nothing to compare."""
    size = np.abs(gap[np.isfinite(gap)])
    return float(size.max(initial=0.0))
