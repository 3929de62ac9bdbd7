"""A synthetic fleet: private cars at homes, municipal cars in a depot, employees' cars at work.

Car number k is the same whatever the number of cars, so a larger fleet contains the smaller one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gridimpact.fleet import catalogue
from gridimpact.fleet.driving import Days, Draws, draw, fixed_daily
from gridimpact.fleet.duty import fleet_parking, work_parking
from gridimpact.fleet.findings import no_rejects
from gridimpact.fleet.order import Order, check_order, model_mix, order_notes
from gridimpact.fleet.plugging import (
    Cars,
    Parking,
    Plugged,
    parked,
)
from gridimpact.fleet.plugging import (
    plug_in as plugged_stays,
)
from gridimpact.fleet.sessions import SESSION_COLUMNS
from gridimpact.fleet.trips import day_tours, drivers, with_absences
from gridimpact.fleet.vehicle import (
    CHARGER_COLUMNS,
    VEHICLE_COLUMNS,
    Charger,
    Vehicle,
    as_charger,
)
from gridimpact.records import Ambient, Fleet, FloatArray, IntArray
from gridimpact.timeline import Timeline

_CHUNK = 256
"""Cars drawn at once, so that memory stays small."""


def synthesize_fleet(  # noqa: PLR0913 - the public façade names every choice of a planner
    count: int,
    timeline: Timeline,
    *,
    charger: str | Charger = "ac_11kw",
    kind: str = "home",
    vehicles: str | Vehicle | Sequence[str | Vehicle] | Mapping[str, float] | None = None,
    daily_kwh: float | None = None,
    worker_share: float = 0.6,
    multi_day: bool = True,
    plug_in: str = "by_soc",
    ambient: Ambient | None = None,
    soc_target: float | None = None,
    seed: int = 0,
) -> Fleet:
    """Return a fleet of synthetic cars, one charger each, not yet placed.

    Parameters
    ----------
    count : int
        Number of cars.
    timeline : Timeline
        Period and zone; sessions run past its end where the car stays.
    charger : str or Charger
        Preset of `charger_catalogue` or own hardware.
    kind : str
        ``"home"``: private cars, trips from the German travel survey; ``"fleet"``: municipal cars, in the
        depot overnight; ``"work"``: employees' cars at the workplace.
    vehicles : str, Vehicle, sequence, mapping or None
        One model, several equally likely ones, models with weights, or None for the Dutch registrations.
    daily_kwh : float or None
        Fixes each car's mean energy per day at the meter [kWh], on working days and on weekends alike.
    worker_share : float
        Share of private cars whose driver commutes.
    multi_day : bool
        Days without trips, holidays and weekends away; False makes every car drive every day.
    plug_in : str
        ``"by_soc"``: the fuller the battery the rarer a driver plugs in; ``"always"``. Municipal cars always.
    ambient : Ambient or None
        Air temperature on the timeline; consumption rises in the cold. None takes 20 degC all year.
    soc_target : float or None
        State of charge wanted at departure; None takes the packaged default 0.9.
    seed : int
        Seed, 0 or more.

    Returns
    -------
    Fleet
        ``trip_kwh`` is battery energy since the previous departure. Each car's first session states its
        ``soc_arrival`` and books no trip; sessions under way at the start begin with it.

    Raises
    ------
    InputError
        If an argument is out of range or a name unknown; the nearest name is offered.

    Notes
    -----
    A car's days depend on seed, kind, its number and the date, not on the other cars nor on the period.
    Holidays end with a battery that needs 30 to 85 % of its capacity; charging on the way is not modelled.

    **Validity.** Trips follow marginal distributions of one survey; correlation from day to day is held by
    commuting distance, model and a driver's usual distance alone.

    References
    ----------
    Travel survey *Mobilität in Deutschland* as packaged in ``profiles/travel_survey_de``.

    Examples
    --------
    >>> time = Timeline.days("2016-01-11", 7, zone="Europe/Berlin")
    >>> fleet = synthesize_fleet(3, time, charger="ac_7.4kw", seed=1)
    >>> list(fleet.vehicles.index)
    ['home_0001', 'home_0002', 'home_0003']
    """
    target = catalogue.default("soc_target") if soc_target is None else soc_target
    check_order(count, kind, daily_kwh, worker_share, plug_in, target, seed)
    models, weights = model_mix(vehicles)
    always = plug_in == "always" or kind == "fleet"
    order = Order(
        kind,
        as_charger(charger),
        models,
        weights,
        daily_kwh,
        worker_share,
        multi_day,
        always,
        target,
        seed,
    )
    days = Days(timeline)
    factor = days.factor(ambient)
    rows = pd.DataFrame([m.row(order.charger, target) for m in models], columns=VEHICLE_COLUMNS)
    chosen, pieces = [], []
    for first in range(0, count, _CHUNK):
        numbers = range(first + 1, min(first + _CHUNK, count) + 1)
        draws = draw(seed, kind, numbers, days)
        model = np.searchsorted(np.cumsum(weights), draws.trait[:, 7], side="right")
        model = np.minimum(model, len(models) - 1)
        table = rows.iloc[model].reset_index(drop=True)
        plugged = _simulate(order, draws, table, days, factor)
        pieces.append(_sessions(plugged, table, numbers, days, kind))
        chosen.append(table)
    return _assemble(order, count, (chosen, pieces), ambient)


def _simulate(
    order: Order, draws: Draws, table: pd.DataFrame, days: Days, factor: FloatArray
) -> Plugged:
    """Return the plugged-in stays of one chunk of cars."""
    cars = Cars(
        *(
            table[name].to_numpy(np.float64)
            for name in ("capacity_kwh", "p_charge_max_kw", "eta_charge", "soc_target", "soc_min")
        )
    )
    parking = _parking(order, draws, days)
    per_km = table["kwh_per_km"].to_numpy(np.float64)
    trip_kwh = parking.km * per_km[:, None] * factor[parking.day]
    if order.daily_kwh is not None:
        trip_kwh = fixed_daily(trip_kwh, parking, days, order.daily_kwh * cars.eta_charge)
    car = np.arange(parking.day.shape[0])[:, None]
    back = 0.3 + 0.55 * draws.day[car, parking.day, 18]
    trip_kwh = np.where(parking.away, back * cars.capacity_kwh[:, None], trip_kwh)
    if order.always_plug:
        return plugged_stays(parking, trip_kwh, None, cars)
    again = np.zeros(parking.day.shape, dtype=np.int64)
    again[:, 1:] = parking.day[:, 1:] == parking.day[:, :-1]
    return plugged_stays(parking, trip_kwh, draws.day[car, parking.day, 17 + again], cars)


def _parking(order: Order, draws: Draws, days: Days) -> Parking:
    """Return the stays of one chunk of cars at their chargers."""
    daily = not order.multi_day
    if order.kind == "fleet":
        return fleet_parking(draws.day, days.weekday, draws.trait[:, 3], daily)
    share = 1.0 if order.kind == "work" else order.worker_share
    who = drivers(draws.trait, share)
    if order.kind == "work":
        return work_parking(draws.day, days.weekday, who, daily)
    tours = day_tours(draws.day, days.day_type, who, daily)
    if order.multi_day:
        tours = with_absences(tours, days.first_of_year, draws.away, days.weekday)
    return parked(tours, days.count)


def _sessions(
    plugged: Plugged, table: pd.DataFrame, numbers: range, days: Days, kind: str
) -> pd.DataFrame:
    """Return the sessions of one chunk that touch the timeline."""
    timeline = days.timeline
    begin = days.to_utc(plugged.arrive_h).to_numpy("datetime64[s]")
    end = days.to_utc(plugged.leave_h).to_numpy("datetime64[s]")
    inside = (end > timeline.start) & (begin < timeline.end) & (end > begin)
    car = plugged.car[inside]
    begin, end = begin[inside], end[inside]
    soc, trip = plugged.soc_arrival[inside], plugged.trip_kwh[inside]
    first = np.ones(car.size, dtype=bool)
    first[1:] = car[1:] != car[:-1]
    column = {
        name: table[name].to_numpy(np.float64)[car]
        for name in ("p_charge_max_kw", "eta_charge", "capacity_kwh", "soc_target")
    }
    early = np.maximum((timeline.start - begin).astype(np.float64) / 3600.0, 0.0)
    gained = early * column["p_charge_max_kw"] * column["eta_charge"] / column["capacity_kwh"]
    soc = np.maximum(soc, np.minimum(soc + gained, column["soc_target"]))
    begin = np.maximum(begin, timeline.start)
    names = _names(kind, np.asarray(numbers)[car])
    stamps = np.datetime_as_string(begin, unit="m")
    index = [f"{name}_{stamp}" for name, stamp in zip(names, stamps.tolist(), strict=True)]
    return pd.DataFrame(
        {
            "vehicle_id": names,
            "charger_id": [f"charger_{name}" for name in names],
            "plug_in": begin.astype("datetime64[ns]"),
            "plug_out": end.astype("datetime64[ns]"),
            "trip_kwh": np.where(first, 0.0, trip),
            "soc_arrival": np.where(first, soc, np.nan),
            "soc_target": column["soc_target"],
        },
        index=pd.Index(index, name="session_id", dtype=object),
    )


def _names(kind: str, numbers: IntArray) -> list[str]:
    return [f"{kind}_{number:04d}" for number in numbers.tolist()]


def _assemble(
    order: Order,
    count: int,
    parts: tuple[list[pd.DataFrame], list[pd.DataFrame]],
    ambient: Ambient | None,
) -> Fleet:
    """Return the fleet record."""
    tables, pieces = parts
    names = _names(order.kind, np.arange(1, count + 1))
    if count:
        vehicles = pd.concat(tables, ignore_index=True)
        sessions = pd.concat(pieces)
    else:
        vehicles = pd.DataFrame(columns=list(VEHICLE_COLUMNS))
        sessions = _no_sessions()
    vehicles.index = pd.Index(names, name="vehicle_id", dtype=object)
    chargers = pd.DataFrame(
        [order.charger.row(order.kind)] * count,
        columns=list(CHARGER_COLUMNS),
        index=pd.Index([f"charger_{name}" for name in names], name="charger_id", dtype=object),
    )
    return Fleet(vehicles, chargers, sessions, no_rejects(), order_notes(order, vehicles, ambient))


def _no_sessions() -> pd.DataFrame:
    empty = pd.DataFrame(
        {name: pd.Series(dtype="float64") for name in SESSION_COLUMNS},
        index=pd.Index([], name="session_id", dtype=object),
    )
    text, time = ["vehicle_id", "charger_id"], ["plug_in", "plug_out"]
    return empty.astype(dict.fromkeys(text, object) | dict.fromkeys(time, "datetime64[ns]"))
