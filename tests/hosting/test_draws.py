"""Draws of a scan: nested, each its own, uniform, and the same in every process."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from gridimpact.dispatch.enrolment import lottery
from gridimpact.errors import InputError
from gridimpact.fleet import Vehicle, join_fleets, make_fleet
from gridimpact.hosting.behaviour import cars_of_draw
from gridimpact.hosting.draws import DrawMaker, decided, make_draw, present, spec_with
from gridimpact.hosting.pool import pool_of
from tests.hosting import draw_case as case
from tests.study import case as village

HASH = "from tests.hosting.draw_case import draw; print(draw(3, 9, 17).sessions_sha256)"


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    st.integers(1, 45), st.integers(1, 45), st.integers(0, 99), st.sampled_from(["draw", "given"])
)
def test_car_k_is_the_same_whatever_the_number_of_cars(a, b, number, placement):
    few, many = sorted((a, b))
    if placement == "given":
        few, many = min(few, 12), min(many, 12)
    small = case.draw(number, few, placement=placement)
    large = case.draw(number, many, placement=placement)
    for k in {1, few // 2 + 1, few}:
        assert case.car(small, k) == case.car(large, k)


def test_synthesised_cars_are_nested_and_leave_the_hall_alone():
    few, many = (case.draw(2, n, behaviour={"charger": "ac_7.4kw"}) for n in (4, 9))
    for k in range(1, 5):
        assert case.car(few, k) == case.car(many, k)
    fixed = few.spec.fleet.vehicles[few.first_at == 0]
    assert sorted(fixed.index) == ["fleet_0001", "fleet_0002", "work_0001"]


def test_another_level_below_the_highest_changes_nothing():
    one, other = case.draw(4, 3, 20), case.draw(4, 1, 3, 7, 20)
    assert one.sessions_sha256 == other.sessions_sha256
    assert one.spec.fleet.sessions.equals(other.spec.fleet.sessions)


def test_a_draw_is_found_from_its_number_alone_and_another_differs():
    maker = DrawMaker(case.study(), case.asked(9))
    later = [maker.draw(k) for k in (5, 0, 3)]
    first = make_draw(case.study(), case.asked(9), 3)
    assert first.sessions_sha256 == later[2].sessions_sha256
    assert len({d.sessions_sha256 for d in later}) == 3
    assert later[0].segments is later[1].segments
    assert any(", ".join(case.DAYS) in note.text for note in first.spec.fleet.notes)
    homes = [tuple(d.spec.fleet.chargers["site_id"]) for d in later]
    assert len(set(homes)) == 3
    other = DrawMaker(case.study(), case.asked(9, seed=6)).draw(3)
    assert other.sessions_sha256 != first.sessions_sha256
    with pytest.raises(InputError, match="counted from 0"):
        maker.draw(-1)


@pytest.mark.slow  # a process of its own; a resumed scan compares hashes of two processes as well
def test_a_draw_has_the_same_hash_in_another_process():
    run = subprocess.run(
        [sys.executable, "-c", HASH],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONHASHSEED": "77"},
    )
    assert run.stdout.strip() == case.draw(3, 9, 17).sessions_sha256


def test_every_car_of_the_study_is_drawn_equally_often():
    pool = pool_of(case.study().fleet)
    drawn = np.concatenate([cars_of_draw(pool, "resample", 30, 1, d) for d in range(200)])
    assert chisquare(np.bincount(drawn, minlength=len(pool.car))).pvalue > 0.01
    first = [cars_of_draw(pool, "resample", 1, 1, d)[0] for d in range(1200)]
    assert chisquare(np.bincount(first, minlength=len(pool.car))).pvalue > 0.01


def test_a_copy_charges_as_the_car_it_was_drawn_from():
    made = case.draw(0, 15)
    fleet, study = made.spec.fleet, case.study().fleet
    for name, stays in fleet.sessions.groupby("vehicle_id"):
        if not name.startswith("d"):
            continue
        source = study.sessions.loc[[s.split("/")[1] for s in stays.index]]
        assert source["vehicle_id"].nunique() == 1
        columns = ["plug_in", "plug_out", "trip_kwh", "soc_arrival", "soc_target"]
        both = [table[columns].reset_index(drop=True) for table in (stays, source)]
        pd.testing.assert_frame_equal(*both)
        own = study.vehicles.loc[source["vehicle_id"].iloc[0]]
        assert fleet.vehicles.loc[name].equals(own.rename(name))
        assert (stays["charger_id"] == f"charger_{name}").all()


def test_a_car_that_is_never_plugged_in_is_among_those_drawn():
    study = case.study()
    fleet = study.fleet
    idle = fleet.sessions["vehicle_id"] != "home_0004"
    quiet = dataclasses.replace(fleet, sessions=fleet.sessions[idle])
    assert len(pool_of(quiet).car) == 12
    made = case.draw(1, 60, spec=case.study_of(quiet))
    named = set(made.spec.fleet.sessions["vehicle_id"])
    away = [n for n in made.spec.fleet.vehicles.index[made.first_at > 0] if n not in named]
    assert 1 <= len(away) <= 20
    assert {f"charger_{n}" for n in away} <= set(made.spec.fleet.chargers.index)


def test_a_car_that_also_charges_in_public_gets_a_copy_of_that_charger_where_it_stands():
    cars = pd.DataFrame({"capacity_kwh": 60.0, "p_charge_max_kw": 11.0}, index=["a", "b"])
    plugs = pd.DataFrame(
        {"p_max_kw": 11.0, "kind": ["home", "public"], "site_id": ["site 03", "site 21"]},
        index=["at home", "outside"],
    )
    rows = [("a", "at home", 9, 1), ("a", "outside", 9, 12), ("b", "outside", 9, 15)]
    stays = pd.DataFrame(
        {
            "vehicle_id": [r[0] for r in rows],
            "charger_id": [r[1] for r in rows],
            "plug_in": [f"2016-03-{r[2]:02d}T{r[3]:02d}:00" for r in rows],
            "plug_out": [f"2016-03-{r[2]:02d}T{r[3] + 2:02d}:00" for r in rows],
        }
    )
    made = case.draw(0, 3, spec=case.study_of(make_fleet(cars, plugs, stays)))
    fleet = made.spec.fleet
    assert list(fleet.vehicles.index[made.first_at == 0]) == ["b"]
    assert made.charger_first_at.tolist() == [0, 1, 1, 2, 2, 3, 3]
    public = fleet.chargers[fleet.chargers["kind"] == "public"]
    assert len(public) == 4
    assert set(public["site_id"]) == {"site 21"}
    homes = fleet.chargers[fleet.chargers["kind"] == "home"]["site_id"]
    assert homes.is_unique
    assert homes.str.startswith("site").all()
    two = spec_with(made, 2).fleet
    assert len(two.vehicles) == 3
    assert len(two.chargers) == 5
    assert len(two.sessions) == 5
    make_fleet(two.vehicles, two.chargers, two.sessions)


def test_cars_of_the_hall_are_the_same_in_every_scenario():
    study = case.study()
    made = case.draw(6, 8)
    for n in (0, 8):
        fleet = spec_with(made, n).fleet
        for name in ("fleet_0001", "fleet_0002", "work_0001"):
            assert fleet.vehicles.loc[name].equals(study.fleet.vehicles.loc[name])
            assert fleet.chargers.loc[f"charger_{name}"].equals(
                study.fleet.chargers.loc[f"charger_{name}"]
            )
    assert len(spec_with(made, 0).fleet.vehicles) == 3
    assert present(made, 0).sum() == 3
    assert present(made, 8).all()
    for wrong in (-1, 9):
        with pytest.raises(InputError, match="holds 0 to 8"):
            present(made, wrong)


def test_own_cars_at_their_own_homes_are_the_study_itself():
    study = case.study()
    options = {"behaviour": "given", "placement": "given", "phases": "keep", "days": "all"}
    made = make_draw(study, case.asked(12, **options), 0, whole=True)
    fleet = made.spec.fleet
    assert set(fleet.vehicles.index) == set(study.fleet.vehicles.index)
    same = fleet.chargers.loc[study.fleet.chargers.index]
    assert same["site_id"].equals(study.fleet.chargers["site_id"])
    assert same["phases"].equals(study.fleet.chargers["phases"])
    assert fleet.sessions.sort_index().equals(study.fleet.sessions.sort_index())
    order = [f"home_{k:04d}" for k in range(1, 13)]
    assert list(fleet.vehicles.index[np.argsort(made.first_at)][3:]) == order


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"behaviour": "given"}, "13 cars are asked for, the study has 12 private cars"),
        ({"placement": "given"}, "13 cars are asked for, the study has 12 private cars"),
        ({"behaviour": "guessed"}, "write 'resample', 'given'"),
        ({"placement": "north"}, "write 'draw' or 'given'"),
        ({"behaviour": {"seed": 3}}, "gives seed"),
    ],
)
def test_draws_that_cannot_be_made_are_refused_by_their_numbers(options, words):
    with pytest.raises(InputError, match=words):
        DrawMaker(case.study(), case.asked(4, 13, **options))


def test_a_study_without_homes_or_private_cars_is_told_both_at_once():
    study = case.study()
    table = study.network.sites.assign(kind="building")
    none = case.study_of(pool_of(study.fleet).fixed_fleet(), table)
    with pytest.raises(InputError) as told:
        DrawMaker(none, case.asked(2))
    assert "no private car" in str(told.value)
    assert "no site of kind 'home'" in str(told.value)


def test_who_takes_part_in_a_programme_differs_from_draw_to_draw():
    maker = DrawMaker(case.study(), case.asked(20))
    parts = [
        tuple(lottery(d.spec.fleet.vehicles.index[d.first_at > 0], d.spec.seed, "enrolment") < 0.4)
        for d in map(maker.draw, range(4))
    ]
    assert len(set(parts)) == 4
    assert {maker.draw(k).spec.seed for k in range(2)} == {case.study().seed}


def test_a_year_drawn_from_joined_fleets_has_distinct_ids():
    twice = join_fleets(case.study().fleet, case.study().fleet)
    made = case.draw(0, 30, spec=case.study_of(twice))
    for table in (made.spec.fleet.vehicles, made.spec.fleet.chargers, made.spec.fleet.sessions):
        assert table.index.is_unique
    drawn = made.spec.fleet.vehicles.index[made.first_at > 0]
    assert list(drawn) == [f"d00000_ev_{k:05d}" for k in range(1, 31)]


def test_power_flow_is_decided_once_and_counts_cars_that_only_draws_have():
    net = village.three_homes()
    three = {"capacity_kwh": 60.0, "p_charge_max_kw": 11.0}
    night = ("a", "2016-04-15 01:00", "2016-04-15 09:00", 30.0)
    fleet = village.fleet_of([night], {"a": three})
    spec = village.spec_of(fleet, [str(net.sites.index[0])], zero_sequence="assume")
    even = decided(spec, case.asked(3, days="all"))
    assert even.power_flow == "balanced"
    assert even.fleet is spec.fleet
    assert any("drawn with replacement" in note.text for note in even.notes)
    single = {"vehicles": Vehicle("one", 50.0, 7.4, p_dc_max_kw=50.0, phases=1)}
    uneven = decided(spec, case.asked(3, days="all", behaviour=single))
    assert uneven.power_flow == "three_phase"
    assert uneven.fleet is spec.fleet
    phases = make_draw(uneven, case.asked(3, days="all", behaviour=single), 0).spec.fleet.chargers
    assert set(phases["phases"]) <= {"a", "b", "c"}
