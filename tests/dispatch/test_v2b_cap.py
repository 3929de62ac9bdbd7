"""A cap kept without any forecast, and what a wrong forecast costs a plan that trusts one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from gridimpact.dispatch import v2b
from gridimpact.dispatch.execute import power_by_site
from gridimpact.dispatch.receding import Receding
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import PlanRequest
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request, small_requests
from tests.dispatch.test_v2b import CHARGE, HALL, draw, hall


def week(noise: float = 0.0, days: int = 5, cars: int = 6, **extra: float) -> PlanRequest:
    """Return working days of an office whose peak wanders, with cars from eight to six."""
    rng = np.random.default_rng(7)
    shape = 60.0 + 50.0 * np.exp(-(((np.arange(24) - 13.0) / 3.5) ** 2))
    load = np.concatenate([np.roll(shape, rng.integers(-2, 3)) for _ in range(days)])
    load = load * np.repeat(1.0 + noise * rng.standard_normal(days), 24)
    fleet = [Car(f"car {k}", 0.7, 24.0, 0.9, 0.9) for k in range(cars)]
    stays = [
        Stay(
            k,
            24 * day + 8,
            24 * day + 18,
            charger=k,
            target=0.9,
            reserve=0.3,
            trip_kwh=6.0 if day else 0.0,
            p_kw=6.0,
            p_discharge_kw=6.0,
        )
        for k in range(cars)
        for day in range(days)
    ]
    return plan_request(
        fleet,
        stays,
        steps=24 * days,
        places=[Place("building", load, chargers=cars)],
        tariffs=[Prices(0.1, 0.0, CHARGE | extra)],
    )


def test_a_cap_the_cars_can_keep_is_kept_without_a_forecast():
    request = hall(6)
    power = draw(request, v2b.PeakCap(100.0).plan(request))
    assert power.max() == pytest.approx(100.0, abs=1e-6)
    # What was fed is charged again below the cap.
    assert power.sum() == pytest.approx(sum(HALL), abs=1e-6)


def test_a_cap_too_low_empties_the_cars_before_the_peak():
    request = hall(2)
    low = draw(request, v2b.PeakCap(61.0).plan(request)).max()
    fair = draw(request, v2b.PeakCap(108.0).plan(request)).max()
    assert fair == pytest.approx(108.0, abs=1e-6)
    assert low > fair + 5.0


def test_what_the_month_has_drawn_is_not_fought_again():
    request = hall(6)
    power = draw(request, v2b.PeakCap(100.0, peak_so_far_kw=115.0).plan(request))
    assert power.max() == pytest.approx(115.0, abs=1e-6)


def test_foresight_is_worth_more_than_a_cap_and_a_cap_more_than_nothing():
    request = week(noise=0.03)
    nothing = draw(request, uncontrolled_dispatch(request)).max()
    seen = draw(request, v2b.DemandCharge().plan(request)).max()
    for strategy in (v2b.PeakCap("yesterday"), v2b.PeakCap(107.0)):
        capped = draw(request, strategy.plan(request)).max()
        assert seen - 1e-6 <= capped < nothing - 1.0


def test_counting_on_full_power_for_refilling_makes_an_evening_peak_of_its_own():
    request = week()
    late = draw(request, v2b.PeakCap(100.0, refill_share=1.0).plan(request))
    early = draw(request, v2b.PeakCap(100.0, refill_share=0.15).plan(request))
    assert np.argmax(late) % 24 == 17
    assert late.max() > request.site_load_kw.max() + 10.0
    assert early.max() < late.max() - 10.0


def test_the_cap_follows_the_day_before_and_the_weekday_a_week_before():
    request = week(days=9, cars=1)
    load = request.site_load_kw[:, 0].reshape(9, 24).max(axis=1)
    own = v2b.PeakCap("yesterday", cut_share=0.1)._cap(request, request.site_load_kw)[:, 0]
    np.testing.assert_allclose(own[24:].reshape(8, 24)[:, 3], 0.9 * load[:8])
    same = v2b.PeakCap("same_weekday", cut_share=0.1)._cap(request, request.site_load_kw)[:, 0]
    np.testing.assert_allclose(same[24 * 7 :: 24], 0.9 * load[:2])
    np.testing.assert_allclose(same[24 : 24 * 7 : 24], 0.9 * load[:6])
    # From Monday on: Tuesday to Friday, Saturday after Friday, Sunday, and Monday after Friday again.
    kind = v2b.PeakCap(cut_share=0.1)._cap(request, request.site_load_kw)[:, 0]
    np.testing.assert_allclose(kind[24::24], 0.9 * load[[0, 1, 2, 3, 4, 5, 4, 7]])


@settings(max_examples=10, deadline=None, derandomize=True)
@given(request_=small_requests())
def test_discharge_never_exceeds_the_buildings_load_less_its_sun(request_: PlanRequest):
    found = v2b.PeakCap(6.0).plan(request_)
    fed = power_by_site(request_, np.maximum(-found.p_kw, 0.0))
    own = np.maximum(request_.site_load_kw + request_.site_pv_kw, 0.0)
    assert np.all(fed <= own + 1e-7)
    np.testing.assert_allclose(
        found.p_kw[:, found.controlled], found.p_requested_kw[:, found.controlled], atol=1e-9
    )


def test_a_wrong_forecast_takes_away_from_the_cut_and_the_right_one_nothing():
    request = week(noise=0.05)
    exact = v2b.forecast_regret(request, v2b.DemandCharge(), request.site_load_kw)
    assert {f.name: f.value for f in exact}["regret"] == pytest.approx(0.0, abs=1e-5)
    load = request.site_load_kw
    before = np.concatenate([load[:24], load[:-24]])
    wrong = {f.name: f.value for f in v2b.forecast_regret(request, v2b.DemandCharge(), before)}
    assert wrong["regret"] > 1.0
    assert wrong["peak_forecast_kw"] > wrong["peak_perfect_kw"] + 0.5
    assert wrong["peak_cut_lost_share"] > 0.0
    # The rule that looks at the meter does better than the plan that trusts yesterday.
    capped = draw(request, v2b.PeakCap("yesterday").plan(request)).max()
    assert capped < wrong["peak_forecast_kw"]


def test_a_plan_on_a_forecast_exports_nothing_that_the_building_does_not_draw():
    request = replace(hall(6), site_load_kw=np.full((8, 1), 5.0))
    found = v2b.plan_on_forecast(request, v2b.DemandCharge(), np.array(HALL, float)[:, None])
    assert draw(request, found).min() >= -1e-9
    assert found.p_kw.min() < 0.0
    with pytest.raises(InputError, match="shape"):
        v2b.plan_on_forecast(request, v2b.DemandCharge(), np.zeros(8))


def test_plans_made_again_and_again_carry_the_months_peak_with_them():
    load = np.concatenate([np.full(10, 50.0), [120.0], np.full(9, 50.0), [110.0], np.full(3, 50.0)])
    stays = [Stay(0, 12, 24, target=0.5, p_kw=6.0, p_discharge_kw=6.0)]
    request = plan_request(
        [Car("car", 0.5, 24.0, wear=0.05)],
        stays,
        places=[Place("building", load)],
        tariffs=[Prices(0.1, 0.0, CHARGE)],
    )
    again = Receding(v2b.DemandCharge(), every="1h", load="perfect").plan(request)
    assert again.p_kw[20, 0] == pytest.approx(0.0, abs=1e-6)
    # Not carried, the smaller peak would be fought for nothing.
    told = replace(
        request,
        timeline=request.timeline.part(12, 12),
        stays=replace(request.stays, start=np.array([0]), end=np.array([12])),
        **{
            name: getattr(request, name)[12:]
            for name in ("site_load_kw", "site_pv_kw", "background_kw")
        },
        import_limit_kw=request.import_limit_kw[12:],
        export_limit_kw=request.export_limit_kw[12:],
        tariffs=tuple(
            replace(t, import_price=t.import_price[12:], export_price=t.export_price[12:])
            for t in request.tariffs
        ),
    )
    assert v2b.DemandCharge().plan(told).p_kw[8, 0] == pytest.approx(-6.0, abs=1e-6)
    paid = replace(told, site_peak_kw=np.array([120.0]))
    assert v2b.DemandCharge().plan(paid).p_kw[8, 0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("bad", [{"target_kw": "tomorrow"}, {"target_kw": -1.0}, {"cut_share": 2}])
def test_impossible_caps_are_refused(bad: dict[str, object]):
    with pytest.raises(InputError):
        v2b.PeakCap(**bad)  # type: ignore[arg-type]
