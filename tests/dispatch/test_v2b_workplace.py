"""Whose cars are there when a building peaks: municipal cars are out, employees leave early, both real and drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridimpact.dispatch import v2b
from gridimpact.dispatch.services import Island, backup
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.fleet import synthesize_fleet
from gridimpact.profiles.shapes import year_shape
from gridimpact.records import PlanRequest
from gridimpact.timeline import Timeline
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request
from tests.dispatch.test_v2b import CHARGE, draw

MIDWEST_H = 5
"""The clock of the US sessions is taken as UTC: plug-ins at 11-12 and 16-17 h are mornings and noons there."""


def of_sessions(table: pd.DataFrame, load_kw: np.ndarray, time: Timeline) -> PlanRequest:
    """Return a building with cars of 24 kWh at 6 kW both ways; columns car, start, end (steps) and kwh."""
    names = sorted(set(table["car"]))
    fleet = [Car(name, 0.9, 24.0, 0.9, 0.9) for name in names]
    stays, free = [], dict.fromkeys(names, 0)
    for row in table.sort_values(["car", "start"]).itertuples():
        start, end = max(int(row.start), free[row.car]), min(int(row.end), time.count)
        if end <= start:
            continue
        free[row.car] = end
        arrival = max(0.9 - 0.9 * float(row.kwh) / 24.0, 0.1)
        car = names.index(row.car)
        stays.append(
            Stay(
                car,
                start,
                end,
                charger=car,
                target=0.9,
                soc_arrival=arrival,
                reserve=0.3,
                p_kw=6.0,
                p_discharge_kw=6.0,
            )
        )
    return plan_request(
        fleet,
        stays,
        steps=time.count,
        step_s=time.step_s,
        places=[Place("building", load_kw, chargers=len(names))],
        tariffs=[Prices(0.1, 0.0, CHARGE)],
        start=str(time.start),
    )


def present(request: PlanRequest) -> np.ndarray:
    """Return how many cars are plugged in, (time,)."""
    count = np.zeros(request.timeline.count)
    for start, end in zip(request.stays.start, request.stays.end, strict=True):
        count[start:end] += 1
    return count


def drawn(kind: str, count: int = 12) -> PlanRequest:
    """Return an office of 200 kW in a working week with drawn cars of a kind."""
    time = Timeline.days("2016-01-11", 5, zone="Europe/Berlin")
    fleet = synthesize_fleet(
        count, time, kind=kind, charger="v2h_6kw", multi_day=False, plug_in="always", seed=3
    )
    year = year_shape("bdew_g25", 2016, "Europe/Berlin")
    first = int((time.start - year.start) / np.timedelta64(900, "s"))
    load = year.share[first : first + time.count]
    sessions = fleet.sessions
    table = pd.DataFrame(
        {
            "car": sessions["vehicle_id"],
            "start": np.maximum(time.step_of(sessions["plug_in"].to_numpy()), 0),
            "end": time.step_of(sessions["plug_out"].to_numpy()),
            "kwh": sessions["trip_kwh"],
        }
    )
    return of_sessions(table, 200.0 * load / load.max(), time)


def cut(request: PlanRequest) -> float:
    """Return how far perfect foresight brings the highest draw below uncontrolled charging [kW]."""
    found = v2b.DemandCharge().plan(request)
    return float(draw(request, uncontrolled_dispatch(request)).max() - draw(request, found).max())


def test_municipal_cars_are_out_when_the_building_peaks_and_employees_cars_are_in():
    fleet, staff = drawn("fleet"), drawn("work")
    noon = int(np.argmax(fleet.site_load_kw[:, 0]))
    assert present(fleet)[noon] == 0
    assert present(staff)[noon] == 12
    assert draw(fleet, v2b.DemandCharge().plan(fleet)).max() == pytest.approx(200.0, abs=1e-6)
    assert draw(staff, v2b.DemandCharge().plan(staff)).max() < 190.0
    assert draw(staff, uncontrolled_dispatch(staff)).max() > 220.0
    # The same holds in an outage: at noon the municipal cars carry nothing.
    critical = Island(critical_share=0.2)
    out = backup(fleet, uncontrolled_dispatch(fleet), critical).served_kwh[noon, 0]
    there = backup(staff, uncontrolled_dispatch(staff), critical).served_kwh[noon, 0]
    assert there > 100.0
    assert out == 0.0


@pytest.fixture(scope="module")
def campus(reference: Path) -> PlanRequest:
    """Return the US Midwest workplace sessions of two weeks behind the simulated office of Los Angeles."""
    folder = reference / "data" / "reference"
    table = pd.read_csv(
        folder / "sessions_workplace_us" / "sessions.csv.gz", parse_dates=["plugin", "plugout"]
    )
    time = Timeline(np.datetime64("2015-09-07"), 900, 96 * 12)
    shift = pd.Timedelta(hours=MIDWEST_H)
    rows = pd.DataFrame(
        {
            "car": table["user_id"].astype(str),
            "start": time.step_of((table["plugin"] - shift).to_numpy()),
            "end": time.step_of((table["plugout"] - shift).to_numpy()),
            "kwh": table["energy_kwh"],
        }
    )
    rows = rows[(rows["start"] >= 0) & (rows["end"] <= time.count) & (rows["kwh"] > 0)]
    office = pd.read_csv(folder / "building_doe_mediumoffice_la" / "medium_office_kw.csv")
    hours = office["electricity_kw"].to_numpy()
    # The simulated year begins on a Sunday; 7 September 2015 is a Monday.
    monday = 24 * (36 * 7 + 1)
    return of_sessions(rows, np.repeat(hours[monday : monday + 24 * 12], 4), time)


@pytest.mark.reference
def test_real_employees_leave_before_the_office_is_through_its_peak(campus: PlanRequest):
    load, count = campus.site_load_kw[:, 0], present(campus)
    peak = int(np.argmax(load))
    day = slice(96 * (peak // 96), 96 * (peak // 96) + 96)
    assert count[peak] < count[day].max()
    # No cut is deeper than the cars of the moment can feed.
    found = v2b.DemandCharge().plan(campus)
    assert np.all(draw(campus, found) >= load - 6.0 * count - 1e-6)
    assert 0.0 < cut(campus) < 6.0 * count.max()


@pytest.mark.reference
def test_taking_employees_for_cars_that_stay_all_day_promises_too_much(campus: PlanRequest):
    load, time = campus.site_load_kw[:, 0], campus.timeline
    cars = int(present(campus).max())
    rows = pd.DataFrame(
        [
            {"car": f"car {k}", "start": 96 * d + 32, "end": 96 * d + 76, "kwh": 6.0}
            for k in range(cars)
            for d in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)
        ]
    )
    assert cut(of_sessions(rows, load, time)) > 1.3 * cut(campus)


@pytest.mark.reference
def test_last_weeks_load_as_a_forecast_loses_part_of_the_real_cut(campus: PlanRequest):
    load = campus.site_load_kw
    week = 96 * 7
    before = np.concatenate([load[:week], load[: load.shape[0] - week]])
    regret = v2b.forecast_regret(campus, v2b.DemandCharge(), before)
    value = {figure.name: figure.value for figure in regret}
    assert value["regret"] > 10.0
    assert 0.05 < value["peak_cut_lost_share"] < 1.0
    # A cap with some room, kept without any forecast, does better than the plan that trusts last week.
    capped = draw(campus, v2b.PeakCap(205.0).plan(campus)).max()
    assert value["peak_perfect_kw"] < capped < value["peak_forecast_kw"]
