"""Oil and winding heated by different currents, in every model; gaps and other lives passed through."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.ageing import (
    AnnexGPlate,
    IecPlate,
    Nameplate,
    Replacement,
    annex_g_series,
    deferral,
    equivalent_ageing,
    heat_series,
    iec_series,
    largest_jump_pu,
    sensitivity_table,
    thermal_loadings,
    thermal_series,
)

REPORT = AnnexGPlate(
    cooling="ONAN", rated_kva=100.0, loss_kva=100.0, loss_temp_c=75.0, winding_loss_w=1200.0,
    winding_eddy_loss_w=30.0, stray_loss_w=50.0, core_loss_w=200.0, winding_rise_rated_k=65.0,
    winding_rise_k=63.0, hot_spot_rise_k=80.0, top_oil_rise_k=55.0, bottom_oil_rise_k=25.0,
    core_coil_kg=200.0, tank_kg=100.0, oil_l=150.0,
)  # fmt: skip
AIR = 15.0 + 10.0 * np.sin(np.arange(24) / 24.0 * 2.0 * np.pi)
PHASES = np.random.default_rng(4).uniform(0.0, 1.4, (2, 24, 2, 3))
OIL, WINDING = thermal_loadings(PHASES, by_phase=True)
KINDS = {
    "clause7": (Nameplate.preset("ieee_65c", 2), thermal_series),
    "iec": (IecPlate.preset("onan", 2), iec_series),
}


@pytest.mark.parametrize("kind", KINDS)
def test_oil_follows_its_own_loading_and_the_gradient_the_winding(kind):
    plate, series = KINDS[kind]
    found = heat_series(OIL, WINDING, AIR, plate, 1.0)
    oil, winding = (series(load, AIR, plate, 1.0) for load in (OIL, WINDING))
    assert found.top_oil_c == pytest.approx(oil.top_oil_c)
    gradient = winding.hot_spot_c - winding.top_oil_c
    assert found.hot_spot_c == pytest.approx(oil.top_oil_c + gradient)
    worst = heat_series(WINDING, WINDING, AIR, plate, 1.0)
    assert (found.hot_spot_c <= worst.hot_spot_c + 1e-9).all()
    assert worst.hot_spot_c == pytest.approx(winding.hot_spot_c)


def test_annex_g_takes_a_report_for_each_transformer():
    warmer = REPORT.replaced(enclosure_rise=10.0)
    both = heat_series(OIL, OIL, AIR, (REPORT, warmer), 1.0)
    for k, report in enumerate((REPORT, warmer)):
        one = annex_g_series(OIL[:, :, [k]], AIR, report, 1.0)
        assert both.hot_spot_c[:, :, [k]] == pytest.approx(one.hot_spot_c)
    apart = heat_series(OIL, WINDING, AIR, (REPORT, warmer), 1.0)
    assert apart.top_oil_c == pytest.approx(both.top_oil_c)
    assert (apart.hot_spot_c >= both.hot_spot_c - 1e-9).all()


def test_fed_back_and_drawn_currents_age_alike():
    fed = thermal_loadings(-PHASES, by_phase=True)
    for load, other in zip((OIL, WINDING), fed, strict=True):
        assert load.tobytes() == other.tobytes()


@pytest.mark.parametrize("kind", [*KINDS, "annex_g"])
def test_every_model_is_swept_and_each_direction_is_physical(kind):
    plate = (REPORT, REPORT) if kind == "annex_g" else KINDS[kind][0]

    def found(chosen, shift_k):
        series = heat_series(OIL, WINDING, AIR + shift_k, chosen, 1.0, start="periodic")
        return equivalent_ageing(series.ageing_rate).mean(axis=0)

    table = sensitivity_table(found, plate)
    assert len(table) == 8
    rows = table.set_index(["assumption", "transformer"])
    for name in ("ambient +-5 K", "rated oil rise +-5 K"):
        part = rows.loc[name]
        assert (part["lower"] < part["as_given"]).all()
        assert (part["as_given"] < part["higher"]).all()
    # Where heat is stored longer, peaks of load reach the hot spot less.
    slow = rows.loc["oil time constant over/times 1.5"]
    assert (slow["higher"] < slow["lower"]).all()
    assert not np.allclose(rows.loc["loss ratio over/times 1.5"]["lower"], slow["as_given"])


def test_a_gap_in_the_loading_is_no_jump():
    loading = np.array([0.2, np.nan, 0.9, 1.0])[None, :, None]
    assert largest_jump_pu(loading) == pytest.approx(0.1)
    assert largest_jump_pu(loading[:, :1]) == 0.0


def test_deferral_counts_the_life_it_is_told():
    new = Replacement(10_000.0, 0.04, 200.0)
    usual, short = (deferral(0.5, 1.0, new, life_h=hours) for hours in (180_000.0, 65_000.0))
    assert float(usual.years / short.years) == pytest.approx(180.0 / 65.0)
