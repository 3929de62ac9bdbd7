"""Load following and renewable buffering: what fleets leave of a deviation, and where a surplus goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.dispatch import v2g
from gridimpact.dispatch.execute import power_by_group
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.dispatch.v2g.load_following import deviation, interval_s, mean_over
from gridimpact.dispatch.v2g.renewable_buffer import trailing_mean
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest
from tests.dispatch.requests import Car, Group, Prices, Stay, plan_request


def figure(found: Dispatch, name: str) -> float:
    """Return one figure of a dispatch."""
    return next(item.value for item in found.figures if item.name == name)


def minutes(
    cars: int = 20, hours: int = 4, step_s: int = 60, target: float = 0.8, **car: Any
) -> PlanRequest:
    """Return cars plugged in for hours of a demand that swings within every hour."""
    steps = hours * 3600 // step_s
    t = np.arange(steps) * step_s / 3600.0
    rng = np.random.default_rng(5)
    walk = np.cumsum(rng.normal(0.0, 1.0, steps))
    base = 300.0 + 20.0 * np.sin(2 * np.pi * t * 1.3) + walk + rng.normal(0.0, 3.0, steps)
    soc = car.pop("soc", 0.6)
    fleet = [Car(f"car {k:02}", soc, 60.0, **car) for k in range(cars)]
    stays = [Stay(k, 0, steps, target=target, p_kw=11.0, p_discharge_kw=11.0) for k in range(cars)]
    return plan_request(fleet, stays, steps=steps, step_s=step_s, groups=[Group(base)])


FOLLOW = v2g.LoadFollowing("5min", ramp_per_min=5.0, enrolled=1.0)


def test_a_longer_interval_leaves_a_larger_residue_to_regulation():
    request = minutes(target=0.5)
    left = []
    for interval in ("1min", "5min", "10min", "15min", "30min"):
        found = replace(FOLLOW, interval=interval).plan(request)
        left.append(figure(found, "rmse_after_kw"))
    assert left[0] == pytest.approx(0.0, abs=1e-6)
    assert np.all(np.diff(left) > 0.1)
    assert left[-1] < figure(found, "rmse_before_kw")


def test_the_answer_is_the_mean_deviation_of_each_interval():
    # Cars above their target prefer to rest, with room on both sides.
    request = minutes(target=0.5)
    found = replace(FOLLOW, interval="10min").plan(request)
    off = deviation(request, request.background_kw)
    wanted = mean_over(off, request.timeline.times, 600)
    np.testing.assert_allclose(found.p_kw.sum(axis=1), -wanted[:, 0], atol=1e-6)
    rest = off - wanted
    assert figure(found, "rmse_after_kw") == pytest.approx(np.sqrt(np.mean(rest**2)), abs=1e-6)
    assert figure(found, "rmse_before_kw") == pytest.approx(np.sqrt(np.mean(off**2)))


def test_following_is_neutral_in_energy_and_every_target_is_met():
    request = minutes(eta_charge=0.95, eta_discharge=0.95)
    found = FOLLOW.plan(request)
    assert abs(figure(found, "net_energy_kwh")) < 0.01 * figure(found, "moved_energy_kwh") + 0.5
    np.testing.assert_allclose(found.soc[-1], 0.8, atol=1e-6)
    assert not found.unmet_kwh.any()
    np.testing.assert_allclose(found.p_kw, found.p_requested_kw, atol=1e-9)


def test_the_answer_changes_no_faster_than_the_ramp():
    request = minutes(target=0.5)
    # 20 cars of 22 kW between full discharge and full charge: a thousandth is 0.44 kW a minute.
    slow, fast = replace(FOLLOW, ramp_per_min=0.001).plan(request), FOLLOW.plan(request)
    assert np.abs(np.diff(slow.p_kw.sum(axis=1))).max() == pytest.approx(0.44, abs=1e-9)
    assert np.abs(np.diff(fast.p_kw.sum(axis=1))).max() > 2.0
    assert figure(slow, "rmse_after_kw") > figure(fast, "rmse_after_kw")


def test_charging_alone_cannot_follow_where_nothing_is_charged():
    request = minutes(soc=0.8)
    one_way = replace(
        request,
        stays=replace(request.stays, p_discharge_kw=np.zeros(20), soc_target=np.full(20, 0.8)),
    )
    both = figure(FOLLOW.plan(request), "rmse_after_kw")
    one = figure(FOLLOW.plan(one_way), "rmse_after_kw")
    assert one > both + 1.0
    assert FOLLOW.plan(one_way).p_kw.min() >= 0.0


def test_an_empty_fleet_keeps_its_reserve():
    request = minutes(soc=0.4)
    found = replace(FOLLOW, reserve_soc=0.4).plan(request)
    feeding = found.p_kw < -1e-9
    assert np.all(found.soc[feeding] >= 0.4 - 1e-9)
    assert not found.unmet_kwh.any()


def test_steps_of_an_hour_have_nothing_to_follow_and_say_so():
    request = plan_request([Car()], [Stay(0, 0, 24)], groups=[Group(np.linspace(1.0, 9.0, 24))])
    found = v2g.LoadFollowing(enrolled=1.0).plan(request)
    assert figure(found, "rmse_before_kw") == 0.0
    assert found.notes[0].kind == "warning"
    quarter = v2g.LoadFollowing(enrolled=1.0).plan(minutes(step_s=900))
    assert quarter.notes[0].kind == "note"
    assert figure(quarter, "rmse_after_kw") < figure(quarter, "rmse_before_kw")


def test_each_group_follows_its_own_demand():
    one = minutes(4)
    member = np.array([[True, True, False, False], [False, False, True, True]])
    swing = one.background_kw[:, 0]
    request = replace(
        one,
        group_id=("a", "b"),
        group_member=member,
        background_kw=np.stack([swing, np.full_like(swing, 200.0)], axis=1),
        import_limit_kw=np.full((swing.size, 2), np.inf),
        export_limit_kw=np.full((swing.size, 2), np.inf),
    )
    found = FOLLOW.plan(request)
    steady = found.p_kw[:, 2:]
    assert np.ptp(steady, axis=0).max() < 1e-6
    assert np.ptp(found.p_kw[:, 0]) > 5.0


@pytest.mark.parametrize("bad", ["7min", 0, "soon", 90, "400ms"])
def test_an_interval_that_is_no_part_of_an_hour_is_refused(bad: Any):
    with pytest.raises(InputError, match="interval"):
        interval_s(bad)
    with pytest.raises(InputError, match="interval"):
        v2g.LoadFollowing(interval=bad)


def test_a_ramp_of_nothing_is_refused():
    with pytest.raises(InputError, match="ramp_per_min"):
        v2g.LoadFollowing(ramp_per_min=0.0)


BUFFER = v2g.RenewableBuffer(reserve_soc=0.3, enrolled=1.0)


def sunny(cars: int = 4, days: int = 2, **stay: Any) -> PlanRequest:
    """Return cars plugged in through sunny days, with high evenings, behind one transformer."""
    hour = np.arange(24 * days) % 24
    base = 6.0 + 14.0 * np.exp(-(((hour - 20) / 2.0) ** 2)) - 40.0 * ((hour >= 10) & (hour < 15))
    parts = {"target": 0.5, "p_kw": 7.0, "p_discharge_kw": 7.0, "reserve": 0.2} | stay
    return plan_request(
        [Car(f"car {k}", 0.4, 60.0, 0.95, 0.95) for k in range(cars)],
        [Stay(k, 0, 24 * days, **parts) for k in range(cars)],
        steps=24 * days,
        groups=[Group(base)],
        tariffs=[Prices()],
    )


def test_surplus_is_taken_in_and_given_back_to_the_evening():
    request = sunny()
    found, free = BUFFER.plan(request), uncontrolled_dispatch(request)
    net = request.background_kw + power_by_group(request, found.p_kw)
    before = request.background_kw + power_by_group(request, free.p_kw)
    exported = np.maximum(-net, 0.0).sum()
    assert figure(found, "lost_after_kwh") == pytest.approx(exported, abs=1e-6)
    assert figure(found, "lost_before_kwh") == pytest.approx(
        np.maximum(-before, 0.0).sum(), abs=1e-6
    )
    assert figure(found, "avoided_kwh") > 60.0
    assert net[18:23].max() < before[18:23].max() - 5.0
    assert found.p_kw[10:15].sum() == pytest.approx(28.0 * 5, rel=0.2)
    assert not found.unmet_kwh.any()


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 999))
def test_only_surplus_is_ever_given_back(seed: int):
    rng = np.random.default_rng(seed)
    request = sunny(target=float(rng.uniform(0.4, 0.8)))
    noisy = replace(request, background_kw=request.background_kw + rng.normal(0.0, 6.0, (48, 1)))
    found = BUFFER.plan(noisy)
    surplus = noisy.background_kw[:, 0] < 0.0
    taken = np.cumsum(np.where(surplus[:, None], np.maximum(found.p_kw, 0.0), 0.0), axis=0)
    back = np.cumsum(np.maximum(-found.p_kw, 0.0), axis=0)
    assert np.all(back <= 0.95 * 0.95 * taken + 1e-6)
    # Nothing is fed while the group feeds back, and discharge never makes it do so.
    assert np.all(found.p_kw[surplus] >= -1e-9)
    net = noisy.background_kw[:, 0] + found.p_kw.sum(axis=1)
    assert np.all(net[(found.p_kw < -1e-6).any(axis=1)] >= -1e-6)
    assert np.all(found.soc[found.p_kw < -1e-9] >= 0.3 - 1e-9)
    assert not found.unmet_kwh.any()


def test_without_surplus_the_cars_charge_at_the_average_rate():
    request = replace(sunny(1, 1), background_kw=np.full((24, 1), 5.0))
    found = BUFFER.plan(request)
    np.testing.assert_allclose(found.p_kw[:, 0], 0.1 * 60.0 / 0.95 / 24.0, atol=1e-9)
    assert "no group has a surplus" in found.notes[0].text


def test_a_surplus_series_of_the_day_is_followed_as_long_as_there_is_room():
    wind = [0.0] * 24
    wind[2:6] = [10.0] * 4
    request = replace(sunny(2, 1), background_kw=np.full((24, 1), 20.0))
    found = v2g.RenewableBuffer(wind, reserve_soc=0.3, enrolled=1.0).plan(request)
    np.testing.assert_allclose(found.p_kw[2:6].sum(axis=1), 10.0, atol=1e-6)
    assert figure(found, "surplus_kwh") == pytest.approx(40.0)
    assert figure(found, "lost_after_kwh") == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(InputError, match="surplus_kw has 3 values"):
        v2g.RenewableBuffer([1.0, 2.0, 3.0], enrolled=1.0).plan(request)


def test_the_trailing_mean_knows_the_past_day_only():
    values = np.arange(10.0)[:, None]
    mean = trailing_mean(values, 4)[:, 0]
    assert mean[:4].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert mean[4:].tolist() == [2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    assert trailing_mean(values, 99)[-1, 0] == pytest.approx(4.5)


@pytest.mark.parametrize(
    "bad",
    [{"surplus_kw": [-1.0]}, {"surplus_kw": "much"}, {"surplus_kw": ["x"]}, {"high": -1.0}],
    ids=["negative", "text", "no number", "high"],
)
def test_impossible_buffers_are_refused(bad: dict[str, Any]):
    with pytest.raises(InputError, match=next(iter(bad))):
        v2g.RenewableBuffer(**bad)
