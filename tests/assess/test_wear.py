"""What strategies cost the batteries, told as a range over tested cells."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.assess import assess
from gridimpact.assess.wear import wear_of_dispatch
from gridimpact.battery import wear_of
from gridimpact.dispatch import g2v, v2g
from gridimpact.dispatch.uncontrolled import Uncontrolled
from tests.assess.case import context, segment
from tests.dispatch.requests import Car, Group, Place, Prices, Stay, plan_request

DAYS = 14


@pytest.fixture(scope="module")
def fleet():
    """Two weeks of eight cars that come home at six, drive 10 kWh a day and may feed back."""
    cars = [
        Car(f"car {k}", soc=0.9, capacity_kwh=60.0, eta_charge=0.9, eta_discharge=0.9, soc_max=0.9)
        for k in range(8)
    ]
    stays = [
        Stay(k, 24 * d + 18, min(24 * d + 31, 24 * DAYS), target=0.9, trip_kwh=10.0, reserve=0.3,
             p_discharge_kw=10.0)
        for k in range(8)
        for d in range(DAYS)
    ]  # fmt: skip
    hour = np.arange(24 * DAYS) % 24
    load = 1.0 + 3.0 * ((hour >= 17) & (hour < 22))
    return plan_request(
        cars,
        stays,
        steps=24 * DAYS,
        places=[Place(load_kw=load) for _ in cars],
        groups=[Group(8 * load, 100.0, 100.0)],
        tariffs=[
            Prices(np.where((hour >= 17) & (hour < 22), 0.6, 0.2), np.where(hour < 22, 0.5, 0.1))
        ],
    )


def wear_by(strategy, request):
    return wear_of_dispatch(request, strategy.plan(request), 15.0)


def test_controlled_charging_adds_no_cycles_over_uncontrolled(fleet):
    base = wear_by(Uncontrolled(), fleet)
    for strategy in (g2v.ValleyFilling(), g2v.PriceCharging(), g2v.TransformerLimit()):
        found = strategy.plan(fleet)
        soon = Uncontrolled().plan(fleet)
        # Equal energy: only then is the number of cycles comparable.
        np.testing.assert_allclose(found.soc[-1], soon.soc[-1], atol=1e-9)
        worn = wear_of_dispatch(fleet, found, 15.0)
        np.testing.assert_allclose(worn.full_cycles, base.full_cycles, rtol=1e-9)


def test_late_charging_ages_least_and_feeding_back_most(fleet):
    smart, soon = wear_by(g2v.PriceCharging(), fleet), wear_by(Uncontrolled(), fleet)
    feeds = wear_by(v2g.Arbitrage(enrolled=1.0), fleet)
    loss = [worn.loss(10.0).mean() for worn in (smart, soon, feeds)]
    assert loss[0] < loss[1]
    assert feeds.full_cycles.min() > 1.5 * soon.full_cycles.max()
    # A published lab comparison finds 1.7 to 5.8 points in ten years of feeding over smart charging.
    extra = 100.0 * (loss[2] - loss[0])
    assert 0.5 < extra < 8.0


def solved(power, soc, days=2, **more):
    from tests.assess.case import dispatch, request, timeline

    time = timeline(96 * days)
    asked = request(time, [(0, 0, 0, 96 * days, 0.8), (1, 1, 20, 60, 0.8)])
    planned = dispatch(asked, power)
    object.__setattr__(planned, "soc", soc)
    return segment(96 * days, with_cars=(asked, planned), **more)


def test_figures_are_means_over_cars_of_the_extreme_cells():
    soc = np.stack([0.5 + 0.4 * np.sin(np.arange(192) / 96 * 2 * np.pi), np.full(192, 0.5)], axis=1)
    result = assess(context(), solved(np.zeros((192, 2)), soc), "x")
    # Changes without power are trips, booked at the begin of a step.
    worn = wear_of(soc, 0.25, 20.0, soc_begin=soc)
    loss = worn.loss_per_year().mean(axis=1) * 2 / 365.25 * 100
    assert result.summary["battery_loss_low_percent"] == pytest.approx(loss.min())
    assert result.summary["battery_loss_high_percent"] == pytest.approx(loss.max())
    cost = loss / 20.0 * 120.0 * 50.0
    assert result.summary["battery_cost_high_eur"] == pytest.approx(cost.max())
    assert result.summary["battery_years_low"] is None
    cars = result.tables["vehicles"].set_index("vehicle_id")
    assert cars["battery_full_cycles"].tolist() == pytest.approx([1.6, 0.0], abs=0.02)
    assert np.all(cars["battery_loss_low_percent"] < cars["battery_loss_high_percent"])
    assert cars["battery_years_low"].isna().all()
    texts = " ".join(note.text for note in result.notes)
    assert "range over tested cells" in texts
    assert "20 degC, as none is given" in texts


def test_warm_up_and_air_temperature_count():
    soc = np.full((192, 2), 0.7)
    air = np.linspace(0.0, 30.0, 192)
    late = np.arange(192) >= 96
    given = solved(np.zeros((192, 2)), soc, counted=late)
    object.__setattr__(given, "temp_air_c", air)
    result = assess(context(), given, "x")
    worn = wear_of(soc[96:], 0.25, air[96:])
    told = 100.0 * worn.loss_per_year().mean(axis=1) / 365.25
    assert result.summary["battery_loss_high_percent"] == pytest.approx(told.max())
    assert any("is the air's" in note.text for note in result.notes)


def test_years_are_told_only_of_a_year():
    from tests.assess.case import dispatch, request, timeline

    hours = 364 * 24
    time = timeline(hours, step="1h")
    asked = request(time, [(0, 0, 0, hours, 0.8), (1, 1, 20, 60, 0.8)])
    soc = np.stack(
        [0.6 + 0.3 * np.sin(np.arange(hours) / 24 * 2 * np.pi), np.full(hours, 0.6)], axis=1
    )
    planned = dispatch(asked, np.zeros((hours, 2)))
    object.__setattr__(planned, "soc", soc)
    result = assess(context(), segment(hours, step="1h", with_cars=(asked, planned)), "x")
    years = wear_of(soc, 1.0, 20.0, soc_begin=soc).years_to()
    assert result.summary["battery_years_low"] == pytest.approx(years.mean(axis=1).min())
    assert result.summary["battery_years_high"] == pytest.approx(years.mean(axis=1).max())
    cars = result.tables["vehicles"]
    assert cars["battery_years_low"].tolist() == pytest.approx(years.min(axis=0).tolist())
    # The car that is cycled every day lives no longer than the one that stands.
    assert cars["battery_years_low"][0] < cars["battery_years_low"][1]
