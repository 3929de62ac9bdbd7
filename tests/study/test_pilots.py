"""Atsugi: six cars, a building of 1024 kW, and the assumptions under which 25.6 kW come out."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.dispatch import v2b
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import Dispatch
from gridimpact.study.pilots import WorkingDay, atsugi_day


def figure(found: Dispatch, name: str) -> float:
    """Return a figure of a dispatch."""
    return next(item.value for item in found.figures if item.name == name)


def test_a_controller_without_forecast_keeps_the_published_cut_of_25_6_kw_and_half_a_million_yen():
    # autoguide.com 2013-11: 25.6 kW, 2.5 % of the peak, about 500,000 yen a year.
    request = atsugi_day()
    found = v2b.PeakCap(1024.0 - 25.6).plan(request)
    cut = 1024.0 - figure(found, "peak_kw")
    assert cut == pytest.approx(25.6, abs=0.1)
    assert cut / 1024.0 == pytest.approx(0.025, abs=2e-4)
    year = 12.0 * (figure(found, "bill_no_cars") - figure(found, "bill"))
    charge = 12.0 * figure(found, "demand_cost")
    assert 12.0 * 1627.604 * 1024.0 - charge == pytest.approx(500_000.0, rel=0.01)
    # The energy of the day's driving is in the bill with cars, not in the one without.
    assert year < 500_000.0
    assert found.unmet_kwh.sum() == 0.0
    # Nothing to spare: the cars lend 30 % of their batteries, and 5 % less is not enough.
    assert found.soc.min() < 0.61
    less = v2b.PeakCap(1024.0 - 25.6).plan(atsugi_day(WorkingDay(soc_reserve=0.65)))
    assert 1024.0 - figure(less, "peak_kw") < 20.0


@pytest.mark.parametrize(("reserve", "low", "high"), [(0.7, 23, 28), (0.6, 29, 35), (0.4, 36, 36)])
def test_perfect_foresight_cuts_between_the_published_and_what_six_stations_feed(
    reserve: float, low: float, high: float
):
    found = v2b.DemandCharge().plan(atsugi_day(WorkingDay(soc_reserve=reserve)))
    assert low - 1e-6 <= 1024.0 - figure(found, "peak_kw") <= high + 1e-6


def test_uncontrolled_cars_charge_before_the_peak_and_change_nothing():
    request = atsugi_day()
    power = request.site_load_kw[:, 0] + uncontrolled_dispatch(request).p_kw.sum(axis=1)
    assert request.site_load_kw.max() == pytest.approx(1024.0)
    assert power.max() == pytest.approx(1024.0)
    assert np.all(request.stays.p_discharge_kw == 6.0)


def test_cars_that_leave_before_they_come_are_refused():
    with pytest.raises(InputError, match="later time to leave"):
        atsugi_day(WorkingDay(arrive="18:00", leave="08:30"))
