"""What a strategy costs the batteries: full cycles, capacity, years and money, as a range over cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.battery import Wear, joined, net_kw, soc_after, wear_of
from gridimpact.battery.wear import DAYS_PER_YEAR, LONGEST_YEARS, MEAN_OVER_YEARS
from gridimpact.fleet.catalogue import default
from gridimpact.records import Dispatch, FloatArray, IntArray, Note, PlanRequest

CELL_PREFIX = "battery_cost_cell_"
"""Begin of the columns of `cell_column`."""
ASSUMED_C = 20.0
"""Battery temperature where the study has no ambient temperature [degC]."""


def wear_of_dispatch(
    request: PlanRequest, dispatch: Dispatch, temp_c: ArrayLike, steps: IntArray | None = None
) -> Wear:
    """Return the wear of the batteries of a dispatch, driving and energy cycled inside steps included.

    Parameters
    ----------
    request : PlanRequest
        Behind the dispatch; a step divides a day.
    dispatch : Dispatch
        What every battery did.
    temp_c : array_like
        Battery temperature [degC], one for all or (time,).
    steps : ndarray of int, optional
        Consecutive steps to count; all by default.

    Returns
    -------
    Wear
        Arrays over (vehicle,).
    """
    held, dt_h = request.batteries, request.timeline.dt_h
    part = slice(None) if steps is None else slice(steps[0], steps[-1] + 1)
    p_kw = dispatch.p_kw[part]
    eta = (held.eta_charge, held.eta_discharge)
    gained = soc_after(0.0, net_kw(p_kw, held.idle_kw), dt_h, held.capacity_kwh, *eta)
    if dispatch.inner_loss_kwh is not None:
        gained = gained - dispatch.inner_loss_kwh[part] / held.capacity_kwh
    cycled = np.zeros_like(p_kw) if dispatch.cycled_kwh is None else dispatch.cycled_kwh[part]
    air = np.asarray(temp_c, dtype=np.float64)
    return wear_of(
        dispatch.soc[part],
        dt_h,
        air[part] if air.ndim else air,
        # A trip is booked on arrival: what the step's own power does not tell happened before it.
        soc_begin=dispatch.soc[part] - gained,
        inner_cycles=cycled * 0.5 * (eta[0] + 1.0 / eta[1]) / held.capacity_kwh,
        gross_share=held.capacity_kwh / held.gross_kwh,
    )


def cell_column(cell: str) -> str:
    """Return the column that holds the price of what a battery loses if it is of a tested cell."""
    return f"{CELL_PREFIX}{cell}_eur"


@dataclass(frozen=True)
class WearFindings:
    """Wear of every battery in the counted time.

    Attributes
    ----------
    wear : Wear or None
        None where it could not be counted.
    price : numpy.ndarray
        (vehicle,) replacement [EUR], the packaged price per kWh of the cells.
    reason : str
        Why there is none.
    warm : bool
        Whether an air temperature was given.
    """

    wear: Wear | None
    price: FloatArray
    reason: str = ""
    warm: bool = True

    @property
    def loss_percent(self) -> FloatArray:
        """Capacity that the counted time takes, at the mean pace of ten years [%], (cell, vehicle)."""
        if self.wear is None:
            return np.full((1, self.price.size), np.nan)
        share = self.wear.days / DAYS_PER_YEAR
        return np.asarray(100.0 * share * self.wear.loss_per_year())

    @property
    def years(self) -> FloatArray:
        """Years to 80 % of the capacity if all time is like the counted, (cell, vehicle)."""
        if self.wear is None:
            return np.full((1, self.price.size), np.nan)
        return self.wear.years_to()

    @property
    def cost(self) -> FloatArray:
        """Share of the price that the counted time takes [EUR], (cell, vehicle)."""
        if self.wear is None:
            return np.full((1, self.price.size), np.nan)
        return self.wear.cost(self.price)

    @property
    def full_cycles(self) -> FloatArray:
        """Equivalent full cycles with driving, (vehicle,)."""
        return np.full(self.price.size, np.nan) if self.wear is None else self.wear.full_cycles

    def columns(self, is_year: bool) -> dict[str, FloatArray]:
        """Return what each battery loses by the cells that lose least and most; years only of a year.

        The price of each cell's loss stands beside them, as only differences of one cell are ranges of a
        difference.
        """
        cells = () if self.wear is None else self.wear.cells
        years = self.years if is_year else np.full_like(self.years, np.nan)
        return {
            "battery_full_cycles": self.full_cycles,
            "battery_loss_low_percent": self.loss_percent.min(axis=0),
            "battery_loss_high_percent": self.loss_percent.max(axis=0),
            "battery_years_low": years.min(axis=0),
            "battery_years_high": years.max(axis=0),
            "battery_cost_low_eur": self.cost.min(axis=0),
            "battery_cost_high_eur": self.cost.max(axis=0),
            **{cell_column(cell.name): self.cost[k] for k, cell in enumerate(cells)},
        }

    def notes(self) -> list[Note]:
        """Return what the reader must know of these figures."""
        if self.wear is None:
            return [Note("info", "batteries", f"wear is not assessed: {self.reason}")]
        names = ", ".join(f"{cell.name} ({cell.chemistry})" for cell in self.wear.cells)
        text = (
            f"capacity lost is a range over tested cells: {names}; its pace is the mean of"
            f" {MEAN_OVER_YEARS:g} years of the same use, years end at {LONGEST_YEARS:g}"
        )
        beyond = 100.0 * self.wear.outside.mean()
        if beyond > 0.0:
            text += (
                f"; {beyond:.0f} % of their days lie outside the tests, mostly by shallow cycling"
            )
        heat = "the air's" if self.warm else f"{ASSUMED_C:g} degC, as none is given"
        return [
            Note("info", "batteries", text),
            Note("assumption", "batteries", f"the temperature of batteries is {heat}"),
        ]


@dataclass
class WearReducer:
    """Counts the wear of each segment once, over its counted steps."""

    request: PlanRequest | None = None
    parts: dict[int, Wear] = field(default_factory=dict)
    reason: str = "no counted step"
    warm: bool = True

    @classmethod
    def start(cls, context: AssessContext) -> WearReducer:
        """Return an empty reducer."""
        return cls()

    def update(self, chunk: Chunk) -> None:
        """Take in the segment of a chunk, all of it with its first; does nothing where no car drives."""
        if chunk.request is None or chunk.dispatch is None or chunk.segment in self.parts:
            return
        self.request = chunk.request
        steps = np.flatnonzero(chunk.segment_counted)
        per_day = 24.0 / chunk.timeline.dt_h
        if abs(per_day - round(per_day)) > 1e-9:
            self.reason = f"a step of {60 * chunk.timeline.dt_h:g} min divides no day"
        elif steps.size and chunk.request.vehicle_id:
            air = chunk.temp_air_c
            self.warm = air is not None
            temp = ASSUMED_C if air is None else air
            self.parts[chunk.segment] = wear_of_dispatch(chunk.request, chunk.dispatch, temp, steps)

    def finish(self) -> WearFindings | None:
        """Return the figures, None where no car drives."""
        if self.request is None or not self.request.vehicle_id:
            return None
        price = default("pack_eur_per_kwh") * self.request.batteries.gross_kwh
        if not self.parts:
            return WearFindings(None, price, self.reason)
        parts = [self.parts[number] for number in sorted(self.parts)]
        return WearFindings(joined(parts), price, warm=self.warm)
