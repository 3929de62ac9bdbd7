"""A synthetic fleet: private cars at homes, municipal cars in a depot, employees' cars at work.

Car number k is the same whatever the number of cars, so a larger fleet contains the smaller one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.fleet import catalogue
from gridimpact.fleet.driving import Days, Draws, draw, fixed_daily
from gridimpact.fleet.duty import fleet_parking, work_parking
from gridimpact.fleet.findings import no_rejects
from gridimpact.fleet.plugging import (
    ALWAYS_BELOW_SOC,
    SHARE_AT_TARGET,
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
    as_vehicle,
)
from gridimpact.records import Ambient, Fleet, FloatArray, IntArray, Note
from gridimpact.timeline import Timeline

KINDS = ("home", "fleet", "work")
_CHUNK = 256
"""Cars drawn at once, so that memory stays small."""


@dataclass(frozen=True)
class _Order:
    """What a synthesis was asked for."""

    kind: str
    charger: Charger
    models: tuple[Vehicle, ...]
    weights: FloatArray
    daily_kwh: float | None
    worker_share: float
    multi_day: bool
    always_plug: bool
    soc_target: float
    seed: int


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
    _check(count, kind, daily_kwh, worker_share, plug_in, target, seed)
    models, weights = _mix(vehicles)
    always = plug_in == "always" or kind == "fleet"
    order = _Order(
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


def _check(
    count: int,
    kind: str,
    daily_kwh: float | None,
    worker_share: float,
    plug_in: str,
    soc_target: float,
    seed: int,
) -> None:
    """Refuse arguments out of range, all at once."""
    lowest = catalogue.default("soc_min")
    rules = (
        ("count", count, count >= 0 and int(count) == count, "must be a whole number, 0 or more"),
        ("kind", kind, kind in KINDS, f"must be one of {', '.join(KINDS)}"),
        (
            "daily_kwh",
            daily_kwh,
            daily_kwh is None or 0 < daily_kwh <= 500,
            "must be above 0 and at most 500 kWh",
        ),
        ("worker_share", worker_share, 0 <= worker_share <= 1, "must be 0 to 1"),
        ("plug_in", plug_in, plug_in in ("by_soc", "always"), "must be 'by_soc' or 'always'"),
        (
            "soc_target",
            soc_target,
            lowest <= soc_target <= 1,
            f"must be {lowest} to 1, not percent",
        ),
        ("seed", seed, seed >= 0, "must be 0 or more"),
    )
    problems = [
        Problem(f"synthesize_fleet, {name}", f"is {value!r}, {rule}")
        for name, value, good, rule in rules
        if not good
    ]
    raise_problems(problems, "fleet")


def _mix(
    vehicles: str | Vehicle | Sequence[str | Vehicle] | Mapping[str, float] | None,
) -> tuple[tuple[Vehicle, ...], FloatArray]:
    """Return the models and their shares."""
    if vehicles is None:
        table = catalogue.vehicle_catalogue()
        vehicles = {str(m): float(n) for m, n in table["registrations"].items() if n > 0}
    if isinstance(vehicles, (str, Vehicle)):
        vehicles = [vehicles]
    weights = np.asarray(
        list(vehicles.values()) if isinstance(vehicles, Mapping) else [1.0] * len(vehicles),
        dtype=np.float64,
    )
    models = tuple(as_vehicle(name) for name in vehicles)
    if not models or not (weights >= 0).all() or weights.sum() <= 0:
        what = f"has weights {weights.tolist()}, they must be 0 or more and not all 0"
        raise_problems([Problem("synthesize_fleet, vehicles", what, "name a model")], "fleet")
    return models, weights / weights.sum()


def _simulate(
    order: _Order, draws: Draws, table: pd.DataFrame, days: Days, factor: FloatArray
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


def _parking(order: _Order, draws: Draws, days: Days) -> Parking:
    """Return the stays of one chunk of cars at their chargers."""
    daily = not order.multi_day
    if order.kind == "fleet":
        return fleet_parking(draws.day, days.weekday, draws.trait[:, 3], daily)[0]
    share = 1.0 if order.kind == "work" else order.worker_share
    who = drivers(draws.trait, share)
    if order.kind == "work":
        return work_parking(draws.day, days.weekday, who, daily)[0]
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
    order: _Order,
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
    return Fleet(vehicles, chargers, sessions, no_rejects(), _notes(order, vehicles, ambient))


def _no_sessions() -> pd.DataFrame:
    empty = pd.DataFrame(
        {name: pd.Series(dtype="float64") for name in SESSION_COLUMNS},
        index=pd.Index([], name="session_id", dtype=object),
    )
    text, time = ["vehicle_id", "charger_id"], ["plug_in", "plug_out"]
    return empty.astype(dict.fromkeys(text, object) | dict.fromkeys(time, "datetime64[ns]"))


def _notes(order: _Order, vehicles: pd.DataFrame, ambient: Ambient | None) -> tuple[Note, ...]:
    """State what was assumed."""
    charger = order.charger
    where = f"fleet {order.kind}"
    texts = []
    if order.kind == "home":
        texts.append(
            f"Trips follow the German travel survey; {100 * order.worker_share:.0f} % of drivers commute; "
            f"{'days without trips, holidays and weekends away included' if order.multi_day else 'every car drives every day'}."
        )
    elif order.kind == "fleet":
        texts.append("Municipal cars leave about 8:00 and return about 16:00 on working days.")
    else:
        texts.append("Employees' cars stand at work about 8:00 to 17:00 on working days.")
    texts.append(
        "Every stay of half an hour or more is plugged in."
        if order.always_plug
        else f"Drivers plug in on each return at or below {ALWAYS_BELOW_SOC:.0%} state of charge, on "
        f"{SHARE_AT_TARGET:.0%} of returns at the target, linear in between."
    )
    if order.daily_kwh is not None:
        texts.append(f"Energy is fixed at {order.daily_kwh:g} kWh a day per car at the meter.")
    if ambient is None:
        texts.append("Consumption is that of 20 degC; no temperature was given.")
    if charger.bidirectional:
        texts.append(
            f"Charger {charger.name!r} and all its cars are taken to be able to feed back up to the lower "
            f"of their powers; whether they do is the strategy's choice."
        )
    single = int((vehicles["phases"] == 1).sum()) if charger.phases == 3 else 0
    if single:
        texts.append(
            f"{single} cars charge on one phase of their three-phase charger, at a third of its power at most."
        )
    texts.append(
        f"Wear costs {catalogue.default_wear_eur_per_kwh():.3f} EUR per kWh taken from the battery, "
        f"reserve {catalogue.default('soc_reserve'):.0%}, target {order.soc_target:.0%}."
    )
    return tuple(Note("assumption", where, text) for text in texts)
