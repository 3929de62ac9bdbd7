"""A month of the Caltech site as a plan request: every logged session with the power its charger gave."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from gridimpact.fleet import read_sessions
from gridimpact.paths import data_folder
from gridimpact.records import Batteries, PlanRequest, Stays, Tariff
from gridimpact.timeline import Timeline

ZONE = "America/Los_Angeles"


def caltech_month(
    limit_kw: float = np.inf,
    *,
    first: str = "2019-10-01",
    last: str = "2019-11-01",
    step: str = "5min",
    apart: bool = False,
) -> PlanRequest:
    """Return the request of the sessions that begin in a period, one site and one group under a limit.

    The log names no drivers: each station is one vehicle whose stays stand alone, or with `apart` each
    session is a vehicle of its own.
    """
    source = next((data_folder("profiles") / "sessions_acn_caltech").glob("*.csv.gz"))
    fleet = read_sessions(source, zone=None)
    time = Timeline.between(first, last, step=step, zone=ZONE)
    table = fleet.sessions
    inside = (table["plug_in"].to_numpy() >= time.start) & (table["plug_in"].to_numpy() < time.end)
    table = table[inside]
    names = sorted(table["vehicle_id"].unique())
    cars = fleet.vehicles.loc[names]
    vehicle = np.array([names.index(v) for v in table["vehicle_id"]], dtype=np.int64)
    start, end = (
        time.step_of(table["plug_in"].to_numpy()),
        time.step_of(table["plug_out"].to_numpy()),
    )
    order = np.lexsort((start, vehicle))
    table, vehicle, start, end = table.iloc[order], vehicle[order], start[order], end[order]
    end = np.minimum(end, time.count)
    follows = np.concatenate([[False], vehicle[1:] == vehicle[:-1]])
    # Rounded to steps, a session may seem to begin before the last one at its station has ended.
    start = np.where(follows, np.maximum(start, np.roll(end, 1)), start)
    cars = cars.iloc[vehicle]
    if apart:
        names = [f"{number:04d}" for number in range(len(table))]
        vehicle = np.arange(len(table))
    else:
        cars = cars.loc[~cars.index.duplicated()]
    chargers = [str(c) for c in fleet.chargers.index]
    charger = fleet.chargers.index.get_indexer(table["charger_id"]).astype(np.int64)
    power = np.minimum(
        fleet.chargers["p_max_kw"].to_numpy(float)[charger],
        cars["p_charge_max_kw"].to_numpy(float)[vehicle],
    )
    none = np.zeros(len(table))
    known = {"wear_per_kwh": "wear_eur_per_kwh"}
    columns = {
        item.name: cars[column].to_numpy(float)
        for item in fields(Batteries)
        if (column := known.get(item.name, item.name)) in cars
    }
    stays = Stays(
        session_id=tuple(str(s) for s in table.index),
        vehicle=vehicle,
        charger=charger,
        site=np.zeros(len(table), dtype=np.int64),
        start=np.asarray(start),
        end=np.asarray(end),
        trip_kwh=none,
        soc_arrival=table["soc_arrival"].to_numpy(float),
        soc_target=table["soc_target"].to_numpy(float),
        soc_reserve=none,
        p_charge_kw=power,
        p_discharge_kw=none,
        cut=np.zeros(len(table), dtype=bool),
    )
    shape = (time.count, 1)
    return PlanRequest(
        timeline=time,
        vehicle_id=tuple(str(name) for name in names),
        batteries=Batteries(**columns),
        soc_initial=cars["soc_target"].to_numpy(float),
        stays=stays,
        charger_id=tuple(chargers),
        charger_site=np.zeros(len(chargers), dtype=np.int64),
        site_id=("garage",),
        site_kind=("public",),
        site_load_kw=np.zeros(shape),
        site_pv_kw=np.zeros(shape),
        site_import_limit_kw=np.array([np.inf]),
        site_export_limit_kw=np.array([np.inf]),
        tariffs=(Tariff("flat", np.full(time.count, 0.2), np.zeros(time.count)),),
        site_tariff=np.zeros(1, dtype=np.int64),
        group_id=("garage",),
        group_member=np.ones((1, len(chargers)), dtype=bool),
        background_kw=np.zeros(shape),
        import_limit_kw=np.full(shape, limit_kw),
        export_limit_kw=np.full(shape, np.inf),
    )
