"""Money at each meter: energy drawn and fed at the step's price, demand charges by calendar month.

A site pays on its net power: load, PV and cars together. Battery wear is priced elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.running import add_in_order
from gridimpact.records import FloatArray, IntArray, PlanRequest, Tariff
from gridimpact.timeline import Timeline


@dataclass(frozen=True)
class CostFindings:
    """Energy and money of every meter, arrays over (site,)."""

    site_id: tuple[str, ...]
    site_kind: tuple[str, ...]
    import_kwh: FloatArray
    export_kwh: FloatArray
    peak_kw: FloatArray
    """Highest draw."""
    steps_over_fuse: IntArray
    energy_cost: FloatArray
    demand_cost: FloatArray
    priced: bool
    """False where no tariff has a price."""
    currency: str
    prorated: bool
    """Whether a month was assessed in part and its charges taken in proportion."""

    @property
    def cost(self) -> FloatArray:
        """Bill of each site [currency]."""
        return self.energy_cost + self.demand_cost


@dataclass
class CostReducer:
    """Bills of all meters; sites keep their order through all segments."""

    request: PlanRequest | None = None
    drawn: FloatArray | None = None
    fed: FloatArray | None = None
    energy_cost: FloatArray | None = None
    peak: FloatArray | None = None
    over_fuse: IntArray | None = None
    month_peak: dict[int, FloatArray] = field(default_factory=dict)
    month_hours: dict[int, float] = field(default_factory=dict)
    tariffs: tuple[Tariff, ...] = ()
    zone: str = "UTC"
    months_of: tuple[int, IntArray] | None = None

    @classmethod
    def start(cls, context: AssessContext) -> CostReducer:
        """Return an empty reducer."""
        return cls()

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps; does nothing without meters."""
        request = chunk.request
        if request is None or chunk.site_p_kw is None:
            return
        self.request, self.tariffs, self.zone = request, request.tariffs, chunk.timeline.zone
        counted = chunk.counted
        power = np.where(counted[:, None], chunk.site_p_kw, np.nan)
        hours = chunk.timeline.dt_h
        drawn, fed = np.maximum(power, 0.0) * hours, np.maximum(-power, 0.0) * hours
        self.drawn = add_in_order(self.drawn, drawn)
        self.fed = add_in_order(self.fed, fed)
        bill = self._bill(chunk, drawn, fed)
        self.energy_cost = add_in_order(self.energy_cost, bill)
        highest = np.fmax.reduce(power, axis=1, initial=0.0)[0]
        self.peak = highest if self.peak is None else np.maximum(self.peak, highest)
        over = np.count_nonzero(power[0] > request.site_import_limit_kw + 1e-6, axis=0)
        self.over_fuse = over if self.over_fuse is None else self.over_fuse + over
        self._months(chunk, power[0])

    def finish(self) -> CostFindings | None:
        """Return the figures, None where there were no meters."""
        if self.request is None or self.drawn is None or self.fed is None:
            return None
        if self.energy_cost is None or self.peak is None or self.over_fuse is None:
            return None
        demand, prorated = self._demand()
        return CostFindings(
            site_id=self.request.site_id,
            site_kind=self.request.site_kind,
            import_kwh=self.drawn[0],
            export_kwh=self.fed[0],
            peak_kw=self.peak,
            steps_over_fuse=self.over_fuse,
            energy_cost=self.energy_cost[0],
            demand_cost=demand,
            priced=any(_has_price(tariff) for tariff in self.tariffs),
            currency=", ".join(dict.fromkeys(tariff.currency for tariff in self.tariffs)),
            prorated=prorated,
        )

    def _bill(self, chunk: Chunk, drawn: FloatArray, fed: FloatArray) -> FloatArray:
        """Return the energy bill of each step and site, nothing where there is no tariff."""
        if not self.tariffs or self.request is None:
            return np.zeros_like(drawn)
        steps, own = chunk.steps, self.request.site_tariff
        buy = np.stack([t.import_price[steps] for t in self.tariffs], axis=1)[:, own]
        sell = np.stack([t.export_price[steps] for t in self.tariffs], axis=1)[:, own]
        return np.asarray(drawn * buy - fed * sell)

    def _months(self, chunk: Chunk, power: FloatArray) -> None:
        """Keep each calendar month's highest draw and its counted hours."""
        if self.months_of is None or self.months_of[0] != chunk.segment:
            local = chunk.timeline.local
            self.months_of = (
                chunk.segment,
                np.asarray(local.year * 12 + local.month - 1, dtype=np.int64),
            )
        months = self.months_of[1][chunk.steps]
        for month in np.unique(months[chunk.counted]):
            here = chunk.counted & (months == month)
            peak = np.fmax.reduce(power[here], axis=0, initial=0.0)
            before = self.month_peak.get(int(month))
            self.month_peak[int(month)] = peak if before is None else np.maximum(before, peak)
            hours = float(here.sum()) * chunk.timeline.dt_h
            self.month_hours[int(month)] = self.month_hours.get(int(month), 0.0) + hours

    def _demand(self) -> tuple[FloatArray, bool]:
        """Return demand charges of each site, and whether a month was taken in proportion."""
        request = self.request
        total = np.zeros(0 if request is None else len(request.site_id))
        prorated = False
        if request is None or not self.tariffs:
            return total, prorated
        for month in sorted(self.month_peak):
            share = min(1.0, self.month_hours[month] / hours_of_month(month, self.zone))
            charge = np.zeros_like(total)
            for number, tariff in enumerate(self.tariffs):
                own = request.site_tariff == number
                charge[own] = _month_charge(tariff, self.month_peak[month][own])
            total = total + share * charge
            prorated = prorated or (share < 1.0 - 1e-9 and bool(np.any(charge > 0.0)))
        return total, prorated


def hours_of_month(month: int, zone: str) -> float:
    """Return the hours of a local calendar month, counted as ``12 year + month - 1``.

    Examples
    --------
    >>> hours_of_month(12 * 2016 + 1, "UTC") / 24
    29.0
    """
    first = f"{month // 12:04d}-{month % 12 + 1:02d}-01"
    after = month + 1
    last = f"{after // 12:04d}-{after % 12 + 1:02d}-01"
    span = Timeline.between(first, last, step="15min", zone=zone)
    return span.count * span.dt_h


def _month_charge(tariff: Tariff, peak_kw: FloatArray) -> FloatArray:
    """Return a month's charges for a highest draw."""
    charge = tariff.demand_charge_per_kw_month * peak_kw
    if tariff.subscribed_kw is None:
        return charge
    excess = np.maximum(peak_kw - tariff.subscribed_kw, 0.0)
    fixed = tariff.subscribed_kw * tariff.subscribed_per_kw_month
    return np.asarray(charge + fixed + tariff.excess_per_kw_month * excess)


def _has_price(tariff: Tariff) -> bool:
    charges = (
        tariff.demand_charge_per_kw_month,
        tariff.subscribed_per_kw_month,
        tariff.excess_per_kw_month,
    )
    prices = (tariff.import_price, tariff.export_price)
    return any(charge != 0.0 for charge in charges) or any(np.any(p != 0.0) for p in prices)
