"""Published pilots that can be run: the office in Atsugi whose six cars cut its peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.dispatch.clock import clock_s, wall_s
from gridimpact.errors import InputError
from gridimpact.fleet import Charger, Preset, Vehicle, preset
from gridimpact.profiles.shapes import year_shape
from gridimpact.records import FloatArray, IntArray, PlanRequest, Stays, Tariff
from gridimpact.study.requests import batteries_of
from gridimpact.timeline import Timeline

YEN_PER_EUR = 130.0
"""Exchange rate of 2013, rounded; turns the packaged cost of wear into yen."""


@dataclass(frozen=True)
class WorkingDay:
    """When cars stand at a building and what they hold.

    Attributes
    ----------
    arrive, leave : str
        Local times "HH:MM" of one day.
    soc_arrival, soc_target, soc_reserve : float
        State of charge on arrival, wanted on leaving, and below which nothing is fed.
    """

    arrive: str = "08:30"
    leave: str = "18:00"
    soc_arrival: float = 0.7
    soc_target: float = 0.9
    soc_reserve: float = 0.6


def atsugi_day(day: WorkingDay | None = None) -> PlanRequest:
    """Return a summer working day of the office in Atsugi with its six cars, ready for a V2B strategy.

    Parameters
    ----------
    day : WorkingDay, optional
        When the cars are there and how much of their batteries they lend.

    Returns
    -------
    PlanRequest
        One building of 1024 kW with six Nissan Leafs of 24 kWh at stations of 6 kW; prices in yen.

    Notes
    -----
    Published are six cars, a cut of 25.6 kW or 2.5 % of the peak, and about 500,000 yen a year. That
    gives the peak of 1024 kW and a demand charge of 1628 yen per kW and month. What is not published is
    assumed: the BDEW shape G25 of trade and business on its highest working day of July and August, cars
    of commuters who arrive 70 % full and leave 90 % full, 90 % efficiency both ways, and that each lends
    30 % of its battery, down to 60 %. A controller that keeps the meter at 1024 - 25.6 kW
    (`gridimpact.v2b.PeakCap`) then holds the published cut with hardly anything to spare; perfect
    foresight (`gridimpact.v2b.DemandCharge`) would reach 32 kW, and the stations' 36 kW where half of
    each battery is lent. A longer afternoon peak, as air conditioning makes it, would ask for more.
    """
    cars = preset("nissan_atsugi")
    shape = year_shape("bdew_g25", 2013, "Asia/Tokyo")
    hours = Timeline.year(2013, step="15min", zone="Asia/Tokyo")
    summer = np.isin(hours.local.month, (7, 8)) & (hours.weekday < 5)
    peak = int(np.argmax(np.where(summer, shape.share, 0.0)))
    steps = np.flatnonzero(hours.local_day == hours.local_day[peak])
    load = shape.share[steps] / shape.share[peak] * float(cars.published["building_peak_kw"])
    per_kw = cars.published["yen_per_year"] / (12.0 * cars.published["peak_cut_kw"])
    time = hours.part(int(steps[0]), steps.size)
    flat = np.full(time.count, 15.0)
    tariff = Tariff(
        "yen",
        flat,
        np.zeros(time.count),
        per_kw,
        currency="JPY",
        source="15 yen/kWh is an assumption",
    )
    return building_day(cars, time, load, tariff, WorkingDay() if day is None else day)


def building_day(
    cars: Preset, timeline: Timeline, load_kw: FloatArray, tariff: Tariff, day: WorkingDay
) -> PlanRequest:
    """Return a building with the cars of a preset, each plugged in once.

    Parameters
    ----------
    cars : Preset
        Cars and chargers.
    timeline : Timeline
        One local day.
    load_kw : ndarray
        (time,) load of the building [kW].
    tariff : Tariff
        Wear is taken in its currency where that is EUR or JPY.
    day : WorkingDay
        When the cars are there.

    Raises
    ------
    InputError
        If the cars leave before they arrive.
    """
    start, end = _step(timeline, day.arrive, "arrive"), _step(timeline, day.leave, "leave")
    if end <= start:
        message = (
            f"cars arrive at {day.arrive} and leave at {day.leave}; give a later time to leave"
        )
        raise InputError(message)
    rows = [
        Vehicle.preset(group.model).row(Charger.preset(group.charger), day.soc_target)
        for group in cars.cars
        for _ in range(group.count)
    ]
    table = pd.DataFrame(rows)
    if tariff.currency == "JPY":
        table["wear_eur_per_kwh"] *= YEN_PER_EUR
    count, steps = len(table), timeline.count
    number = np.arange(count, dtype=np.int64)
    every: FloatArray = np.ones(count)
    names = tuple(f"{cars.name} {k + 1}" for k in range(count))
    zero: IntArray = np.zeros(count, dtype=np.int64)
    load = np.asarray(load_kw, dtype=np.float64)[:, None]
    return PlanRequest(
        timeline=timeline,
        vehicle_id=names,
        batteries=batteries_of(table),
        soc_initial=day.soc_arrival * every,
        stays=Stays(
            session_id=names,
            vehicle=number,
            charger=number,
            site=zero,
            start=np.full(count, start, dtype=np.int64),
            end=np.full(count, end, dtype=np.int64),
            trip_kwh=0.0 * every,
            soc_arrival=np.nan * every,
            soc_target=day.soc_target * every,
            soc_reserve=day.soc_reserve * every,
            p_charge_kw=table["p_charge_max_kw"].to_numpy(np.float64),
            p_discharge_kw=table["p_discharge_max_kw"].to_numpy(np.float64),
            cut=np.zeros(count, dtype=np.bool_),
        ),
        charger_id=names,
        charger_site=zero,
        charger_kind=(cars.kind,) * count,
        site_id=(cars.title,),
        site_kind=("building",),
        site_load_kw=load,
        site_pv_kw=np.zeros_like(load),
        site_import_limit_kw=np.array([np.inf]),
        site_export_limit_kw=np.array([0.0]),
        tariffs=(tariff,),
        site_tariff=np.zeros(1, dtype=np.int64),
        group_id=("building",),
        group_member=np.ones((1, count), dtype=np.bool_),
        background_kw=load,
        import_limit_kw=np.full((steps, 1), np.inf),
        export_limit_kw=np.full((steps, 1), np.inf),
    )


def _step(timeline: Timeline, clock: str, where: str) -> int:
    """Return the first step at or after a local time of the first day."""
    passed = wall_s(timeline) - wall_s(timeline)[0]
    return int(np.searchsorted(passed, clock_s(clock, where)))
