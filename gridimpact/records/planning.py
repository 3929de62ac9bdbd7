"""What a strategy is told, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gridimpact.errors import Problem, raise_problems
from gridimpact.records.base import BoolArray, FloatArray, IntArray, Note, Shown
from gridimpact.records.inputs import Tariff
from gridimpact.timeline import Timeline


@dataclass(frozen=True)
class Batteries:
    """What limits each vehicle's battery, arrays over (vehicle,).

    The fields with a default change nothing unless given; a number stands for all vehicles, NaN for none.
    """

    capacity_kwh: FloatArray
    """Usable energy: state of charge is counted over it."""
    eta_charge: FloatArray
    """Battery energy gained per energy drawn at the meter, 0..1."""
    eta_discharge: FloatArray
    """Energy delivered at the meter per battery energy lost, 0..1."""
    soc_min: FloatArray
    soc_max: FloatArray
    soc_knee: FloatArray
    """Charging power is constant up to this state of charge, then falls linearly."""
    taper_fraction: FloatArray
    """Share of the full charging power left at state of charge 1."""
    wear_per_kwh: FloatArray
    """Cost of one kWh taken from the battery [currency/kWh]."""
    soc_knee_discharge: FloatArray = field(default_factory=partial(np.array, np.nan))
    """Discharging power is constant down to this state of charge, then falls linearly; 0 unless given."""
    taper_fraction_discharge: FloatArray = field(default_factory=partial(np.array, np.nan))
    """Share of the full discharging power left at state of charge 0; 1 unless given."""
    idle_kw: FloatArray = field(default_factory=partial(np.array, np.nan))
    """Constant loss of the conversion while power flows, on the meter's side of the efficiencies [kW].

    0 unless given. Charging p puts ``eta_charge (p - idle)`` into the battery, feeding f takes ``(f + idle) /
    eta_discharge`` from it; nothing is lost at rest, and a charge request up to `idle_kw` does nothing.
    """
    gross_kwh: FloatArray = field(default_factory=partial(np.array, np.nan))
    """Energy of the cells, the unused margins included [kWh]; the usable capacity unless given."""

    def __post_init__(self) -> None:
        """Give every vehicle its own value, the neutral one where it has none."""
        neutral: dict[str, FloatArray | float] = {
            "soc_knee_discharge": 0.0,
            "taper_fraction_discharge": 1.0,
            "idle_kw": 0.0,
            "gross_kwh": self.capacity_kwh,
        }
        for name, none in neutral.items():
            given = np.broadcast_to(getattr(self, name), np.shape(self.capacity_kwh))
            own = np.where(np.isnan(given), none, given)
            object.__setattr__(self, name, own.astype(np.float64))


@dataclass(frozen=True)
class Stays:
    """Plugged-in windows in whole steps, sorted by vehicle and start; arrays over (stay,)."""

    session_id: tuple[str, ...]
    vehicle: IntArray
    charger: IntArray
    site: IntArray
    start: IntArray
    """First step plugged in."""
    end: IntArray
    """First step no longer plugged in; equals the number of steps where cut."""
    trip_kwh: FloatArray
    """Battery energy driven since the previous departure, booked before the first step."""
    soc_arrival: FloatArray
    """Given state of charge at arrival; NaN follows from the previous stay."""
    soc_target: FloatArray
    soc_reserve: FloatArray
    """No discharge below this."""
    p_charge_kw: FloatArray
    """Highest draw at the meter: the smaller of vehicle and charger."""
    p_discharge_kw: FloatArray
    """Highest feed at the meter, 0 where not bidirectional."""
    cut: BoolArray
    """The stay goes on beyond the last step."""


_FINITE = ("soc_initial", "site_load_kw", "site_pv_kw", "background_kw")
_FINITE_OF_STAYS = ("trip_kwh", "soc_target", "soc_reserve", "p_charge_kw", "p_discharge_kw")


@dataclass(frozen=True)
class PlanRequest:
    """All that a strategy may know; made from the study, without a power flow.

    Raises
    ------
    InputError
        If a stay lies outside the request's steps, vehicles, chargers or sites: compiled code would
        write beyond its arrays. If a price, demand, generation, first state of charge, or what a stay asks
        for or allows is not finite.
    """

    timeline: Timeline
    vehicle_id: tuple[str, ...]
    batteries: Batteries
    soc_initial: FloatArray
    """(vehicle,) before the first step."""
    stays: Stays
    charger_id: tuple[str, ...]
    charger_site: IntArray
    site_id: tuple[str, ...]
    site_kind: tuple[str, ...]
    site_load_kw: FloatArray
    """(time, site)"""
    site_pv_kw: FloatArray
    """(time, site), never above zero."""
    site_import_limit_kw: FloatArray
    """(site,) main fuse; inf where unknown."""
    site_export_limit_kw: FloatArray
    tariffs: tuple[Tariff, ...]
    site_tariff: IntArray
    """(site,) position in `tariffs`."""
    group_id: tuple[str, ...]
    group_member: BoolArray
    """(group, charger)"""
    background_kw: FloatArray
    """(time, group) demand without cars, losses estimated in."""
    import_limit_kw: FloatArray
    """(time, group)"""
    export_limit_kw: FloatArray
    """(time, group)"""
    seed: int = 0
    charger_s_kva: FloatArray | None = None
    """(charger,) rated apparent power [kVA]; None takes the highest active power of its stays."""
    charger_kind: tuple[str, ...] | None = None
    """(charger,) "home", "work", "fleet" or "public"; None where it is not known."""
    site_peak_kw: FloatArray | None = None
    """(site,) highest draw before the first step in the month of that step; None is none [kW]."""

    def __post_init__(self) -> None:
        """Refuse stays that do not fit."""
        stays, steps = self.stays, self.timeline.count
        problems = []
        for k in np.flatnonzero(
            (stays.start < 0) | (stays.end > steps) | (stays.start > stays.end)
        ):
            what = (
                f"lasts from step {stays.start[k]} to {stays.end[k]}, the request has {steps} steps"
            )
            problems.append(Problem(f"stay {stays.session_id[k]}", what, "cut it to the request"))
        counts = {
            "vehicle": len(self.vehicle_id),
            "charger": len(self.charger_id),
            "site": len(self.site_id),
        }
        for name, count in counts.items():
            place: IntArray = getattr(stays, name)
            for k in np.flatnonzero((place < 0) | (place >= count)):
                what = f"names {name} {place[k]}, the request has {count}, counted from 0"
                problems.append(Problem(f"stay {stays.session_id[k]}", what))
        raise_problems([*problems, *self._not_finite()], "plan request")

    def _not_finite(self) -> list[Problem]:
        """Return what holds values that are no numbers; limits may be infinite."""
        series = {
            f"{part}_price of tariff {tariff.name}": getattr(tariff, f"{part}_price")
            for tariff in self.tariffs
            for part in ("import", "export")
        }
        series |= {name: getattr(self, name) for name in _FINITE}
        series |= {f"{name} of the stays": getattr(self.stays, name) for name in _FINITE_OF_STAYS}
        what, remedy = "holds values that are not finite", "fill the gaps before planning"
        return [Problem(n, what, remedy) for n, v in series.items() if not np.isfinite(v).all()]


@dataclass(frozen=True, slots=True)
class ServiceFigure:
    """One figure of a service that a fleet gives, such as the power it offers or the score it earns.

    Attributes
    ----------
    service : str
        "regulation", "spinning_reserve", "backup", ...
    name : str
        What is counted, with its unit: "capacity_kw", "score", "paid_eur".
    value : float
        NaN where it could not be found; `note` says why.
    note : str
        How it was found and what it assumes, one sentence.
    """

    service: str
    name: str
    value: float
    note: str = ""


@dataclass(frozen=True)
class Dispatch(Shown):
    """What a strategy asked for and what the batteries could do, on one timeline.

    The stays are those of the request; `p_kw` follows from `p_requested_kw` by battery and charger limits.
    """

    strategy: str
    p_requested_kw: FloatArray
    """(time, vehicle)"""
    p_kw: FloatArray
    """(time, vehicle) at the meter."""
    soc: FloatArray
    """(time, vehicle) at the end of the step; while away, the value at departure."""
    soc_initial: FloatArray
    unmet_kwh: FloatArray
    """(stay,) battery energy missing to the target at departure."""
    unmet_cause: tuple[str, ...]
    """(stay,) "" or one of "too_short", "too_little_power", "limit", "soc_floor"."""
    away_kwh: FloatArray
    """(stay,) battery energy charged elsewhere because the trip needed more than the battery held."""
    controlled: BoolArray
    """(vehicle,)"""
    q_kvar: FloatArray | None = None
    """(time, vehicle) reactive power at the meter, positive draws; None leaves it to the study."""
    notes: tuple[Note, ...] = ()
    p_low_kw: FloatArray | None = None
    """(time, vehicle) least power inside the step, where a signal faster than the step moves it."""
    p_high_kw: FloatArray | None = None
    """(time, vehicle) highest power inside the step; all vehicles reach it at once: one signal, no diversity."""
    cycled_kwh: FloatArray | None = None
    """(time, vehicle) energy at the meter both drawn and fed inside the step, which its mean power hides."""
    inner_loss_kwh: FloatArray | None = None
    """(time, vehicle) battery energy lost inside the step beyond what its mean power tells; negative where a
    constant loss paused."""
    figures: tuple[ServiceFigure, ...] = ()
