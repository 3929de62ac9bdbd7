"""Trips follow the survey's distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.fleet.survey import survey
from gridimpact.fleet.trips import DAY_SLOTS, day_tours, drivers

RANDOM = np.random.default_rng(5)


def tours(cars=400, days=28, worker_share=0.6, always=False):
    day_type = np.maximum(np.arange(days) % 7 - 4, 0)
    who = drivers(RANDOM.random((cars, 8)), worker_share)
    return day_tours(RANDOM.random((cars, days, DAY_SLOTS)), day_type, who, always), day_type


def test_share_of_days_without_trips_is_the_surveys():
    found, day_type = tours()
    out = ~np.isnan(found.leave_h.reshape(400, 28, 2)[..., 0])
    # trips_per_day.csv: 35.41 % of weekdays and 50.68 % of weekend days without a trip.
    assert 1 - out[:, day_type == 0].mean() == pytest.approx(0.3541, abs=0.02)
    assert 1 - out[:, day_type > 0].mean() == pytest.approx(0.5068, abs=0.02)


def test_every_car_drives_every_day_when_asked():
    found, _ = tours(always=True)
    assert not np.isnan(found.leave_h.reshape(400, 28, 2)[..., 0]).any()


def test_share_of_trips_home_is_the_surveys():
    data = survey()
    mean = np.diff(np.concatenate([[0], data.trip_cdf[0]])) @ data.trip_counts
    found, day_type = tours(2000, 7, worker_share=1.0)
    home = (~np.isnan(found.leave_h.reshape(2000, 7, 2)))[:, day_type == 0].sum() / (2000 * 5)
    # 39.8 % of a commuter's weekday trips lead home.
    assert home / mean == pytest.approx(0.398, abs=0.012)


def test_departures_home_follow_the_survey():
    found, day_type = tours(1500, 7, worker_share=0.0)
    last = np.nanmax(
        np.where(np.isnan(found.arrive_h), -1, found.arrive_h).reshape(1500, 7, 2), axis=2
    )
    hours = (last - 24 * np.arange(7))[:, day_type == 0]
    hours = hours[hours > -20]
    hours = hours[hours >= 0]
    data = survey()
    after_17 = 1 - data.home_cdf[0, 0][34]
    # Arrivals lag departures by a trip, so a little more than the survey's share comes after 17:00.
    assert after_17 <= (hours > 17).mean() <= after_17 + 0.12


def test_mean_distance_of_a_year_is_that_of_a_german_car():
    found, _ = tours(1000, 28)
    km_a_year = found.km.sum() / 1000 / 28 * 365
    assert 8_000 < km_a_year < 14_000


def test_tours_run_forward_in_time():
    found, _ = tours()
    there = ~np.isnan(found.leave_h)
    assert (found.arrive_h[there] > found.leave_h[there]).all()
    assert (found.km[there] > 0).all()
    first, second = found.arrive_h[:, 0::2], found.leave_h[:, 1::2]
    both = ~np.isnan(second)
    assert both.any()
    assert (second[both] >= first[both]).all()


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1 - 1e-9), st.floats(0, 1 - 1e-9))
def test_longer_draw_means_longer_trip_and_speed_stays_human(a, b):
    data = survey()
    low, high = sorted((a, b))
    km, cell = data.distance(np.array([low, high]))
    assert km[0] <= km[1]
    minutes = data.duration(cell, np.array([a, a]))
    assert (minutes >= 3).all()
    assert 0.3 <= km[0] <= 400


def test_commuters_are_the_stated_share_and_commute_two_km_or_more():
    who = drivers(RANDOM.random((5000, 8)), 0.7)
    assert who.worker.mean() == pytest.approx(0.7, abs=0.02)
    assert who.commute_km.min() >= 1.99
    assert who.distance_factor.mean() == pytest.approx(1.0, abs=0.02)
