"""What is known of the hours to come, and what wrong forecasts do to a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.dispatch import Receding, Uncontrolled, WithForecastError, g2v, v2g
from gridimpact.dispatch.forecast import (
    MEMORY_H,
    announced_prices,
    forecast_source,
    generator,
    growing_error,
    known_steps,
    steady_error,
)
from gridimpact.dispatch.shortfall import shortfalls
from gridimpact.errors import InputError
from gridimpact.records import Tariff
from gridimpact.timeline import Timeline
from tests.dispatch.fleets import home_fleet
from tests.dispatch.requests import Car, Stay, plan_request


def test_yesterday_stands_for_today_and_the_present_is_measured():
    assert known_steps(30, 26, 24).tolist() == [30, *range(7, 30), 6, 7]
    assert known_steps(3, 4, 24).tolist() == [3, 3, 3, 3]
    assert forecast_source("last_week", 200, 3, 24).tolist() == [200, 33, 34]
    # In the first week there is no week ago: yesterday is what is left.
    assert forecast_source("last_week", 30, 3, 24).tolist() == [30, 7, 8]
    assert forecast_source("perfect", 30, 3, 24).tolist() == [30, 31, 32]


@pytest.mark.parametrize("kind", ["yesterday", "last_week"])
def test_no_forecast_from_the_past_holds_the_future(kind):
    for now in (0, 5, 24, 100, 400):
        assert forecast_source(kind, now, 300, 24).max() <= now


def test_errors_grow_from_nothing_to_their_full_size():
    rng = generator(0, "test")
    error = growing_error(rng, 97, 4000, 0.25, 0.1)
    assert not error[0].any()
    for hours in (1, 6, 24):
        told = 0.1 * np.sqrt(1.0 - np.exp(-2.0 * hours / MEMORY_H))
        assert error[4 * hours].std() == pytest.approx(told, rel=0.06)
    steady = steady_error(rng, 97, 4000, 0.25, 0.1)
    assert steady[[0, 40, 96]].std(axis=1) == pytest.approx(0.1, rel=0.06)
    lag = np.corrcoef(steady[0], steady[24])[0, 1]
    assert lag == pytest.approx(np.exp(-1.0), abs=0.06)


def test_draws_depend_on_seed_purpose_and_names_alone():
    one = generator(1, "load", ["a", "b"]).random()
    assert one == generator(1, "load", ["a", "b"]).random()
    others = [(2, "load", ["a", "b"]), (1, "sun", ["a", "b"]), (1, "load", ["b", "a"])]
    assert all(one != generator(*other).random() for other in others)
    assert one != generator(1, "load", ["a", "b"], 3).random()


def test_prices_are_known_to_midnight_and_from_one_o_clock_to_the_next():
    time = Timeline.days("2016-01-04", 4, step="1h", zone="Europe/Berlin")
    tariff = Tariff("day ahead", np.arange(96.0), np.zeros(96))
    assert announced_prices(tariff, time, 12, 24).tolist() == [*range(12, 24), *range(12)]
    assert announced_prices(tariff, time, 13, 36).tolist() == [*range(13, 48), 24]
    assert announced_prices(tariff, time, 80, 16).tolist() == list(range(80, 96))


def test_without_errors_the_plan_is_the_plan():
    request = home_fleet(6, 2)
    for strategy in (g2v.ValleyFilling(), v2g.PeakShaving(enrolled=1.0), Uncontrolled()):
        exact = WithForecastError(strategy, load=0, pv=0, price=0, departure_h=0).plan(request)
        np.testing.assert_allclose(exact.p_kw, strategy.plan(request).p_kw, atol=1e-9)


def test_a_car_that_leaves_sooner_than_expected_misses_its_target_and_is_told():
    request = home_fleet(20, 2, comes=1.0)
    late = WithForecastError(g2v.ValleyFilling(), load=0.0, departure_h=2.0)
    expected, found = late.forecast(request), late.plan(request)
    sooner = request.stays.end < expected.stays.end
    assert sooner.any()
    first = np.concatenate([[True], np.diff(request.stays.vehicle) != 0])
    assert not found.unmet_kwh[first & ~sooner].any()
    assert found.unmet_kwh[first & sooner].any()
    assert set(shortfalls(request, found)["unmet_cause"]) == {"too_little_power"}
    sure = WithForecastError(g2v.ValleyFilling(), load=0.5, departure_h=0.0).plan(request)
    assert not sure.unmet_kwh.any()


def test_expected_stays_do_not_overlap_and_keep_their_cars_a_step():
    request = plan_request(
        [Car()],
        [Stay(0, 0, 4), Stay(0, 4, 6), Stay(0, 6, 7), Stay(0, 8, 24, cut=True)],
    )
    for seed in range(20):
        ends = WithForecastError(g2v.ValleyFilling(), departure_h=5.0, seed=seed).forecast(request)
        end = ends.stays.end
        assert np.all(end[:-1] <= request.stays.start[1:])
        assert np.all(end > request.stays.start)
        assert end[-1] == 24


def test_wrong_forecasts_make_the_valleys_no_better():
    request = home_fleet(15, 2, comes=1.0)

    def squares(strategy):
        return ((strategy.plan(request).p_kw.sum(axis=1) + request.background_kw[:, 0]) ** 2).sum()

    exact = squares(g2v.ValleyFilling())
    worse = [
        squares(WithForecastError(g2v.ValleyFilling(), load=0.3, departure_h=0.0, seed=seed))
        for seed in range(3)
    ]
    assert min(worse) >= exact * (1 - 1e-9)
    assert np.mean(worse) > exact * 1.0005


def test_wrong_prices_cost_money_and_an_error_is_no_excuse_for_foresight():
    hours = np.arange(48)
    price = 0.3 + 0.1 * np.sin(hours / 24 * 2 * np.pi)
    request = home_fleet(5, 2, comes=1.0, per_hour=1, feed_kw=0.0)
    request = replace(request, tariffs=(Tariff("t", price, price),))
    wrong = WithForecastError(g2v.PriceCharging(), price=0.5, departure_h=0.0)
    assert wrong.foresight == g2v.PriceCharging().foresight
    bill = [(s.plan(request).p_kw.sum(axis=1) * price).sum() for s in (wrong, g2v.PriceCharging())]
    assert bill[0] > bill[1]


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="departure_h is -1"):
        WithForecastError(g2v.ValleyFilling(), departure_h=-1.0)
    with pytest.raises(InputError, match="no strategy"):
        WithForecastError(g2v.ValleyFilling)  # type: ignore[arg-type]


def test_what_a_wrapper_does_not_carry_on_is_told():
    request = home_fleet(2, 1)
    wraps = (Receding, WithForecastError)
    notes = [w(v2g.Regulation(enrolled=1.0)).plan(request).notes for w in wraps]
    assert all("losses of a fast signal" in note[-1].text for note in notes)
    assert "reactive power" in WithForecastError(v2g.ReactiveSupport()).plan(request).notes[-1].text
    assert all(w(g2v.AverageRate()).plan(request).notes == () for w in wraps)
