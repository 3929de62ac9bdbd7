"""Small accumulators that give the same bits however time is cut: sums in order, extremes, runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.assess.context import Chunk
from gridimpact.records import BoolArray, FloatArray, IntArray

Times = NDArray[np.datetime64]
NO_PHASE = -1
"""Phase of a value that belongs to all three."""


def over_phases(function: Any, values: NDArray[Any]) -> NDArray[Any]:
    """Return a function of two arrays taken over the last axis of (..., phase).

    Three whole arrays are far quicker than a reduction over three numbers at each place.

    Examples
    --------
    >>> over_phases(np.fmin, np.array([[1.0, np.nan, 0.9]]))
    array([0.9])
    """
    found: NDArray[Any] = values[..., 0]
    for phase in range(1, values.shape[-1]):
        found = function(found, values[..., phase])
    return found


def worst_phase(
    voltage: FloatArray, bound: FloatArray, sign: float
) -> tuple[FloatArray, FloatArray, IntArray | None]:
    """Return of each (scenario, time, element) the phase furthest beyond its bound.

    Parameters
    ----------
    voltage : numpy.ndarray
        (scenario, time, element) or (scenario, time, element, phase); NaN is not known.
    bound : numpy.ndarray
        Limit; broadcasts to `voltage`.
    sign : float
        1 for a limit from above, -1 for one from below.

    Returns
    -------
    tuple
        Value and bound of that phase, and its number; None where there are no phases.

    Examples
    --------
    >>> value, _, phase = worst_phase(np.array([[[[0.97, 0.93, 1.0]]]]), np.array(0.9), -1.0)
    >>> float(value[0, 0, 0]), int(phase[0, 0, 0])
    (0.93, 1)
    """
    if voltage.ndim == 3:
        return voltage, bound, None
    limit = np.broadcast_to(bound, voltage.shape)
    with np.errstate(invalid="ignore"):
        depth = sign * (voltage - limit)
    depth = np.where(np.isnan(depth), -np.inf, depth)
    phase = depth.argmax(axis=3)
    # Without a limit every depth is the same; the first phase that is known speaks then.
    known = ~np.isnan(voltage)
    phase = np.where(np.isinf(depth.max(axis=3)), known.argmax(axis=3), phase)
    take = phase[..., None]
    value = np.take_along_axis(voltage, take, axis=3)[..., 0]
    return value, np.take_along_axis(limit, take, axis=3)[..., 0], phase.astype(np.int64)


def add_in_order(total: FloatArray | None, values: FloatArray) -> FloatArray:
    """Add (scenario, time, element) to (scenario, element), one step after the other.

    Pairwise summation would give other bits for other chunks; NaN adds nothing.

    Examples
    --------
    >>> add_in_order(None, np.ones((1, 3, 2)))
    array([[3., 3.]])
    """
    known = np.where(np.isnan(values), 0.0, values)
    if total is None:
        total = np.zeros((values.shape[0], values.shape[2]))
    stacked = np.concatenate([total[:, None], known], axis=1)
    return cast("FloatArray", np.add.accumulate(stacked, axis=1)[:, -1].copy())


def add_counts(total: IntArray | None, mask: Any, axis: int = 1) -> IntArray:
    """Add the number of True along time to running counts."""
    found = np.count_nonzero(mask, axis=axis).astype(np.int64)
    return found if total is None else cast("IntArray", total + found)


@dataclass
class Extreme:
    """Highest value of each (scenario, element) and the first time it was reached.

    `sign` -1 keeps the lowest. Values that were never known stay NaN. Where values are the worst of
    three phases, the phase is kept as well.
    """

    sign: float = 1.0
    best: FloatArray | None = None
    when: Times | None = None
    at_phase: IntArray | None = None

    def update(
        self, values: FloatArray, times: Times, by_phase: NDArray[Any] | None = None
    ) -> None:
        """Take in (scenario, time, element) values; NaN is not known.

        `by_phase`, (scenario, time, element, phase), tells which phase a value is of: the one that is
        furthest in the direction kept.
        """
        signed = np.where(np.isnan(values), -np.inf, self.sign * values)
        shape = (values.shape[0], values.shape[2])
        if self.best is None or self.when is None:
            self.best = np.full(shape, -np.inf)
            self.when = np.full(shape, np.datetime64("NaT"), dtype="datetime64[s]")
            self.at_phase = np.full(shape, NO_PHASE, dtype=np.int64)
        peak = signed.max(axis=1, initial=-np.inf)
        scenario, element = np.nonzero(peak > self.best)
        if scenario.size:
            step = signed[scenario, :, element].argmax(axis=1)
            self.best[scenario, element] = peak[scenario, element]
            self.when[scenario, element] = times[step]
            if by_phase is not None and self.at_phase is not None:
                own = self.sign * by_phase[scenario, step, element]
                furthest = np.where(np.isnan(own), -np.inf, own).argmax(axis=1)
                self.at_phase[scenario, element] = furthest

    @property
    def value(self) -> FloatArray:
        """(scenario, element), NaN where never known."""
        if self.best is None:
            return np.full((1, 0), np.nan)
        return cast("FloatArray", np.where(np.isinf(self.best), np.nan, self.sign * self.best))

    @property
    def times(self) -> Times:
        """(scenario, element), NaT where never known."""
        if self.when is None:
            return np.full((1, 0), np.datetime64("NaT"), dtype="datetime64[s]")
        return self.when

    @property
    def phases(self) -> IntArray:
        """(scenario, element) phase 0, 1 or 2 of the value, `NO_PHASE` without phases."""
        if self.at_phase is None:
            return np.full((1, 0), NO_PHASE, dtype=np.int64)
        return self.at_phase


@dataclass
class RunTracker:
    """Runs of consecutive steps outside a limit, with the worst value of each.

    `sign` 1 is a limit from above, -1 one from below.
    """

    kind: str
    unit: str
    sign: float = 1.0
    parts: list[dict[str, NDArray[Any]]] = field(default_factory=list)

    def update(
        self,
        chunk: Chunk,
        outside: BoolArray,
        values: FloatArray,
        limit: FloatArray,
        phase: IntArray | None = None,
    ) -> None:
        """Take in (scenario, time, element) of one chunk; `limit` broadcasts to it."""
        scenario, element = np.nonzero(outside.any(axis=1))
        if not scenario.size:
            return
        mask = outside[scenario, :, element]
        worst = values[scenario, :, element]
        bound = np.broadcast_to(limit, values.shape)[scenario, :, element]
        excess = self.sign * (worst - bound)
        edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        pair, start = np.nonzero(edges == 1)
        end = np.nonzero(edges == -1)[1]
        run = np.repeat(np.arange(pair.size), end - start)
        flat = np.flatnonzero(mask)
        inside = excess.ravel()[flat]
        peak = np.maximum.reduceat(inside, np.cumsum(np.r_[0, (end - start)[:-1]]))
        reached = np.flatnonzero(inside == peak[run])
        at = flat[reached[np.unique(run[reached], return_index=True)[1]]]
        self.parts.append(
            {
                "segment": np.full(pair.size, chunk.segment),
                "scenario": scenario[pair],
                "element": element[pair],
                "start": start + chunk.first,
                "end": end + chunk.first,
                "excess": peak,
                "step": at % mask.shape[1] + chunk.first,
                "worst": worst.ravel()[at],
                "limit": bound.ravel()[at],
                "phase": np.full(pair.size, NO_PHASE)
                if phase is None
                else phase[scenario, :, element].ravel()[at],
            }
        )

    def finish(self) -> pd.DataFrame:
        """Return one row per run, runs that meet at the border of two chunks joined."""
        columns = [
            "segment",
            "scenario",
            "element",
            "start",
            "end",
            "excess",
            "step",
            "worst",
            "limit",
            "phase",
        ]
        if not self.parts:
            return pd.DataFrame({name: np.zeros(0) for name in columns})
        rows = pd.DataFrame(
            {name: np.concatenate([p[name] for p in self.parts]) for name in columns}
        )
        return join_runs(rows)


def join_runs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return runs with those that meet or overlap joined; the worst value speaks for the joined run."""
    rows = rows.sort_values(["segment", "scenario", "element", "start"], kind="stable")
    rows = rows.reset_index(drop=True)
    if not len(rows):
        return rows
    same = (rows[["segment", "scenario", "element"]].diff().iloc[1:] == 0).all(axis=1)
    joined = same.to_numpy() & (rows["start"].to_numpy()[1:] <= rows["end"].to_numpy()[:-1])
    if not joined.any():
        return rows
    group = np.r_[0, np.cumsum(~joined)]
    # Highest excess first, earliest among equals: the row that speaks for the joined run.
    order = np.lexsort((rows["start"], -rows["excess"].to_numpy(), group))
    lead = rows.iloc[order[np.unique(group[order], return_index=True)[1]]].reset_index(drop=True)
    lead["start"] = rows.groupby(group)["start"].first().to_numpy()
    lead["end"] = rows.groupby(group)["end"].last().to_numpy()
    return lead
