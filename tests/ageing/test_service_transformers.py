"""Meters and a table of who hangs where give the ageing of every service transformer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gridimpact.ageing import Nameplate, age_service_transformers, thermal_series
from gridimpact.ageing import service_transformers as room
from gridimpact.errors import InputError

STEPS = 168
RNG = np.random.default_rng(11)
METERS = [f"m{k}" for k in range(12)]
LOAD = RNG.gamma(2.0, 2.5, (STEPS, 12))
AIR = 25.0 + 8.0 * np.sin(np.arange(STEPS) / 24.0 * 2.0 * np.pi)
PLACES = pd.DataFrame({"transformer_id": [f"t{k % 3}" for k in range(12)]}, index=METERS)
UNITS = pd.DataFrame({"rated_kva": [25.0, 37.5, 50.0]}, index=["t0", "t1", "t2"])


def run(load=LOAD, places=PLACES, units=UNITS, **changes):
    """Return table and notes of the test case."""
    settings = {"meter_id": METERS} | changes
    return age_service_transformers(load, places, units, AIR, 1.0, **settings)


def test_each_transformer_ages_as_its_meters_summed_by_hand(monkeypatch):
    monkeypatch.setattr(room, "AT_ONCE", 2)
    table, _ = run()
    for k, name in enumerate(UNITS.index):
        total = LOAD[:, k::3].sum(axis=1)
        loading = total / 0.95 / UNITS.loc[name, "rated_kva"]
        series = thermal_series(loading[None, :, None], AIR, Nameplate.preset("ieee_65c"), 1.0)
        row = table.loc[name]
        assert row["equivalent_ageing"] == pytest.approx(series.ageing_rate.mean(), rel=1e-9)
        assert row["hot_spot_c"] == pytest.approx(series.hot_spot_c.max(), rel=1e-12)
        assert row["energy_kwh"] == pytest.approx(total.sum())
        assert row["meters"] == 4
        assert row["hours_over_100"] == (loading > 1.0).sum()


def test_the_most_aged_comes_first():
    table, _ = run()
    assert list(table["rank"]) == [1, 2, 3]
    assert table["equivalent_ageing"].is_monotonic_decreasing
    assert table.index[0] == "t0"


def test_export_ages_as_import_does():
    one, two = run()[0], run(-LOAD)[0]
    assert np.array_equal(one["equivalent_ageing"], two["equivalent_ageing"])
    assert (two["energy_kwh"] < 0.0).all()


def test_meters_in_another_order_give_the_same_numbers():
    order = RNG.permutation(12)
    one, two = run()[0], run(LOAD[:, order], meter_id=[METERS[k] for k in order])[0]
    np.testing.assert_allclose(one["equivalent_ageing"], two.loc[one.index, "equivalent_ageing"])


def test_load_on_one_half_of_a_split_phase_winding_is_hotter_than_the_same_on_both():
    both = run()[0]
    one_leg = PLACES.assign(leg=["1", "2", "1"] * 4)
    found, notes = run(places=one_leg)
    assert (found["hot_spot_c"] > both.loc[found.index, "hot_spot_c"]).all()
    even = run(places=PLACES.assign(leg=["1"] * 6 + ["2"] * 6), load=np.tile(LOAD[:, :6], 2))[0]
    whole = run(load=np.tile(LOAD[:, :6], 2))[0]
    np.testing.assert_allclose(
        even["equivalent_ageing"], whole.loc[even.index, "equivalent_ageing"]
    )
    assert not any("no leg" in note.text for note in notes)


def test_what_is_assumed_is_told():
    units = UNITS.assign(loss_ratio=[3.0, np.nan, 4.0])
    places = PLACES.replace({"t2": "t1"})
    _, notes = run(units=units, places=places)
    told = " ".join(note.text for note in notes)
    for part in ("power factor 0.95", "tau_oil_h", "no leg", "1 transformers have no meter"):
        assert part in told
    assert any(note.kind == "warning" and "shorter steps" in note.text for note in notes)


def test_all_that_does_not_fit_is_told_at_once():
    places = PLACES.assign(leg="3")
    places.loc["m0", "transformer_id"] = "t9"
    with pytest.raises(InputError) as caught:
        run(places=places.drop(index="m5"), units=UNITS.assign(rated_kva=[0.0, 37.5, np.nan]))
    text = str(caught.value)
    for part in ("m5", "t9", "leg is '3'", "t0", "t2"):
        assert part in text
    with pytest.raises(InputError) as caught:
        run(LOAD[:, :3], power_factor=1.5, units=UNITS.drop(columns="rated_kva"))
    text = str(caught.value)
    for part in ("shape", "power_factor", "rated_kva"):
        assert part in text
    with pytest.raises(InputError, match="m0"):
        run(np.where(np.arange(12) == 0, np.nan, LOAD))
