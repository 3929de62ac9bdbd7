from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridimpact.errors import InputError
from gridimpact.profiles import Sky, load_ambient, synthesize_households
from gridimpact.timeline import Timeline

ZONE = "Europe/Berlin"
YEAR = Timeline.year(2016, zone=ZONE)
WEEK = Timeline.days("2016-01-11", 7, zone=ZONE)
FIRST = int((WEEK.start - YEAR.start) / np.timedelta64(900, "s"))


def test_annual_energy_is_exact_for_homes_and_buildings(village: Any) -> None:
    wanted = {"h0": 1800.0, "h1": 3500.0, "h2": 6200.0}
    made = synthesize_households(village(3, 1), YEAR, annual_kwh=wanted, buildings={"b0": 90_000.0})
    assert made.site_id == ("h0", "h1", "h2", "b0")
    np.testing.assert_allclose(
        made.load_p_kw.sum(axis=0) * YEAR.dt_h, [1800.0, 3500.0, 6200.0, 90_000.0], rtol=1e-9
    )
    assert made.calibrated == "uncalibrated"
    assert made.load_q_kvar is None
    assert made.heat_pump_p_kw is None
    assert made.pv_p_kw.max() == made.pv_p_kw.min() == 0.0
    assert not made.load_p_kw.flags.writeable


def test_one_home_more_changes_no_other(village: Any) -> None:
    few = synthesize_households(village(4), WEEK, seed=3)
    many = synthesize_households(village(7), WEEK, seed=3)
    np.testing.assert_array_equal(few.load_p_kw, many.load_p_kw[:, :4])
    other = synthesize_households(village(4), WEEK, seed=4)
    assert np.abs(few.load_p_kw - other.load_p_kw).max() > 0.5


def test_a_week_alone_is_the_week_of_its_year_with_everything_on(village: Any) -> None:
    wishes: dict[str, Any] = {
        "heat_pump_share": 0.5,
        "pv_share": 0.5,
        "peak_kva": 30.0,
        "seed": 5,
        "buildings": {"b0": 30_000.0},
    }
    net = village(8, 1)
    year = synthesize_households(net, YEAR, **wishes)
    week = synthesize_households(net, WEEK, **wishes)
    for name in ("load_p_kw", "pv_p_kw", "heat_pump_p_kw"):
        whole, part = getattr(year, name), getattr(week, name)
        np.testing.assert_allclose(part, whole[FIRST : FIRST + WEEK.count], atol=1e-8)
    assert year.calibrated == week.calibrated
    hours = Timeline.days("2016-01-11", 7, step="60min", zone=ZONE)
    coarse = synthesize_households(net, hours, **wishes)
    np.testing.assert_allclose(
        coarse.load_p_kw, week.load_p_kw.reshape(168, 4, -1).mean(axis=1), atol=1e-9
    )


def test_calibration_meets_the_measured_maximum_and_keeps_energies(village: Any) -> None:
    net = village(30)
    free = synthesize_households(net, YEAR, heat_pump_share=0.5, seed=1)
    made = synthesize_households(net, YEAR, heat_pump_share=0.5, seed=1, peak_kva=70.0)
    assert made.load_p_kw.sum(axis=1).max() / 0.95 == pytest.approx(70.0, rel=1e-6)
    np.testing.assert_allclose(made.load_p_kw.sum(axis=0), free.load_p_kw.sum(axis=0), rtol=1e-9)
    assert "70.0 kVA against 70.0 kVA measured" in made.calibrated
    assert (made.heat_pump_p_kw <= made.load_p_kw + 1e-12).all()
    single = synthesize_households(net, YEAR, heat_pump_share=0.5, seed=1, peak_kva={3: 70.0})
    np.testing.assert_array_equal(single.load_p_kw, made.load_p_kw)
    assert single.calibrated.startswith("Elm Street (3)")


def test_a_maximum_that_contradicts_the_energy_is_refused(village: Any) -> None:
    with pytest.raises(InputError, match="check annual_kwh"):
        synthesize_households(village(5), WEEK, peak_kva=1.0)


def test_a_larger_share_of_owners_contains_a_smaller_one(village: Any) -> None:
    net = village(40)

    def owners(share: float) -> set[int]:
        made = synthesize_households(net, WEEK, heat_pump_share=share, seed=2)
        assert made.heat_pump_p_kw is not None or share == 0.0
        power = np.zeros((1, 40)) if made.heat_pump_p_kw is None else made.heat_pump_p_kw
        return set(np.flatnonzero(power.max(axis=0) > 0.0).tolist())

    assert owners(0.25) < owners(0.5)
    assert len(owners(0.25)) == 10
    assert len(owners(0.5)) == 20
    assert owners(0.0) == set()


