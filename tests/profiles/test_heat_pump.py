from __future__ import annotations

import numpy as np
import pytest

from gridimpact.profiles.blocks import block_means
from gridimpact.profiles.heat_pump import (
    HeatPump,
    cop_air,
    electric_demand,
    heat_demand,
    heat_pump_of,
    heat_pump_year,
    hot_water_demand,
    rated_p_kw,
)
from gridimpact.profiles.shapes import year_shape
from gridimpact.profiles.weather import load_ambient
from gridimpact.timeline import Timeline

YEAR = Timeline.year(2016, zone="Europe/Berlin")
SHAPE = year_shape("bdew_h25", 2016, "Europe/Berlin")
AIR = load_ambient("germany_2016", YEAR).temp_air_c
PUMP = HeatPump(0.2, False, True, 0.8, 6.0, 12.0, 5.5)


def test_efficiency_is_the_published_regression_and_falls_with_the_lift() -> None:
    # Staffell et al. 2012: 6.81 - 0.121 dT + 0.000630 dT^2; at 40 K 2.978.
    assert cop_air(np.array([0.0]), np.array([40.0]))[0] == pytest.approx(2.978)
    lifts = cop_air(np.zeros(90), np.arange(90.0))
    assert (np.diff(lifts) <= 0.0).all()
    assert lifts.min() > 1.5


def test_no_heat_is_needed_above_the_heating_limit() -> None:
    warm = np.full(960, 16.0)
    assert heat_demand(PUMP, warm, np.tile(np.arange(96) / 4.0, 10)).max() == 0.0


def test_setback_and_hot_water_move_heat_but_save_none_of_it() -> None:
    cold, hour = np.full(96 * 20, -5.0), np.tile(np.arange(96) / 4.0, 20)
    demand = heat_demand(PUMP, cold, hour)
    assert demand.mean() == pytest.approx(0.2 * 20.0, rel=1e-9)
    assert demand[(hour >= 12.0) & (hour < 14.0)].max() == 0.0
    assert demand[(hour > 1.0) & (hour < 5.0)].max() < demand[(hour > 7.0) & (hour < 11.0)].min()


def test_runs_draw_exactly_the_energy_the_temperature_demands() -> None:
    pump, runs = heat_pump_year("h1", SHAPE, AIR, 1)
    wanted = electric_demand(pump, AIR, SHAPE.hour).sum() / 4.0
    # The hot water's draws are those of the same key.
    found = block_means(runs, SHAPE.start, YEAR).sum() / 4.0
    water = hot_water_demand(pump, SHAPE, AIR, np.random.default_rng(0)).sum() / 4.0
    assert found == pytest.approx(wanted + water, rel=0.02)
    assert found == pytest.approx(runs.energy_kwh, rel=1e-9)


def test_a_fixed_speed_unit_is_on_or_off_and_an_inverter_modulates() -> None:
    for site in (f"h{i}" for i in range(12)):
        pump, runs = heat_pump_year(site, SHAPE, AIR, 1)
        least = rated_p_kw(pump) * (0.35 if pump.inverter else 1.0)
        assert runs.p_kw[runs.end_s > runs.start_s + 1.0].min() >= least * (1.0 - 1e-12)


def test_a_fleet_is_diverse_and_peaks_in_the_cold_where_measured_ones_do() -> None:
    power = np.stack(
        [
            block_means(heat_pump_year(f"h{i}", SHAPE, AIR, 1)[1], SHAPE.start, YEAR)
            for i in range(60)
        ],
        axis=1,
    )
    annual = power.sum(axis=0) / 4.0
    assert 3000.0 < np.median(annual) < 5000.0
    peak = power.mean(axis=1).max()
    # Electricity North West, LV Network Solutions: after-diversity maximum demand 2.2 kW.
    assert 1.6 < peak < 2.8
    # In mild weather units cycle apart; in the cold all run, and little diversity is left.
    mild = power[96 * 100 : 96 * 107]
    assert mild.mean(axis=1).max() < 0.6 * mild.max(axis=0).mean()
    assert peak > 0.8 * power.max(axis=0).mean()
    day = power.mean(axis=1).reshape(-1, 96).mean(axis=1)
    assert np.corrcoef(day, AIR.reshape(-1, 96).mean(axis=1))[0, 1] < -0.9


def test_traits_belong_to_the_site() -> None:
    assert heat_pump_of("a", 1) == heat_pump_of("a", 1)
    assert heat_pump_of("a", 1) != heat_pump_of("b", 1)
