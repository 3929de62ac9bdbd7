"""The synthetic fleet: sound sessions, nested cars, energy as asked, holidays, cold, clock changes."""

import time as clock

import numpy as np
import pandas as pd
import pytest

from gridimpact.errors import InputError
from gridimpact.fleet import Charger, Vehicle, synthesize_fleet
from gridimpact.fleet.plugging import plug_in_share
from gridimpact.fleet.sessions import session_findings
from gridimpact.fleet.tables import charger_findings, vehicle_findings
from gridimpact.records import Ambient
from gridimpact.timeline import Timeline

ZONE = "Europe/Berlin"
WEEKS = Timeline.days("2016-01-11", 14, zone=ZONE)


@pytest.fixture(scope="module")
def year():
    return Timeline.year(2016, zone=ZONE)


@pytest.fixture(scope="module")
def home(year):
    return synthesize_fleet(60, year, seed=3)


def findings(fleet):
    return [
        *session_findings(fleet.sessions, fleet.vehicles, fleet.chargers),
        *vehicle_findings(fleet.vehicles),
        *charger_findings(fleet.chargers),
    ]


@pytest.mark.parametrize("kind", ["home", "fleet", "work"])
@pytest.mark.parametrize("plug_in", ["by_soc", "always"])
def test_tables_pass_every_check(kind, plug_in, year):
    fleet = synthesize_fleet(12, year, kind=kind, plug_in=plug_in, seed=9)
    assert findings(fleet) == []
    assert len(fleet.rejected) == 0
    assert (fleet.sessions["plug_in"] >= pd.Timestamp(year.start)).all()
    assert (fleet.sessions["plug_in"] < pd.Timestamp(year.end)).all()


def test_177_cars_over_a_year_take_less_than_five_seconds(year):
    begin = clock.process_time()
    fleet = synthesize_fleet(177, year, seed=1)
    assert clock.process_time() - begin < 5.0
    assert fleet.sessions["vehicle_id"].nunique() == 177


def test_larger_fleet_contains_the_smaller_one():
    small, large = (synthesize_fleet(n, WEEKS, seed=4) for n in (20, 30))
    pd.testing.assert_frame_equal(small.vehicles, large.vehicles.iloc[:20])
    own = large.sessions["vehicle_id"].isin(small.vehicles.index)
    pd.testing.assert_frame_equal(small.sessions, large.sessions[own])


def test_car_has_the_same_days_in_a_year_as_in_a_week_of_it(home):
    week = synthesize_fleet(60, Timeline.days("2016-05-09", 7, zone=ZONE), plug_in="always", seed=3)
    whole = synthesize_fleet(60, Timeline.year(2016, zone=ZONE), plug_in="always", seed=3)
    later = week.sessions["soc_arrival"].isna().to_numpy()
    names = week.sessions.index[later]
    pd.testing.assert_frame_equal(week.sessions.loc[names], whole.sessions.loc[names])
    assert len(names) > 100


