"""Ageing in blocks gives what whole series give, and limits are counted as the guides set them."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.ageing import (
    IecPlate,
    Nameplate,
    equivalent_ageing,
    iec_series,
    loss_of_life_percent,
    thermal_series,
)
from gridimpact.ageing import summary as rooms
from gridimpact.ageing.limits import LOADING_GUIDES, loading_guide
from gridimpact.ageing.summary import age
from gridimpact.errors import InputError
from tests.ageing.test_ieee_annex_g import EXAMPLE

RNG = np.random.default_rng(3)
LOADING = RNG.uniform(0.2, 1.6, (7, 96, 2))
AIR = RNG.uniform(-5.0, 35.0, 96)


def test_blocks_threads_and_streams_give_the_numbers_of_whole_series(monkeypatch):
    plate = Nameplate.preset("ieee_65c", 2)
    series = thermal_series(LOADING, AIR, plate, 0.25)
    expected = equivalent_ageing(series.ageing_rate)
    monkeypatch.setattr(rooms, "BLOCK_CELLS", 400)
    monkeypatch.setattr(rooms, "WORKERS", 1)
    one = age(LOADING, AIR, plate, 0.25)
    monkeypatch.setattr(rooms, "WORKERS", 3)
    two = age(iter([LOADING[:3], LOADING[3:]]), AIR, plate, 0.25)
    np.testing.assert_allclose(one.equivalent_ageing, expected, rtol=1e-12)
    assert np.array_equal(one.equivalent_ageing, two.equivalent_ageing)
    assert np.array_equal(one.hot_spot_max_c, series.hot_spot_c.max(axis=1))
    assert np.array_equal(two.top_oil_max_c, series.top_oil_c.max(axis=1))
    assert one.hours == 24.0
    np.testing.assert_allclose(
        one.loss_of_life_percent(), loss_of_life_percent(expected, 24.0), rtol=1e-12
    )


def test_the_kind_of_plate_chooses_the_model():
    iec = age(LOADING, AIR, IecPlate.preset("onaf", 2), 0.25, guide="iec_medium_power")
    series = iec_series(LOADING, AIR, IecPlate.preset("onaf", 2), 0.25)
    assert np.array_equal(iec.hot_spot_max_c, series.hot_spot_c.max(axis=1))
    annex = age(LOADING[:, :, :1], AIR, EXAMPLE, 0.25)
    assert annex.equivalent_ageing.shape == (7, 1)


@pytest.mark.parametrize("guide", LOADING_GUIDES)
def test_hours_over_a_limit_fall_as_the_limits_rise(guide):
    found = age(LOADING * 1.5, AIR, Nameplate.preset("iec_onan", 2), 0.25, guide=guide)
    hours = [found.hours_over[limit.name].sum() for limit in loading_guide(guide).limits]
    assert hours[0] > 0.0
    assert hours == sorted(hours, reverse=True)
    assert np.all(found.free_bubble_h <= found.hours)


def test_a_steady_overload_is_over_every_limit_all_the_time_and_outside_the_model():
    load = np.full((1, 48, 1), 3.2)
    found = age(load, np.full(48, 30.0), Nameplate.preset("ieee_65c"), 1.0)
    assert found.hours_over["short_time_emergency"][0, 0] == 48.0
    assert found.outside_model_h[0, 0] == 48.0
    assert found.free_bubble_h[0, 0] == 48.0


def test_only_counted_steps_count():
    counted = np.zeros(96, dtype=bool)
    counted[48:] = True
    plate = Nameplate.preset("ieee_65c", 2)
    half = age(LOADING, AIR, plate, 0.25, counted=counted)
    series = thermal_series(LOADING, AIR, plate, 0.25)
    np.testing.assert_allclose(half.equivalent_ageing, series.ageing_rate[:, 48:].mean(axis=1))
    assert half.hours == 12.0


def test_export_ages_a_transformer_as_import_of_the_same_current_does():
    # Loading is current over rating, so the sign of the power has no place to enter.
    power = RNG.uniform(-1.2, 1.2, (1, 96, 1))
    plate = Nameplate.preset("ieee_65c")
    one, two = (age(np.abs(p), AIR, plate, 0.25) for p in (power, -power))
    assert np.array_equal(one.equivalent_ageing, two.equivalent_ageing)


def test_scenarios_and_transformers_in_another_order_age_alike():
    plate, order = Nameplate.preset("ieee_65c", 2), np.array([4, 0, 6, 2, 1, 5, 3])
    one = age(LOADING, AIR, plate, 0.25)
    two = age(LOADING[order][:, :, ::-1], AIR, plate, 0.25)
    assert np.array_equal(one.equivalent_ageing[order][:, ::-1], two.equivalent_ageing)


def test_wrong_inputs_are_refused():
    plate = Nameplate.preset("ieee_65c", 2)
    with pytest.raises(InputError, match="did you mean 'ieee_power'"):
        age(LOADING, AIR, plate, 0.25, guide="ieee_powr")
    with pytest.raises(InputError, match="shape"):
        age(LOADING[0], AIR, plate, 0.25)
    with pytest.raises(InputError, match="no scenario"):
        age(iter([]), AIR, plate, 0.25)
    with pytest.raises(InputError, match="no step"):
        age(LOADING, AIR, plate, 0.25, counted=np.zeros(96, dtype=bool))
