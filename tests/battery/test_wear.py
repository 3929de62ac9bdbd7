"""Capacity lost by time and use against published figures and the laws' own properties."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gridimpact.battery.ageing_laws import (
    graphite_potential,
    sanyo_volts,
    schmalstieg_calendar,
    schmalstieg_cycle,
    wang_calendar_percent,
    wang_cycle_percent,
)
from gridimpact.battery.semi_empirical import (
    FLEET_CELLS,
    LFP_250AH,
    NCA_3AH,
    NMC111_2AH,
    NMC622_50AH,
)
from gridimpact.battery.wear import LONGEST_YEARS, joined
from gridimpact.battery.wear_sums import wear_of
from gridimpact.errors import InputError

TEN_YEARS = 10 * 365 / 365.25
BLAST = {
    "lfp_250ah": "Lfp_Gr_250AhPrismatic",
    "nmc_75ah_a": "NMC_Gr_75Ah_A",
    "nmc_50ah_b1": "NMC_Gr_50Ah_B1",
    "nmc622_50ah": "Nmc622_Gr_DENSO50Ah_Battery",
    "nca_3ah": "Nca_Gr_Panasonic3Ah_Battery",
    "nmc111_2ah": "Nmc111_Gr_Sanyo2Ah_Battery",
}
DRIVE = [(0, 0.66), (5, 0.9), (7.75, 0.9), (8.25, 0.76), (17, 0.76), (17.5, 0.62)]


def repeated(points, days=20, dt_h=0.25):
    """Return a day given by (hour, state of charge), repeated, (time, 1)."""
    hour = np.arange(round(days * 24 / dt_h)) % round(24 / dt_h) * dt_h
    return np.interp(hour, *zip(*points, strict=True))[:, None]


def use(kind):
    """Return driving alone, or with two hours of peak shaving or of regulation in the evening."""
    if kind == "peak":
        return repeated([*DRIVE, (19, 0.62), (21, 0.37), (23, 0.62), (24, 0.66)])
    soc = repeated([*DRIVE, (23, 0.62), (24, 0.66)])
    if kind == "regulation":
        hour = np.arange(soc.size) % 96 / 4
        evening = (hour > 19) & (hour <= 21)
        soc[evening, 0] += np.where(np.arange(soc.size)[evening] % 2, 0.03, -0.03)
    return soc


def test_storage_loss_agrees_with_the_published_laws_in_one_line():
    found = wear_of(np.full((365, 1), 0.5), 24.0, 25.0, cells=(NCA_3AH, LFP_250AH, NMC111_2AH))
    days, temp = 3650.0, 298.15
    nca = 75.4 * np.exp(-3340 / temp + 353 * 0.5 / temp) * days**0.512
    lfp = 8.37e4 * np.exp(-5210 / temp - 3560 * float(graphite_potential(0.5)) / temp) * days**0.526
    nmc = schmalstieg_calendar(3.69741707182681, temp, days)
    assert found.loss(TEN_YEARS)[:, 0] == pytest.approx([nca, lfp, float(nmc)], rel=1e-9)


@pytest.mark.parametrize(
    ("volts", "temp", "days", "loss"),
    [(3.69741707182681, 298.15, 365, 0.023835438), (3.69741707182681, 308.15, 3650, 0.286404586)],
)
def test_schmalstieg_calendar_loss(volts, temp, days, loss):
    assert schmalstieg_calendar(volts, temp, days) == pytest.approx(loss, rel=1e-8)


@pytest.mark.parametrize(
    ("depth", "ah", "loss"), [(0.5, 1000, 0.08881263), (1.0, 2150, 0.22483897)]
)
def test_schmalstieg_cycle_loss(depth, ah, loss):
    assert schmalstieg_cycle(3.7, depth, ah) == pytest.approx(loss, rel=1e-7)


def test_open_circuit_voltage_at_the_three_known_points():
    assert sanyo_volts([0.0, 0.5, 1.0]).tolist() == [3.331, 3.69741707182681, 4.162]


def test_the_parabola_of_wang_stays_positive_with_all_its_digits():
    temp = np.linspace(250.0, 340.0, 2000)
    least = wang_cycle_percent(temp, 0.0, 1.0)
    assert least.min() == pytest.approx(3.911111e-4, rel=1e-4)
    assert temp[np.argmin(least)] == pytest.approx(297.5, abs=0.1)
    rounded = 8.61e-6 * 297.5**2 - 5.13e-3 * 297.5 + 0.763
    assert rounded < 0.0


@pytest.mark.reference
def test_all_reference_cases_of_wang_and_schmalstieg(reference):
    path = reference / "reference" / "requirements" / "battery_degradation.json"
    data = json.loads(path.read_text())
    for case in data["wang_v2gsim"]["cases"]:
        if "days" in case:
            found = wang_calendar_percent(case["T"], case["days"], case["f"])
            assert found == pytest.approx(case["expect_cal_pct"], rel=1e-12)
        else:
            found = wang_cycle_percent(case["T"], case["C"], case["Ah"])
            assert found == pytest.approx(case["expect_cyc_pct"], rel=1e-9)
    for case in data["schmalstieg"]["cases"]:
        if "V" in case:
            found = schmalstieg_calendar(case["V"], case["T"], case["days"])
        else:
            found = schmalstieg_cycle(case["Vrms"], case["DoD"], case["Q"])
        assert found == pytest.approx(case["expect"], rel=1e-12)


@pytest.mark.parametrize(
    ("high", "low", "left"),
    [
        (0.9, 0.7, [0.930, 0.949, 0.787, 0.895, 0.810, 0.652]),
        (0.9, 0.5, [0.916, 0.908, 0.788, 0.823, 0.806, 0.543]),
        (0.5, 0.5, [0.963, 0.984, 0.863, 0.917, 0.876, 0.866]),
    ],
)
def test_ten_years_of_daily_cycles_leave_what_the_reference_code_finds(high, low, left):
    # BLAST-Lite 1.1.1, 25 degC; it cuts time at full cycles, we at days.
    day = [(0, high), (8, high), (18, low), (22, low), (24, high)]
    found = wear_of(repeated(day, dt_h=1.0), 1.0, 25.0, cells=(*FLEET_CELLS, NMC111_2AH))
    kept = 1.0 - found.loss(TEN_YEARS)[:, 0]
    assert kept[:5] == pytest.approx(left[:5], abs=0.006)
    assert kept[5] == pytest.approx(left[5], abs=0.05)


@pytest.mark.reference
def test_all_profiles_of_the_reference_code_within_a_band(reference):
    path = reference / "reference" / "requirements" / "battery_degradation.json"
    data = json.loads(path.read_text())["blast_lite_1_1_1"]
    spans = {
        "dod20_hi": (0.9, 0.7),
        "dod40": (0.9, 0.5),
        "dod80": (0.9, 0.1),
        "storage50_25C": (0.5,) * 2,
    }
    cells = (*FLEET_CELLS, NMC111_2AH)
    for name, (high, low) in spans.items():
        day = [(0, high), (8, high), (18, low), (22, low), (24, high)]
        kept = 1.0 - wear_of(repeated(day, dt_h=1.0), 1.0, cells=cells).loss(TEN_YEARS)[:, 0]
        for cell, left in zip(cells, kept, strict=True):
            # Its chunks of a full cycle see deeper days: most where loss grows with the sixth power.
            deep = name == "dod80" and cell is NMC622_50AH
            told = data["results_A"][BLAST[cell.name]][name]["q10"]
            assert left == pytest.approx(told, abs=0.08 if deep or cell is NMC111_2AH else 0.016)
    for kind, key in {"drive": "drive", "peak": "peak", "regulation": "reg"}.items():
        kept = 1.0 - wear_of(use(kind), 0.25, cells=FLEET_CELLS).loss(TEN_YEARS)[:, 0]
        for cell, left in zip(FLEET_CELLS, kept, strict=True):
            told = data["results_B"][BLAST[cell.name]][key]["q10"]
            assert left == pytest.approx(told, abs=0.02)


def test_two_hours_of_service_a_day_cost_what_published_studies_find():
    base = wear_of(use("drive"), 0.25).loss(10.0)[:, 0]
    for kind, low, high in (("regulation", 0.8, 3.2), ("peak", 1.1, 7.4)):
        extra = 100.0 * (wear_of(use(kind), 0.25).loss(10.0)[:, 0] - base)
        assert low <= extra.min()
        assert extra.max() <= high
        # Wang et al. 2016 as quoted by doi:10.2478/jlst-2018-0010 lies within 0.5 to 8 points, as ours.
        assert np.all((extra > 0.5) & (extra < 8.0))


def test_a_lower_mean_state_of_charge_lives_longer_and_feeding_shortens_life():
    soon = repeated([(0, 0.9), (8, 0.9), (9, 0.6), (17, 0.6), (18, 0.5), (20, 0.9), (24, 0.9)])
    late = repeated(
        [(0, 0.5), (3, 0.5), (7, 0.9), (8, 0.9), (9, 0.6), (17, 0.6), (18, 0.5), (24, 0.5)]
    )
    feeds = repeated(
        [
            (0, 0.5),
            (3, 0.5),
            (7, 0.9),
            (8, 0.9),
            (9, 0.6),
            (17, 0.6),
            (18, 0.5),
            (20, 0.2),
            (23, 0.9),
            (24, 0.9),
        ]
    )
    feeds = np.maximum(feeds, 0.2)
    found = wear_of(np.hstack([late, soon, feeds]), 0.25)
    smart, now, v2g = found.loss(10.0).T
    monotone = [cell is not NMC622_50AH for cell in FLEET_CELLS]
    assert np.all((smart < now)[monotone])
    assert smart.mean() < now.mean() < v2g.mean()
    assert found.full_cycles[2] > found.full_cycles[0]


def test_the_same_energy_in_another_order_adds_no_cycles():
    rng = np.random.default_rng(4)
    steps = rng.uniform(0.0, 0.01, 40)
    soon = 0.4 + np.concatenate([[0.0], np.cumsum(steps), np.full(55, steps.sum())])
    late = 0.4 + np.concatenate([np.zeros(56), np.cumsum(steps[::-1])])
    both = np.stack([np.tile(soon, 10), np.tile(late, 10)], axis=1)
    found = wear_of(both, 0.25)
    assert found.full_cycles[0] == pytest.approx(found.full_cycles[1], rel=1e-9)


def test_spans_join_to_the_wear_of_the_whole():
    soc = use("peak")
    half = soc.shape[0] // 2
    both = joined([wear_of(soc[:half], 0.25, 10.0), wear_of(soc[half:], 0.25, 10.0)])
    whole = wear_of(soc, 0.25, 10.0)
    assert both.days == whole.days
    np.testing.assert_allclose(both.loss(8.0), whole.loss(8.0), rtol=1e-3)
    np.testing.assert_allclose(both.full_cycles, whole.full_cycles, rtol=2e-2)


def test_years_to_the_end_of_life_lose_a_fifth_of_the_capacity():
    found = wear_of(use("peak"), 0.25)
    years = found.years_to(0.8)
    lost = found.loss(years)
    assert np.all(years[years < LONGEST_YEARS] > 5.0)
    assert lost[years < LONGEST_YEARS - 1e-6] == pytest.approx(0.2, abs=1e-9)
    assert np.all(found.years_to(0.9) < years)
    assert found.miner_years()[0] == pytest.approx(found.days / 365.25 / found.miner[0])


def test_a_service_that_doubles_the_energy_takes_a_quarter_of_the_life():
    # doi:10.2478/jlst-2018-0010 section V: 44.8 MWh in 11.8 years, with service 72.8 MWh in 8.7.
    assert pytest.approx(0.7372881355932203) == 8.7 / 11.8
    assert pytest.approx(1.625) == 72.8 / 44.8
    assert pytest.approx((3.796610169491525, 8.367816091954023)) == (44.8 / 11.8, 72.8 / 8.7)
    alone, served = (wear_of(use(kind), 0.25) for kind in ("drive", "peak"))
    ratio = served.years_to() / alone.years_to()
    assert ratio.min() < 0.7372881355932203 < ratio.max()


def test_wear_is_paid_by_the_share_of_the_life_it_takes():
    found = wear_of(use("drive"), 0.25)
    price = np.array([7200.0])
    yearly = found.cost(price) * 365.25 / found.days
    np.testing.assert_allclose(yearly, found.loss_per_year() / 0.2 * 7200.0)
    # Ten to forty years of life are 180 to 720 a year.
    assert np.all((yearly > 130.0) & (yearly < 800.0))


def test_a_service_is_priced_by_what_it_adds():
    alone, served = wear_of(use("drive"), 0.25), wear_of(use("peak"), 0.25)
    whole = served.cost_per_kwh(120.0)
    taken = served.full_cycles * 60.0
    np.testing.assert_allclose(whole * taken, served.cost(7200.0))
    added = served.cost_per_kwh(120.0, without=alone)
    # Much of a battery's loss is age, which comes anyway; one cell's cycling loss grows faster than linear.
    assert (added < whole).sum() == 4
    assert added.min() > 0.005
    assert added.max() < 0.06
    assert np.isnan(alone.cost_per_kwh(120.0, without=alone)).all()


def test_cells_with_a_margin_see_shallower_cycles():
    soc = np.hstack([use("peak"), use("peak")])
    found = wear_of(soc, 0.25, gross_share=[1.0, 0.9])
    assert found.full_cycles[1] == pytest.approx(0.9 * found.full_cycles[0])
    assert np.all(found.cycle_sum[:, 1] < found.cycle_sum[:, 0])


def test_shallow_cycling_and_frost_are_told_as_outside_the_tests():
    mild, frost = wear_of(use("drive"), 0.25, 25.0), wear_of(use("drive"), 0.25, -5.0)
    assert mild.outside[:, 0].tolist() == [1.0, 1.0, 1.0, 0.0, 1.0]
    assert np.all(frost.outside == 1.0)


@pytest.mark.parametrize(
    ("soc", "dt_h", "words"),
    [
        (np.zeros(4), 1.0, "time, vehicle"),
        (np.full((4, 1), np.nan), 1.0, "finite"),
        (np.zeros((4, 1)), 0.7, "divide a day"),
    ],
)
def test_a_series_that_cannot_be_counted_by_days_is_refused(soc, dt_h, words):
    with pytest.raises(InputError, match=words):
        wear_of(soc, dt_h)


def test_impossible_ends_of_life_and_joins_are_refused():
    with pytest.raises(InputError, match="end of life"):
        wear_of(np.zeros((4, 1)), 1.0).years_to(1.0)
    with pytest.raises(InputError, match="no wear"):
        joined([])


def test_a_trip_hidden_by_charging_in_its_step_is_seen_when_told():
    end = np.full((48, 1), 0.9)
    begin = end.copy()
    begin[::24] = 0.7
    found = wear_of(end, 1.0, soc_begin=begin)
    assert found.full_cycles[0] == pytest.approx(0.3)  # the first trip is before the first step
    assert found.miner[0] == pytest.approx(1.5 * 0.2**2.5197987529969073 / 2849.5499516038776)
    assert wear_of(end, 1.0).full_cycles[0] == 0.0
    with pytest.raises(InputError, match="soc_begin"):
        wear_of(end, 1.0, soc_begin=begin[:4])


def test_cycles_inside_a_step_count_as_throughput():
    soc = repeated([(0, 0.5), (10, 0.9), (24, 0.5)])
    plain, shaken = wear_of(soc, 0.25), wear_of(soc, 0.25, inner_cycles=np.full(soc.shape, 0.002))
    assert shaken.full_cycles[0] == pytest.approx(plain.full_cycles[0] + 0.002 * soc.size)
    assert np.all(shaken.cycle_sum > plain.cycle_sum)
    np.testing.assert_array_equal(shaken.calendar_sum, plain.calendar_sum)
