"""Homes and phases of a draw: every home equally likely, full rounds first, phases that the home has."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from gridimpact.errors import InputError
from gridimpact.hosting.draws import DrawMaker
from gridimpact.hosting.placement import homes_of_cars, order_of_homes
from tests.hosting import draw_case as case

NAMES = [f"home {k}" for k in range(20)]


def test_every_home_is_as_likely_to_be_first():
    first = [NAMES.index(order_of_homes(NAMES, 3, d)[0]) for d in range(2000)]
    assert chisquare(np.bincount(first, minlength=20)).pvalue > 0.01


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 99), st.integers(1, 70), st.integers(0, 9))
def test_no_home_has_a_second_car_before_every_home_has_one(seed, cars, draw):
    found = homes_of_cars(NAMES, cars, seed, draw)
    count = np.unique(found, return_counts=True)[1]
    assert count.max() - (count.min() if len(count) == 20 else 0) <= 1
    assert found == (order_of_homes(NAMES[::-1], seed, draw) * 4)[:cars]
    more = [*NAMES, "a new home"]
    assert [h for h in order_of_homes(more, seed, draw) if h in NAMES] == found[:20] + [
        h for h in order_of_homes(NAMES, seed, draw) if h not in found
    ]


def test_cars_without_homes_are_refused():
    with pytest.raises(InputError, match="no site of kind 'home'"):
        homes_of_cars([], 1, 0, 0)
    assert homes_of_cars([], 0, 0, 0) == []


def test_single_phase_cars_stand_on_each_phase_equally_often_and_anew_in_each_draw():
    maker = DrawMaker(case.study(), case.asked(40, behaviour={"charger": "ac_7.4kw"}))
    plugs = [maker.draw(k).spec.fleet.chargers for k in range(6)]
    private = [table["phases"][table["kind"] == "home"].to_numpy() for table in plugs]
    count = np.unique(np.concatenate(private), return_counts=True)
    assert count[0].tolist() == ["a", "b", "c"]
    assert chisquare(count[1]).pvalue > 0.01
    assert len({tuple(p) for p in private}) == 6


def test_a_copied_single_phase_car_moves_to_a_phase_of_its_home_with_the_power_it_had():
    spec = case.study(("a", "b", "c"))
    phase = spec.network.sites["phases"]
    own = {
        round(p, 6) for p in spec.fleet.chargers["p_max_kw"][spec.fleet.chargers["kind"] == "home"]
    }
    made = case.draw(0, 30, spec=spec)
    plugs = made.spec.fleet.chargers
    private = plugs[plugs["kind"] == "home"]
    assert (private["phases"].to_numpy() == phase[private["site_id"]].to_numpy()).all()
    assert {round(p, 6) for p in private["p_max_kw"]} <= own
    assert max(own) < 4.0


def test_phases_given_are_kept_and_a_phase_the_home_lacks_is_refused():
    single = {"charger": "ac_7.4kw"}
    made = case.draw(0, 10, behaviour=single, phases="b")
    plugs = made.spec.fleet.chargers
    assert set(plugs["phases"][plugs["kind"] == "home"]) == {"b"}
    with pytest.raises(InputError, match="is on phase b, its site has a"):
        case.draw(0, 10, behaviour=single, phases="b", spec=case.study(("a",)))
