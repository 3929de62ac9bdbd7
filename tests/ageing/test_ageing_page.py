"""The numbers of the page on ageing are what the models give."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gridimpact.ageing import (
    Harmonics,
    Nameplate,
    age,
    ageing_rate,
    loss_ratio_at_tap,
    thermal_loadings,
    unequal_series,
)
from gridimpact.ageing.sensitivity import sensitivity_table

PAGE = (Path(__file__).parents[2] / "docs" / "ageing.md").read_text(encoding="utf-8")
HOUR = np.arange(96) / 4.0
EVENING = 0.35 + 0.7 * np.exp(-0.5 * ((HOUR - 19.5) / 2.5) ** 2)
AIR = np.full(96, 30.0)
UNIT = Nameplate.preset("ieee_65c")


def ageing(unit: Nameplate, shift_k: float = 0.0) -> np.ndarray:
    found = age(EVENING[None, :, None], AIR + shift_k, unit, 0.25, start="periodic")
    return found.equivalent_ageing.mean(axis=0)


def heated_apart(oil: np.ndarray, winding: np.ndarray) -> float:
    pair = (oil[None, :, None], winding[None, :, None])
    return float(unequal_series(*pair, AIR, UNIT, 0.25, start="periodic").ageing_rate.mean())


def test_each_assumption_moves_the_evening_as_the_page_says():
    table = sensitivity_table(ageing, UNIT)
    words = (
        "air by 5 K",
        "loss ratio over and times 1.5",
        "oil time constant over and times 1.5",
        "rated oil rise by 5 K, same gradient",
    )
    assert f"equivalent ageing is {table['as_given'][0]:.3f}" in PAGE
    for row, text in zip(table.itertuples(), words, strict=True):
        expected = f"| {text} | {row.lower / row.as_given:.2f} | {row.higher / row.as_given:.2f} |"
        assert expected in PAGE
    closed = dataclasses.replace(UNIT, enclosure_rise_k=np.array([10.0]))
    assert f"| enclosure of 10 K | | {float((ageing(closed) / ageing(UNIT))[0]):.1f} |" in PAGE


def test_phases_harmonics_and_tap_move_it_as_the_page_says():
    base = float(ageing(UNIT)[0])
    phases = EVENING[:, None] * np.array([1.3, 0.85, 0.85])
    uneven = heated_apart(*thermal_loadings(phases, by_phase=True))
    assert f"ages {uneven / base:.1f} times" in PAGE
    spectrum = Harmonics.of_spectrum([1, 5, 7], [1.0, 0.1, 0.05], eddy_pu=0.05, stray_pu=0.05)
    dirty = heated_apart(*thermal_loadings(EVENING, harmonics=spectrum))
    assert f"ages {dirty / base:.2f} times" in PAGE
    for tap in (-0.05, 0.05):
        ratio = loss_ratio_at_tap(UNIT.loss_ratio, tap)
        moved = float(ageing(dataclasses.replace(UNIT, loss_ratio=ratio))[0]) / base - 1.0
        assert f"{float(ratio[0]):.2f}" in PAGE
        assert f"{100.0 * moved:+.1f} %" in PAGE


@pytest.mark.parametrize("hot_spot_c", [80.0, 140.0])
def test_the_offset_to_kelvin_moves_rates_as_the_page_says(hot_spot_c):
    other = np.exp(15_000.0 / 383.15 - 15_000.0 / (hot_spot_c + 273.15))
    moved = 100.0 * (other / float(ageing_rate(hot_spot_c)) - 1.0)
    assert f"{moved:+.2f} % at {hot_spot_c:g} °C" in PAGE


def test_papers_part_as_the_page_says():
    rates = [float(ageing_rate(98.0, paper)) for paper in ("upgraded", "rise_55", "non_upgraded")]
    assert f"{rates[0]:.2f}, {rates[1]:.2f} and {rates[2]:.0f}" in PAGE
    for hot_spot_c, words in (
        (98.0, "ages at 98 °C {:.1f} times"),
        (120.0, "at 120 °C {:.1f} times"),
    ):
        over = ageing_rate(hot_spot_c, "non_upgraded") / ageing_rate(hot_spot_c)
        assert words.format(float(over)) in PAGE
