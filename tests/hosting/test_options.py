"""What is asked of a scan: defaults, rows, and everything wrong told at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.hosting.options import (
    RunOptions,
    ScanRequest,
    rows_of,
    settings_from,
    settings_of,
)
from gridimpact.hosting.options_check import given_cars, option_problems, run_problems
from gridimpact.hosting.request_notes import pool_notes
from gridimpact.study.files import plain_data
from tests.hosting.scan_case import DAY, tight_study


@pytest.fixture(scope="module")
def spec():
    return tight_study().spec


def told(spec, **asked):
    return "\n".join(str(p) for p in option_problems(spec, ScanRequest(**asked), DAY))


def test_shares_of_twelve_homes_are_whole_distinct_rising_numbers_of_cars(spec):
    settings, _ = settings_of(spec, ScanRequest(), DAY)
    assert settings.cars == (1, 2, 4, 6, 9, 12, 15, 18)
    assert settings.draws == (200, 1000)
    assert settings.precision_cars == pytest.approx(1.2)
    assert (settings.behaviour, settings.placement, settings.preexisting) == (
        "resample",
        "draw",
        "worse",
    )
    given, _ = settings_of(spec, ScanRequest(cars=np.array([0, 3, 7]), draws=5), DAY)
    assert given.cars == (3, 7)
    assert given.draws == (5, 5)


def test_a_time_series_adds_the_study_s_own_cars_up_to_all_of_them(spec):
    settings, _ = settings_of(spec, ScanRequest(method="time_series"), DAY)
    assert given_cars(spec) == 10
    assert settings.cars == (1, 2, 4, 6, 9, 10)
    assert (settings.behaviour, settings.placement, settings.phases) == ("given", "given", "keep")
    assert settings.draws == (1, 1)


def test_strategies_without_a_fallback_share_the_firm_row_of_uncontrolled_charging():
    grid_aware = gi.grid_aware.MeasuredLimit(0.9)
    rows, firm = rows_of(["g2v.valley_filling", gi.v2g.PeakShaving(), grid_aware])
    assert next(iter(rows)) == "uncontrolled"
    lost = firm.pop(grid_aware.name)
    assert set(firm.values()) == {"uncontrolled"}
    assert len(rows) == 5
    assert rows[lost].name.startswith("control lost")


def test_settings_survive_as_plain_data(spec):
    settings, _ = settings_of(spec, ScanRequest(days=[DAY], limits=["voltage", "ageing"]), DAY)
    assert settings_from(plain_data(dataclasses.asdict(settings))) == settings


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"cars_per_home": [150]}, "1.5 if 150 % is meant"),
        ({"cars_per_home": [0.5, 0.5]}, "does not rise"),
        ({"cars": [20, 10]}, "does not rise"),
        ({"cars": [-1, 3]}, "0 or more"),
        ({"cars": [1.5]}, "whole cars"),
        ({"cars": [0]}, "no car at all"),
        ({"cars": 5}, "give a list: [5]"),
        ({"cars": [float("nan")]}, "0 or more"),
        ({"cars": [1], "cars_per_home": [0.5]}, "both given"),
        ({"risk": 5}, "0.05 for 5 %"),
        ({"confidence": 95}, "0.95 for 95 %"),
        ({"draws": (1000, 200)}, "least comes first: (200, 1000)"),
        ({"draws": 0}, "number from 1"),
        ({"draws": "many"}, "number from 1"),
        ({"limits": ["voltag"]}, "did you mean 'voltage'?"),
        ({"limits": []}, "names no kind"),
        ({"method": "stohastic"}, "did you mean 'stochastic'?"),
        ({"preexisting": "worst"}, "did you mean 'worse'?"),
        ({"placement": "drawn"}, "did you mean 'draw'?"),
        ({"phases": "d"}, "choose one of allocate"),
        ({"direction": "up"}, "choose one of import"),
        ({"behaviour": "resampled"}, "did you mean 'resample'?"),
        ({"behaviour": {"chager": "ac_11kw"}}, "did you mean 'charger'?"),
        ({"behaviour": {"count": 3}}, "set by the scan"),
        ({"behaviour": "given", "cars": [11]}, "the study has 10 at homes"),
        ({"days": "2017-01-01"}, "outside the timeline"),
        ({"days": "random_week"}, "no whole week"),
        ({"precision": 0}, "above 0"),
        ({"unmet_percent": -1}, "0 to 100"),
        ({"export_percent": 0}, "above 0"),
        ({"car_kw": -11}, "above 0"),
        ({"seed": -1}, "0 or more"),
        ({"refine": "yes"}, "True or False"),
        ({"strategies": "uncontrolled"}, "give a list"),
        ({"method": "nodal", "limits": ["service"]}, "names nothing that 'nodal' judges"),
        ({"cars_per_home": 150}, "[1.5] for 150 %"),
        ({"strategies": ["g2v.vally_filling"]}, "did you mean 'g2v.valley_filling'?"),
    ],
)
def test_a_wrong_option_is_told_with_its_remedy(spec, asked, words):
    assert words in told(spec, **asked)


def test_everything_wrong_comes_at_once(spec):
    found = told(spec, risk=5, draws=(9, 1), cars=[2, 1], limits=["nothing"], seed=-3)
    assert len(found.splitlines()) == 5
    with pytest.raises(gi.InputError, match="hosting: 2 problems"):
        settings_of(spec, ScanRequest(risk=5, confidence=95), DAY)


def test_without_home_cars_there_is_nothing_to_draw_from_but_new_cars(spec):
    none = dataclasses.replace(spec, fleet=gi.synthesize_fleet(0, spec.timeline))
    assert "no car at a home" in told(none)
    assert told(none, behaviour={}) == ""
    assert told(none, method="nodal") == ""


def test_a_small_pool_and_limits_nobody_can_judge_are_warned_of(spec):
    cold = dataclasses.replace(spec, ambient=None)
    notes = pool_notes(cold, ScanRequest(limits=["ageing", "export"]))
    texts = " ".join(note.text for note in notes)
    assert "only 10 cars" in texts
    assert "no ambient temperature" in texts
    assert "export_percent is not given" in texts
    assert not pool_notes(spec, ScanRequest(behaviour={}))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"workers": -1}, "0 to solve in this one"),
        ({"workers": 1.5}, "number of processes"),
        ({"cluster": "host"}, "scheduler's address"),
        ({"timeout_s": 0}, "seconds above 0"),
        ({"budget_gb": -2}, "GB above 0"),
        ({"resume": True}, "no folder to go on from"),
        ({"out": Path(__file__)}, "is a file"),
    ],
)
def test_a_wrong_way_to_run_is_told(how, words):
    assert words in "\n".join(map(str, run_problems(RunOptions(**how))))
    assert run_problems(RunOptions(workers=0)) == []
