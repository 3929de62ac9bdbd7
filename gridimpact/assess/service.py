"""What drivers get and what batteries give: departures, unmet energy, throughput, cycles, wear."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.running import add_in_order
from gridimpact.battery.arrival import needs
from gridimpact.records import BoolArray, FloatArray, PlanRequest

DEPARTURE_COLUMNS = [
    "segment",
    "session_id",
    "vehicle_id",
    "site_id",
    "departure",
    "soc",
    "soc_target",
    "unmet_kwh",
    "unmet_cause",
    "away_kwh",
    "below_target",
    "plugged_h",
    "hours_needed",
    "p_charge_kw",
    "power_needed_kw",
]


@dataclass(frozen=True)
class ServiceFindings:
    """Figures of the cars, arrays over (vehicle,)."""

    vehicle_id: tuple[str, ...]
    controlled: BoolArray
    capacity_kwh: FloatArray
    charge_kwh: FloatArray
    """Drawn at the meter."""
    discharge_kwh: FloatArray
    """Fed at the meter."""
    battery_charge_kwh: FloatArray
    """Charged into the battery."""
    battery_discharge_kwh: FloatArray
    """Taken from the battery by feeding, driving not included."""
    wear_per_kwh: FloatArray
    departures: pd.DataFrame
    """One row per counted departure: ``segment session_id vehicle_id site_id departure`` (naive UTC)
    ``soc soc_target unmet_kwh unmet_cause away_kwh below_target``, hours plugged in and hours that full power
    takes to the target, full power and the power that takes the whole stay."""

    @property
    def throughput_kwh(self) -> FloatArray:
        """Energy charged into and taken from each battery by charging and feeding [kWh]."""
        return self.battery_charge_kwh + self.battery_discharge_kwh

    @property
    def full_cycles(self) -> FloatArray:
        """Throughput over twice the capacity [1]."""
        return self.throughput_kwh / (2.0 * self.capacity_kwh)

    @property
    def wear_cost(self) -> FloatArray:
        """Price of the energy taken from each battery by feeding [currency]."""
        return self.battery_discharge_kwh * self.wear_per_kwh


@dataclass
class ServiceReducer:
    """Departures inside counted time and energy through chargers and batteries."""

    tolerance: float
    request: PlanRequest | None = None
    controlled: BoolArray | None = None
    drawn: FloatArray | None = None
    fed: FloatArray | None = None
    draw_h: FloatArray | None = None
    feed_h: FloatArray | None = None
    cycled: FloatArray | None = None
    inner_loss: FloatArray | None = None
    rows: list[pd.DataFrame] = field(default_factory=list)

    @classmethod
    def start(cls, context: AssessContext) -> ServiceReducer:
        """Return an empty reducer."""
        return cls(context.target_tolerance)

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps; does nothing where no car drives."""
        if chunk.request is None or chunk.dispatch is None or chunk.vehicle_p_kw is None:
            return
        self.request = chunk.request
        own = chunk.dispatch.controlled
        self.controlled = own if self.controlled is None else self.controlled | own
        energy = np.where(chunk.counted[:, None], chunk.vehicle_p_kw, 0.0) * chunk.timeline.dt_h
        cycled, lost = (_inside(chunk, n, energy) for n in ("cycled_kwh", "inner_loss_kwh"))
        self.cycled = add_in_order(self.cycled, cycled)
        self.inner_loss = add_in_order(self.inner_loss, lost)
        self.drawn = add_in_order(self.drawn, np.maximum(energy, 0.0) + cycled)
        self.fed = add_in_order(self.fed, np.maximum(-energy, 0.0) + cycled)
        hours = np.where(energy != 0.0, chunk.timeline.dt_h, 0.0)
        self.draw_h = add_in_order(self.draw_h, np.where(energy > 0.0, hours, 0.0))
        self.feed_h = add_in_order(self.feed_h, np.where(energy < 0.0, hours, 0.0))
        found = self._departures(chunk)
        if len(found):
            self.rows.append(found)

    def finish(self) -> ServiceFindings | None:
        """Return the figures, None where no car drives."""
        if (
            self.request is None
            or self.controlled is None
            or self.drawn is None
            or self.fed is None
            or self.draw_h is None
            or self.feed_h is None
            or self.cycled is None
            or self.inner_loss is None
        ):
            return None
        batteries = self.request.batteries
        lost = [batteries.idle_kw * hours[0] for hours in (self.draw_h, self.feed_h)]
        taken = (self.fed[0] + lost[1]) / batteries.eta_discharge
        # What came in and went out inside steps: its gain is what was taken less what was lost.
        inner = self.cycled[0] / batteries.eta_discharge - self.inner_loss[0]
        gained = (self.drawn[0] - self.cycled[0] - lost[0]) * batteries.eta_charge + inner
        columns = pd.DataFrame({name: [] for name in DEPARTURE_COLUMNS})
        rows = pd.concat(self.rows, ignore_index=True) if self.rows else columns
        return ServiceFindings(
            vehicle_id=self.request.vehicle_id,
            controlled=self.controlled,
            capacity_kwh=batteries.capacity_kwh,
            charge_kwh=self.drawn[0],
            discharge_kwh=self.fed[0],
            battery_charge_kwh=gained,
            battery_discharge_kwh=taken,
            wear_per_kwh=batteries.wear_per_kwh,
            departures=rows,
        )

    def _departures(self, chunk: Chunk) -> pd.DataFrame:
        """Return the departures of this chunk's counted steps, by time and stay."""
        request, dispatch = chunk.request, chunk.dispatch
        if request is None or dispatch is None:
            return pd.DataFrame()
        stays = request.stays
        last = stays.end - 1
        inside = ~stays.cut & (last >= chunk.steps.start) & (last < chunk.steps.stop)
        inside[inside] = chunk.segment_counted[last[inside]]
        stay = np.flatnonzero(inside)
        stay = stay[np.argsort(stays.end[stay], kind="stable")]
        vehicle, end = stays.vehicle[stay], stays.end[stay]
        unmet = dispatch.unmet_kwh[stay]
        missing = unmet > self.tolerance * request.batteries.capacity_kwh[vehicle]
        need = needs(request, dispatch)
        span = end.astype(np.int64) * chunk.timeline.step_s
        return pd.DataFrame(
            {
                "segment": np.full(len(stay), chunk.segment, dtype=np.int64),
                "session_id": [stays.session_id[k] for k in stay],
                "vehicle_id": [request.vehicle_id[k] for k in vehicle],
                "site_id": [request.site_id[k] for k in stays.site[stay]],
                "departure": chunk.timeline.start + span.astype("timedelta64[s]"),
                "soc": dispatch.soc[end - 1, vehicle],
                "soc_target": stays.soc_target[stay],
                "unmet_kwh": unmet,
                "unmet_cause": [dispatch.unmet_cause[k] for k in stay],
                "away_kwh": dispatch.away_kwh[stay],
                "below_target": missing,
                "plugged_h": need.plugged_h[stay],
                "hours_needed": need.hours_needed[stay],
                "p_charge_kw": stays.p_charge_kw[stay],
                "power_needed_kw": need.power_needed_kw[stay],
            },
            columns=DEPARTURE_COLUMNS,
        )


def _inside(chunk: Chunk, name: str, like: FloatArray) -> FloatArray:
    """Return what happened inside the counted steps, zero where the dispatch says nothing."""
    values: FloatArray | None = getattr(chunk.dispatch, name)
    if values is None:
        return np.zeros_like(like)
    return np.where(chunk.counted[:, None], values[chunk.steps], np.zeros_like(like))
