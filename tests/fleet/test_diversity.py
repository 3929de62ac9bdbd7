"""Diversity of uncontrolled home charging against measured British homes.

Electric Nation's profiles (1-minute, 7.36 kW, 70 % of days plugged in) give 15.1 kWh a day and 1.51 kW per
car at the peak of 1,200 cars at 21:19, and 1.55 kW in the median of groups of 100.
"""

import numpy as np
import pytest

from gridimpact.fleet import synthesize_fleet
from gridimpact.timeline import Timeline
from tests.fleet.diversity import uncontrolled_kw

TIME = Timeline.days("2016-01-11", 12, zone="Europe/Berlin")
WEEKDAYS = [1, 2, 3, 4, 7, 8, 9, 10, 11]
"""The first Monday still charges what the days before left."""


def weekday_kw(cars, seed, **options):
    """Return (day, step) kW per car of one draw at 7.4 kW, 15 kWh a day and 60 % commuters."""
    fleet = synthesize_fleet(
        cars, TIME, charger="ac_7.4kw", daily_kwh=15.0, worker_share=0.6, seed=seed, **options
    )
    return uncontrolled_kw(fleet, TIME).reshape(-1, TIME.steps_per_day)[WEEKDAYS] / cars


def check(draws, cars=100):
    power = np.array([weekday_kw(cars, seed) for seed in range(draws)])
    median = np.median(power.max(axis=2))
    mean = power.mean(axis=(0, 1))
    hour = mean.argmax() / 4
    energy = mean.sum() / 4
    assert 1.4 <= median <= 1.8, median
    assert 18 <= hour <= 22, hour
    assert energy == pytest.approx(15.0, rel=0.03)
    return median


def test_hundred_cars_peak_together_like_measured_homes():
    check(24)


@pytest.mark.slow
def test_hundred_cars_peak_together_like_measured_homes_over_200_draws():
    check(200)


def test_peak_per_car_falls_with_the_number_of_cars():
    peaks = [
        np.median([weekday_kw(cars, seed).max(axis=1) for seed in range(12)])
        for cars in (3, 10, 100)
    ]
    assert peaks[0] > peaks[1] > peaks[2]
    # Of three cars one charges alone in the median, of a hundred one in five.
    assert peaks[0] >= 7.36 / 3 - 1e-9