def test_owners_and_plant_sizes_may_be_named(village: Any) -> None:
    day = Timeline.days("2016-06-06", 1, zone=ZONE)
    made = synthesize_households(
        village(4, 1), day, heat_pump_share=["h2"], pv_kwp={"h1": 5.0, "b0": 60.0}
    )
    assert np.flatnonzero(made.heat_pump_p_kw.max(axis=0) > 0).tolist() in ([2], [])
    assert np.flatnonzero(made.pv_p_kw.min(axis=0) < 0).tolist() == [1, 4]
    assert made.pv_p_kw[:, 4].min() < 5.0 * made.pv_p_kw[:, 1].min()


def test_place_of_the_plants_is_named(village: Any) -> None:
    day = Timeline.days("2016-06-06", 1, zone=ZONE)

    def note(**wishes: Any) -> str:
        net = village(2, geographic=wishes.pop("geographic", True))
        made = synthesize_households(net, day, pv_share=1.0, **wishes)
        return next(note.text for note in made.notes if note.where == "pv")

    assert "48.47 N 7.87 E (the network's coordinates)" in note()
    assert "assumed, the network has no coordinates" in note(geographic=False)
    assert "10.00 N" in note(sky=Sky(latitude=10.0))


def test_public_sites_have_no_load_and_buildings_without_energy_follow_the_network(
    village: Any,
) -> None:
    net = village(1, 1)
    net.sites.loc["p0"] = {"bus": 10, "kind": "public", "load_p_kw": 0.0}
    made = synthesize_households(net, YEAR)
    assert made.load_p_kw[:, 2].max() == 0.0
    assert made.load_p_kw[:, 1].max() == pytest.approx(40.0, rel=0.4)
    assert any(note.where == "b0" and "own demand of 40.0 kW" in note.text for note in made.notes)


def test_every_wrong_argument_is_told_at_once(village: Any) -> None:
    with pytest.raises(InputError) as caught:
        synthesize_households(
            village(2),
            WEEK,
            annual_kwh={"h0": -1.0, "ghost": 1.0},
            peak_kva={9: 100.0},
            heat_pump_share=30,
            pv_share=["h7"],
            pv_kwp={"h0": -4.0},
            seed=-1,
            buildings={"h0": 5.0},
        )
    text = str(caught.value)
    for part in ("annual_kwh, ghost", "annual_kwh, h1", "annual_kwh, h0", "transformer 9",
                 "heat_pump_share: is 30", "pv_share, h7", "pv_kwp, h0", "seed", "buildings, h0"):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(
    "wrong",
    [
        {"annual_kwh": float("nan")},
        {"annual_kwh": "3500"},
        {"peak_kva": 0.0},
        {"peak_kva": {3: float("inf")}},
        {"pv_share": 0.5, "pv_kwp": -1.0},
        {"heat_pump_share": "half"},
    ],
)
def test_impossible_numbers_are_refused(village: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        synthesize_households(village(2), WEEK, **wrong)


def test_a_temperature_of_one_week_drives_heat_pumps_but_cannot_calibrate_a_year(
    village: Any,
) -> None:
    cold = np.full(WEEK.count, -8.0)
    net = village(4)
    made = synthesize_households(net, WEEK, heat_pump_share=1.0, ambient=cold)
    warm = synthesize_households(net, WEEK, heat_pump_share=1.0, ambient=np.full(WEEK.count, 14.0))
    assert made.heat_pump_p_kw.sum() > 4.0 * warm.heat_pump_p_kw.sum()
    with pytest.raises(InputError, match="needs a year"):
        synthesize_households(net, WEEK, heat_pump_share=1.0, ambient=cold, peak_kva=20.0)


def test_an_hourly_year_with_a_given_temperature_can_be_calibrated(village: Any) -> None:
    hours = Timeline.year(2016, step="60min", zone=ZONE)
    air = load_ambient("germany_2016", hours)
    made = synthesize_households(village(6), hours, heat_pump_share=0.5, ambient=air, peak_kva=25.0)
    assert made.load_p_kw.shape == (8784, 6)
    assert "25.0 kVA" in made.calibrated


def test_a_timeline_over_new_year_holds_both_years(village: Any) -> None:
    turn = Timeline.days("2016-12-30", 4, zone=ZONE)
    made = synthesize_households(village(3), turn, peak_kva=12.0)
    assert (made.load_p_kw.min(axis=0) > 0.0).all()
    assert made.load_p_kw.sum(axis=1).max() <= 12.0 * 0.95 + 1e-6


@pytest.mark.slow
def test_a_street_of_180_homes_takes_seconds_for_a_year(village: Any) -> None:
    import time

    begin = time.perf_counter()
    synthesize_households(village(180), YEAR, heat_pump_share=0.5, pv_share=0.4)
    assert time.perf_counter() - begin < 10.0
