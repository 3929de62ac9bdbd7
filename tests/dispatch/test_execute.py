"""What batteries and chargers make of a request."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.battery import (
    mean_charge_limit_kw,
    mean_discharge_limit_kw,
    meter_kw,
    net_kw,
    soc_after,
    soc_needed_before,
)
from gridimpact.dispatch import execute
from gridimpact.dispatch.execute import (
    full_power_eta,
    power_by_charger,
    power_by_group,
    power_by_site,
)
from gridimpact.dispatch.kernels import (
    BatteryArrays,
    battery_step,
    charge_gain,
    charge_limit,
    discharge_limit,
    needed_before,
)
from gridimpact.dispatch.linear_program_windows import highest_power_eta
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request

ALL = np.array([True])


def run(request, power, **options):
    asked = np.broadcast_to(
        np.asarray(power, float).reshape(-1, 1), (request.timeline.count, len(request.vehicle_id))
    )
    options = {"strategy": "test", "controlled": np.ones(asked.shape[1], dtype=bool)} | options
    return execute(request, asked, **options)


@pytest.mark.parametrize(("knee", "fraction"), [(0.8, 0.0), (0.6, 0.3), (1.0, 0.0), (0.5, 1.0)])
def test_compiled_steps_are_twins_of_the_array_functions(knee, fraction):
    soc = np.linspace(0.0, 0.99, 34)
    for dt_h in (0.25, 3.0):
        for twin in (charge_gain, charge_gain.py_func):
            gain = np.array([twin(s, dt_h, 0.9 * 11 / 40, knee, fraction, 1.0) for s in soc])
            mean = mean_charge_limit_kw(soc, dt_h, 11, 40, 0.9, knee, fraction, 1.0)
            np.testing.assert_allclose(gain * 40 / (0.9 * dt_h), mean, rtol=1e-12)
        for twin in (needed_before, needed_before.py_func):
            need = np.array([twin(s, dt_h, 0.9 * 11 / 40, knee, fraction) for s in soc])
            want = soc_needed_before(soc, dt_h, 11, 40, 0.9, knee, fraction)
            np.testing.assert_allclose(need, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("knee", "fraction"), [(0.0, 1.0), (0.4, 0.0), (0.7, 0.3)])
def test_compiled_limits_with_a_constant_loss_are_twins_of_the_array_functions(knee, fraction):
    values = (40.0, 0.9, 0.85, 0.0, 1.0, 0.8, 0.1, knee, fraction, 0.3)
    held = BatteryArrays(*(np.array([value]) for value in values))
    soc = np.linspace(0.0, 0.99, 34)
    for dt_h in (0.25, 3.0):
        draw = [charge_limit(s, dt_h, 11.0, 0.95, 0, held) for s in soc]
        mean = mean_charge_limit_kw(soc, dt_h, net_kw(11.0, 0.3), 40.0, 0.9, 0.8, 0.1, 0.95)
        np.testing.assert_allclose(draw, meter_kw(mean, 0.3), rtol=1e-12)
        feed = np.array([discharge_limit(s, dt_h, 7.0, 0.1, 0, held) for s in soc])
        mean = mean_discharge_limit_kw(soc, dt_h, 7.0 + 0.3, 40.0, 0.85, 0.1, knee, fraction)
        np.testing.assert_allclose(-feed, meter_kw(-mean, 0.3), rtol=1e-12, atol=1e-12)
    for power in (5.0, 0.2, 0.0, -4.0):
        after = battery_step(0.5, power, 0.25, 0, held)
        assert after == pytest.approx(
            float(soc_after(0.5, net_kw(power, 0.3), 0.25, 40.0, 0.9, 0.85)), rel=1e-14
        )


def test_a_constant_loss_makes_slow_charging_less_efficient():
    car = Car(soc=0.2, eta_charge=0.9, idle_kw=0.3)
    request = plan_request([car], [Stay(0, 0, 10, target=0.2)], steps=10)
    fast, slow = run(request, np.r_[10.0, np.zeros(9)]), run(request, 1.0)
    assert fast.p_kw.sum() == pytest.approx(slow.p_kw.sum())
    assert (fast.soc[-1, 0] - 0.2) * 50 == pytest.approx(0.9 * 9.7)
    assert (slow.soc[-1, 0] - 0.2) * 50 == pytest.approx(0.9 * 7.0)


def test_planners_count_on_the_efficiency_at_full_power():
    cars = [Car("a", eta_charge=0.9, eta_discharge=0.8, idle_kw=0.5), Car("b", eta_charge=0.95)]
    stays = [
        Stay(0, 0, 4, p_kw=5.0, p_discharge_kw=4.0),
        Stay(0, 6, 9, p_kw=10.0),
        Stay(1, 0, 4, p_kw=0.0),
    ]
    request = plan_request(cars, stays)
    assert full_power_eta(request) == pytest.approx([0.9 * 0.9, 0.9 * 0.95, 0.95])
    charge, discharge = highest_power_eta(request)
    assert charge == pytest.approx([0.9 * 0.95, 0.95])
    assert discharge == pytest.approx([0.8 * 4.0 / 4.5, 1.0])


def test_a_request_up_to_the_constant_loss_does_nothing():
    request = plan_request([Car(soc=0.2, idle_kw=0.3)], [Stay(0, 0, 4, target=0.2)], steps=4)
    found = run(request, 0.3)
    assert not found.p_kw.any()
    assert np.all(found.soc == 0.2)


def test_feeding_takes_the_constant_loss_from_the_battery_too():
    stay = Stay(0, 0, 1, target=0.0, p_discharge_kw=5.0)
    request = plan_request([Car(soc=0.5, eta_discharge=0.8, idle_kw=0.4)], [stay], steps=1)
    assert (0.5 - run(request, -4.0).soc[0, 0]) * 50 == pytest.approx((4.0 + 0.4) / 0.8)


def test_discharging_power_falls_near_empty_and_ends_at_the_floor():
    stay = Stay(0, 0, 60, target=0.0, p_discharge_kw=5.0)
    car = Car(soc=0.6, soc_knee_discharge=0.4, taper_fraction_discharge=0.0)
    found = run(plan_request([car], [stay], steps=60), -5.0)
    fed = -found.p_kw[:, 0]
    assert fed[:2].tolist() == [5.0, 5.0]
    assert np.all(np.diff(fed[2:]) < 0.0)
    # Below the knee the battery empties exponentially: 5 kW over 0.4 of 50 kWh is a quarter per hour.
    assert found.soc[2:, 0] == pytest.approx(0.4 * np.exp(-0.25 * np.arange(1, 59)), rel=1e-9)


def test_the_guard_counts_the_constant_loss_in_the_latest_start():
    request = plan_request([Car(soc=0.2, idle_kw=2.0)], [Stay(0, 2, 10, target=0.7)], steps=12)
    found = run(request, 0.0)
    # 25 kWh at 8 kW net are three full hours and 1 kWh more, for which the loss is paid once more.
    assert found.p_kw[2:10, 0] == pytest.approx([0, 0, 0, 0, 3, 10, 10, 10])
    assert found.unmet_kwh[0] == 0.0


def test_a_request_is_clipped_to_the_charger_and_ignored_outside_the_stay():
    request = plan_request([Car(soc=0.1)], [Stay(0, 2, 5, target=0.2, p_kw=7.0)], steps=8)
    found = run(request, 50.0)
    assert found.p_kw[:, 0].tolist() == [0, 0, 7, 7, 7, 0, 0, 0]
    assert found.p_requested_kw[0, 0] == 50.0
    assert found.soc[-1, 0] == pytest.approx(0.1 + 21 / 50)


def test_charging_goes_to_the_battery_maximum_when_asked_and_to_the_target_when_told():
    request = plan_request([Car(soc=0.5, soc_max=0.9)], [Stay(0, 0, 6, target=0.6)], steps=6)
    assert run(request, 10.0).soc[-1, 0] == pytest.approx(0.9)
    assert run(request, 10.0, ceiling="target").soc[-1, 0] == pytest.approx(0.6)


def test_the_guard_starts_as_late_as_the_target_allows():
    request = plan_request([Car(soc=0.2)], [Stay(0, 2, 10, target=0.7)], steps=12)
    found = run(request, 0.0)
    # 25 kWh at 10 kW are two and a half hours: half a step, then two full ones.
    assert found.p_kw[2:10, 0] == pytest.approx([0, 0, 0, 0, 0, 5, 10, 10])
    assert found.unmet_kwh[0] == 0.0


def test_the_guard_knows_that_power_falls_near_full():
    car = Car(soc=0.2, soc_knee=0.5, taper_fraction=0.0)
    request = plan_request([car], [Stay(0, 0, 24, target=0.95)], steps=24)
    found = run(request, 0.0)
    assert found.soc[-1, 0] == pytest.approx(0.95, abs=1e-9)
    # Without taper the last 3.75 h would do; the tail above half charge needs 5.8 h more.
    assert np.flatnonzero(found.p_kw[:, 0] > 1e-9)[0] < 18


def test_without_guard_the_lack_is_the_plans_fault():
    request = plan_request([Car(soc=0.2)], [Stay(0, 2, 10, target=0.7)], steps=12)
    found = run(request, 0.0, guard=False)
    assert found.unmet_kwh[0] == pytest.approx(25.0)
    assert found.unmet_cause == ("too_little_power",)
    assert run(request, 0.0, guard=False, shortfall="limit").unmet_cause == ("limit",)


def test_a_stay_too_short_charges_at_full_power_at_once():
    request = plan_request([Car(soc=0.2)], [Stay(0, 2, 4, target=0.9)], steps=6)
    found = run(request, 0.0)
    assert found.p_kw[2:4, 0].tolist() == [10.0, 10.0]
    assert found.unmet_kwh[0] == pytest.approx(15.0)
    assert found.unmet_cause == ("too_short",)


def test_the_larger_part_of_a_lack_names_its_cause():
    request = plan_request([Car(soc=0.0)], [Stay(0, 0, 4, target=1.0)], steps=4)
    # Full power reaches 40 of 50 kWh.
    assert run(request, 8.0, guard=False).unmet_cause == ("too_short",)
    assert run(request, 2.0, guard=False).unmet_cause == ("too_little_power",)


def test_a_trip_longer_than_the_battery_is_charged_elsewhere():
    request = plan_request(
        [Car(soc=0.7, soc_min=0.1)], [Stay(0, 2, 3, trip_kwh=40.0, target=0.8)], steps=4
    )
    found = run(request, 0.0)
    assert found.away_kwh[0] == pytest.approx(10.0)
    assert found.soc[1, 0] == 0.7
    assert found.soc[2, 0] == pytest.approx(0.1 + 10 / 50)
    assert found.unmet_cause == ("soc_floor",)


def test_a_battery_below_its_minimum_is_not_filled_by_a_trip():
    request = plan_request([Car(soc=0.05, soc_min=0.1)], [Stay(0, 0, 1, target=0.05)], steps=2)
    found = run(request, 0.0)
    assert found.away_kwh[0] == 0.0
    assert found.soc[0, 0] == 0.05


def test_a_given_arrival_stands_above_the_previous_departure():
    request = plan_request(
        [Car(soc=0.5)],
        [Stay(0, 0, 2, target=0.5), Stay(0, 3, 4, soc_arrival=0.25, trip_kwh=9.0, target=0.3)],
        steps=5,
    )
    found = run(request, 0.0)
    assert found.soc[:, 0] == pytest.approx([0.5, 0.5, 0.5, 0.3, 0.3])


def test_a_stay_shorter_than_a_step_books_its_trip_and_lacks_its_target():
    request = plan_request([Car(soc=0.5)], [Stay(0, 2, 2, trip_kwh=5.0, target=0.6)], steps=4)
    found = run(request, 10.0)
    assert found.soc[:, 0] == pytest.approx([0.5, 0.5, 0.4, 0.4])
    assert found.unmet_kwh[0] == pytest.approx(10.0)


def test_discharge_keeps_the_reserve_and_what_the_target_needs():
    stay = Stay(0, 0, 10, target=0.8, reserve=0.4, p_discharge_kw=5.0)
    request = plan_request([Car(soc=0.8, eta_discharge=0.8)], [stay], steps=10)
    found = run(request, -50.0)
    assert found.p_kw.min() == -5.0
    assert found.soc.min() >= 0.4 - 1e-12
    assert found.soc[-1, 0] == pytest.approx(0.8)
    free = run(request, -50.0, guard=False)
    assert free.soc[-1, 0] == pytest.approx(0.4)
    low = run(request, -50.0, guard=False, discharge_floor="min")
    assert low.soc[-1, 0] == pytest.approx(0.0, abs=1e-12)


def test_cars_not_controlled_charge_uncontrolled_whatever_is_asked():
    request = plan_request([Car("a", soc=0.5), Car("b", soc=0.5)], [Stay(0, 0, 6), Stay(1, 0, 6)])
    found = run(request, 0.0, controlled=np.array([False, True]))
    assert found.p_kw[:3, 0] == pytest.approx([10.0, 5.0, 0.0])
    assert found.p_kw[3:6, 1] == pytest.approx([0.0, 5.0, 10.0])
    assert np.array_equal(found.p_requested_kw[:, 0], found.p_kw[:, 0])


def test_a_delivered_plan_asked_for_again_is_delivered_again():
    request = plan_request(
        [Car(soc=0.3, soc_knee=0.5, taper_fraction=0.1, eta_charge=0.9)],
        [Stay(0, 1, 20, target=0.9)],
    )
    first = run(request, 4.0)
    again = run(request, first.p_kw[:, 0])
    np.testing.assert_allclose(again.p_kw, first.p_kw, atol=1e-12)


def test_fleet_power_is_summed_at_charger_site_and_group():
    request = plan_request(
        [Car("a", soc=0.2), Car("b", soc=0.2), Car("c", soc=0.2)],
        [Stay(0, 0, 4, charger=0), Stay(1, 0, 4, charger=1), Stay(2, 0, 4, charger=2)],
        steps=4,
        places=[Place("building", chargers=2), Place()],
        groups=[Group(), Group(chargers=(1, 2)), Group(chargers=())],
    )
    p_kw = np.tile([1.0, 2.0, 4.0], (4, 1))
    assert power_by_charger(request, p_kw)[0].tolist() == [1.0, 2.0, 4.0]
    assert power_by_site(request, p_kw)[0].tolist() == [3.0, 4.0]
    assert power_by_group(request, p_kw)[0].tolist() == [7.0, 6.0, 0.0]


def test_without_groups_there_is_no_group_power():
    request = plan_request([Car()], [Stay(0, 0, 4)], steps=4, groups=[Group()])
    from dataclasses import replace

    bare = replace(request, group_member=np.zeros((0, 1), bool), group_id=())
    assert power_by_group(bare, np.ones((4, 1))).shape == (4, 0)


@pytest.mark.parametrize(
    ("power", "options", "words"),
    [
        (np.zeros((3, 1)), {}, "shape"),
        (np.full((4, 1), np.nan), {}, "not finite"),
        (np.zeros((4, 1)), {"controlled": np.array([True, False])}, "controlled"),
        (np.zeros((4, 1)), {"discharge_floor": "zero"}, "discharge_floor"),
        (np.zeros((4, 1)), {"ceiling": "sky"}, "ceiling"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(power, options, words):
    request = plan_request([Car()], [Stay(0, 0, 4)], steps=4)
    options = {"strategy": "x", "controlled": ALL} | options
    with pytest.raises(InputError, match=words):
        execute(request, power, **options)


@pytest.mark.parametrize(("start", "end"), [(0, 5), (-1, 3), (3, 2)])
def test_a_stay_beyond_the_steps_of_the_request_is_refused(start, end):
    with pytest.raises(InputError, match=f"from step {start} to {end}, the request has 4 steps"):
        plan_request([Car()], [Stay(0, start, end)], steps=4)


@pytest.mark.parametrize("name", ["vehicle", "charger", "site"])
def test_a_stay_of_an_unknown_vehicle_charger_or_site_is_refused(name):
    request = plan_request([Car()], [Stay(0, 0, 4)], steps=4)
    elsewhere = replace(request.stays, **{name: np.array([2])})
    with pytest.raises(InputError, match=f"names {name} 2, the request has 1"):
        replace(request, stays=elsewhere)
