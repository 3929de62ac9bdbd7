"""The score of a regulation response against published scorers, and what it earns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gridimpact.dispatch.services import regulation_score, settle_regulation
from gridimpact.dispatch.services.score import mean_score
from gridimpact.errors import InputError

WAVE = np.sin(2 * np.pi * np.arange(431) / 60)
RESPONSES = {
    "perfect": WAVE,
    "delay_10s": np.roll(WAVE, 1),
    "delay_60s": np.roll(WAVE, 6),
    "gain_0.8": 0.8 * WAVE,
    "zero": np.zeros_like(WAVE),
    "half_band_v1g(clipped at >=0)": np.maximum(WAVE, 0.0),
}
SCORES = {
    "perfect": (1.0, 1.0),
    "delay_10s": (0.9550105339590167, 0.9528418037117694),
    "delay_60s": (0.7309425219898684, 0.7287737917426211),
    "gain_0.8": (0.9333333333333335, 0.9333333333333335),
    "zero": (0.0, 0.0),
    "half_band_v1g(clipped at >=0)": (0.7209931647127835, 0.713978213908902),
}
"""By the manual's sum rule and by the best correlation: GMLC-1-4-2/battery_interface, reg_service.py."""


@pytest.mark.parametrize("case", RESPONSES)
def test_scores_are_those_of_the_public_scorers(case: str):
    by_sum, by_correlation = SCORES[case]
    assert regulation_score(WAVE, RESPONSES[case]).score == pytest.approx(by_sum, abs=1e-12)
    found = regulation_score(WAVE, RESPONSES[case], rule="correlation")
    assert found.score == pytest.approx(by_correlation, abs=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("rule", ["sum", "correlation"])
def test_every_part_of_every_reference_case(reference: Path, rule: str):
    text = (reference / "reference/requirements/pjm_regulation_score.json").read_text()
    key = {"sum": "expect_sum_rule", "correlation": "expect_corr_only"}[rule]
    for case in json.loads(text)["cases"]:
        found = regulation_score(WAVE, RESPONSES[case["id"]], rule=rule)
        parts = (found.delay, found.correlation, found.precision, found.score)
        assert parts == pytest.approx(tuple(case[key].values()), abs=1e-12), case["id"]


def test_slower_and_weaker_responses_score_less():
    late = [regulation_score(WAVE, np.roll(WAVE, k)).score for k in (0, 1, 3, 6, 12)]
    assert late == sorted(late, reverse=True)
    weak = [regulation_score(WAVE, g * WAVE).score for g in (1.0, 0.8, 0.5)]
    assert weak == sorted(weak, reverse=True)
    assert regulation_score(WAVE, WAVE).qualifies
    assert not regulation_score(WAVE, np.roll(WAVE, 6)).qualifies


def test_a_finer_clock_scores_the_same_delay():
    fine = np.sin(2 * np.pi * np.arange(0, 4310, 2) / 600)
    found = regulation_score(fine, np.roll(fine, 30), step_s=2)
    assert found.score == pytest.approx(SCORES["delay_60s"][0], abs=0.02)


def test_a_signal_at_the_rail_counts_by_its_precision():
    rail = np.ones(400)
    assert regulation_score(rail, rail).score == 1.0
    half = regulation_score(rail, 0.5 * rail)
    assert (half.delay, half.correlation, half.precision) == (0.5, 0.5, 0.5)


def test_hours_are_weighted_by_what_was_asked():
    one = np.concatenate([WAVE[:360], np.zeros(360), 3.0 * WAVE[:390]])
    done = np.concatenate([WAVE[:360], np.zeros(360), 1.5 * WAVE[:390]])
    found = mean_score(one, done, 10, 360)
    alone = regulation_score(one[720:], done[720:]).score
    assert found is not None
    first = regulation_score(one[:390], done[:390]).score
    sizes = [np.abs(one[a : a + 360]).sum() for a in (0, 720)]
    assert found.score == pytest.approx(np.average([first, alone], weights=sizes))
    assert mean_score(np.zeros(800), np.zeros(800), 10, 360) is None


def test_settlement_pays_capability_and_movement_and_nothing_for_a_poor_score():
    assert settle_regulation(1.0, 0.9, 20.0, 5.0, 3.0) == pytest.approx(31.5)
    assert settle_regulation(1.0, 0.24, 20.0, 5.0, 3.0) == 0.0
    assert settle_regulation(1.0, 0.25, 20.0, 5.0, 3.0) > 0.0


def test_series_that_cannot_be_scored_are_refused():
    with pytest.raises(InputError, match="as long as each other"):
        regulation_score(WAVE, WAVE[:-1])
    with pytest.raises(InputError, match="at least 60 ticks"):
        regulation_score(WAVE[:59], WAVE[:59])
    with pytest.raises(InputError, match="divisor of 300"):
        regulation_score(WAVE, WAVE, step_s=7)