def test_same_seed_same_fleet_other_seed_other_fleet():
    a, b, c = (synthesize_fleet(5, WEEKS, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(a.sessions, b.sessions)
    assert not a.sessions.index.equals(c.sessions.index)


def test_each_first_session_states_its_soc_and_books_no_trip(home):
    first = ~home.sessions["vehicle_id"].duplicated()
    assert home.sessions.loc[first, "soc_arrival"].between(0.05, 0.9).all()
    assert (home.sessions.loc[first, "trip_kwh"] == 0).all()
    assert home.sessions.loc[~first, "soc_arrival"].isna().all()


def test_cars_stay_for_days_and_are_away_on_holidays(home):
    hours = (home.sessions["plug_out"] - home.sessions["plug_in"]).dt.total_seconds() / 3600
    assert (hours > 24).mean() > 0.1
    car = home.sessions["vehicle_id"]
    gap = home.sessions["plug_in"] - home.sessions["plug_out"].shift()
    away = gap[car == car.shift()].dt.days
    assert (away >= 6).sum() >= 30
    daily = synthesize_fleet(60, Timeline.year(2016, zone=ZONE), multi_day=False, plug_in="always")
    stay = (daily.sessions["plug_out"] - daily.sessions["plug_in"]).dt.total_seconds() / 3600
    assert stay.max() < 48


def test_not_everyone_plugs_in_every_day(home):
    per_day = len(home.sessions) / 60 / 366
    always = synthesize_fleet(60, Timeline.year(2016, zone=ZONE), plug_in="always", seed=3)
    assert per_day < 0.85 * len(always.sessions) / 60 / 366
    assert home.sessions["trip_kwh"].sum() == pytest.approx(
        always.sessions["trip_kwh"].sum(), rel=0.02
    )


def test_the_fuller_the_battery_the_rarer_a_driver_plugs_in():
    share = plug_in_share(np.linspace(0, 1, 50), np.full(50, 0.9))
    assert share[0] == 1
    assert (np.diff(share) <= 0).all()
    assert share[-1] == 0.5


@pytest.mark.parametrize("daily_kwh", [5.0, 15.0])
def test_fixed_energy_is_met_by_each_car_on_working_days_and_weekends(daily_kwh):
    time = Timeline.days("2016-01-11", 56, zone=ZONE)
    fleet = synthesize_fleet(
        40, time, daily_kwh=daily_kwh, multi_day=False, plug_in="always", seed=2
    )
    sessions = fleet.sessions.assign(
        eta=fleet.sessions["vehicle_id"].map(fleet.vehicles["eta_charge"])
    )
    later = sessions[sessions["soc_arrival"].isna()]
    meter = later["trip_kwh"] / later["eta"]
    per_car = meter.groupby(later["vehicle_id"]).sum() / 56
    assert per_car.mean() == pytest.approx(daily_kwh, rel=0.03)
    assert (per_car - daily_kwh).abs().max() < 0.12 * daily_kwh
    local = later["plug_in"].dt.tz_localize("UTC").dt.tz_convert(ZONE)
    weekend = (local.dt.dayofweek >= 5).to_numpy()
    assert meter[weekend].sum() / 40 / 16 == pytest.approx(daily_kwh, rel=0.08)


def test_consumption_rises_with_the_cold_given():
    cold = Ambient("cold", np.full(WEEKS.count, -10.0))
    mild, winter = (
        synthesize_fleet(30, WEEKS, ambient=a, plug_in="always", multi_day=False, seed=1)
        for a in (None, cold)
    )
    ratio = winter.sessions["trip_kwh"].sum() / mild.sessions["trip_kwh"].sum()
    assert ratio == pytest.approx(1.40, abs=1e-9)
    assert any("20 degC" in note.text for note in mild.notes)
    assert not any("20 degC" in note.text for note in winter.notes)


def test_temperature_with_gaps_is_refused():
    with pytest.raises(InputError, match="gaps"):
        synthesize_fleet(1, WEEKS, ambient=Ambient("x", np.full(WEEKS.count, np.nan)))


def test_municipal_cars_are_away_at_noon_and_home_at_night():
    fleet = synthesize_fleet(40, WEEKS, kind="fleet", seed=1)
    noon = plugged_share(fleet, "2016-01-13 12:00")
    night = plugged_share(fleet, "2016-01-14 02:00")
    assert noon < 0.35
    assert night == 1.0
    assert plugged_share(fleet, "2016-01-17 12:00") > 0.85


def test_employees_cars_stand_at_work_in_the_daytime_only():
    fleet = synthesize_fleet(40, WEEKS, kind="work", plug_in="always", seed=1)
    assert plugged_share(fleet, "2016-01-13 12:00") > 0.7
    assert plugged_share(fleet, "2016-01-14 02:00") == 0.0
    assert plugged_share(fleet, "2016-01-17 12:00") == 0.0
    assert set(fleet.chargers["kind"]) == {"work"}


def plugged_share(fleet, local):
    moment = pd.Timestamp(local, tz=ZONE).tz_convert("UTC").tz_localize(None)
    inside = (fleet.sessions["plug_in"] <= moment) & (fleet.sessions["plug_out"] > moment)
    return inside.sum() / len(fleet.vehicles)


def test_departures_keep_local_clock_over_the_change_to_summer_time():
    # Clocks change on 27 March 2016.
    time = Timeline.days("2016-03-14", 28, zone=ZONE)
    fleet = synthesize_fleet(60, time, kind="fleet", multi_day=False, seed=1)
    leave = fleet.sessions["plug_out"]
    hour = leave.dt.hour + leave.dt.minute / 60
    before = hour[(leave < "2016-03-26") & (leave.dt.dayofweek < 5)].median()
    after = hour[
        (leave > "2016-03-28") & (leave < "2016-04-09") & (leave.dt.dayofweek < 5)
    ].median()
    assert before - after == pytest.approx(1.0, abs=0.15)


def test_single_phase_cars_at_three_phase_chargers_are_told():
    fleet = synthesize_fleet(4, WEEKS, vehicles="Peugeot 208")
    assert fleet.vehicles["p_charge_max_kw"].to_numpy() == pytest.approx(3.68)
    assert any("4 cars charge on one phase" in note.text for note in fleet.notes)


def test_mix_of_models_follows_the_weights():
    fleet = synthesize_fleet(
        400, Timeline.days("2016-01-11", 1), vehicles={"Kia Niro": 3, "Renault Zoe": 1}
    )
    share = (fleet.vehicles["model"] == "Kia Niro").mean()
    assert share == pytest.approx(0.75, abs=0.07)
    even = synthesize_fleet(50, WEEKS, vehicles=["Kia Niro", Vehicle("mine", 40.0)])
    assert set(even.vehicles["model"]) == {"Kia Niro", "mine"}
    own = synthesize_fleet(2, WEEKS, charger=Charger("wall box", 4.6, phases=1))
    assert own.chargers["p_max_kw"].tolist() == [4.6, 4.6]
    assert own.chargers["phases"].tolist() == ["a", "a"]


def test_no_cars_make_an_empty_fleet_of_the_right_columns(home):
    empty = synthesize_fleet(0, WEEKS)
    assert len(empty.sessions) == len(empty.vehicles) == len(empty.chargers) == 0
    for name in ("vehicles", "chargers", "sessions"):
        assert list(getattr(empty, name).columns) == list(getattr(home, name).columns)
    assert empty.sessions["plug_in"].dtype == home.sessions["plug_in"].dtype


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"count": -1}, "count"),
        ({"kind": "taxi"}, "home, fleet, work"),
        ({"daily_kwh": 0.0}, "daily_kwh"),
        ({"worker_share": 60.0}, "worker_share"),
        ({"plug_in": "never"}, "plug_in"),
        ({"soc_target": 90.0}, "percent"),
        ({"seed": -1}, "seed"),
        ({"charger": "ac_12kw"}, "ac_11kw"),
        ({"vehicles": "Tesla Modell 3"}, "Tesla Model 3"),
        ({"vehicles": {"Kia Niro": -1.0}}, "weights"),
        ({"vehicles": []}, "weights"),
    ],
)
def test_wrong_argument_is_refused_with_its_range(arguments, words):
    with pytest.raises(InputError, match=words):
        synthesize_fleet(**{"count": 1, "timeline": WEEKS, **arguments})
