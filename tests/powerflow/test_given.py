"""Injections from plain arrays."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.errors import InputError
from gridimpact.network import open_network, with_phases
from gridimpact.powerflow import FlowOptions, injections_at, solve, volt_var_for
from gridimpact.records import Network
from gridimpact.timeline import Timeline

DAY = Timeline.days("2024-01-15", 1, step="1h", zone="UTC")


@pytest.fixture(scope="module")
def feeder() -> Network:
    return with_phases(open_network("ieee_european_lv"))


def test_a_car_on_one_phase_lowers_that_phase_and_lifts_another(feeder: Network):
    car = injections_at(feeder, DAY, bus=[906], p_kw=np.full((24, 1), 7.4), phases="b")
    idle = injections_at(feeder, DAY, bus=[906], p_kw=np.zeros((24, 1)))
    options = FlowOptions(phases=3)
    last = list(feeder.grid.bus_index).index(906)
    change = (
        solve(feeder, car, options).vm_pu[0, 0, last]
        - solve(feeder, idle, options).vm_pu[0, 0, last]
    )
    assert change[1] < -0.01
    assert max(change[0], change[2]) > 0.001


def test_a_delta_element_between_two_phases_spares_the_third(feeder: Network):
    between = injections_at(
        feeder, DAY, bus=[906], p_kw=np.full((24, 1), 7.4), phases="ca", connection="delta"
    )
    assert between.connection is not None
    assert between.phase_share.tolist() == [[0.0, 0.0, 1.0]]
    found = solve(feeder, between, FlowOptions(phases=3, keep=("line_i_ka",)))
    current = found.line_i_ka[0, 0].max(axis=0)
    assert current[0] == pytest.approx(current[2], rel=1e-6)
    assert current[1] < 0.05 * current[0]
    assert current[3] < 1e-6


def test_an_answering_charger_draws_reactive_power_only_off_nominal_voltage(feeder: Network):
    answer = volt_var_for([7.4], [0], "ieee_1547_b")
    car = injections_at(
        feeder, DAY, bus=[906], p_kw=np.full((24, 1), 7.4), phases="b", volt_var=answer
    )
    found = solve(feeder, car, FlowOptions(phases=3))
    # The busbar stands at 1.05 pu, above the dead band that ends at 1.02.
    assert (found.volt_var_q_kvar > 0.0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bus": [5000]}, "no bus of the network"),
        ({"bus": [905.7]}, "is 905.7, no bus of the network"),
        ({"p_kw": np.zeros((23, 1))}, r"must be \(24, 1\)"),
        ({"q_kvar": np.zeros((23, 1))}, "must be that of p_kw"),
        ({"phases": "x"}, "of a, b and c"),
        ({"phases": ["a", "b"]}, "has 2 entries, there are 1 elements"),
        ({"connection": "wye"}, "write 'star' or 'delta'"),
        ({"connection": "delta", "phases": "a"}, "lies between two phases"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_remedy(feeder: Network, change: dict, words: str):
    given = {"bus": [906], "p_kw": np.zeros((24, 1))} | change
    with pytest.raises(InputError, match=words):
        injections_at(feeder, DAY, **given)
