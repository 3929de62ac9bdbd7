"""Reactive support in a study: it lifts the voltage, and a curve answers as the study's own option does."""

from __future__ import annotations

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.errors import InputError
from tests.study import case

CAR = {"capacity_kwh": 60.0, "p_charge_max_kw": 11.0, "phases": 3}


def study_of(strategies, /, **volt_var):
    net = case.three_homes()
    fleet = case.fleet_of([("a", "2016-04-15 01:00", "2016-04-15 09:00", 30.0)], {"a": CAR})
    placed = gi.place(fleet, net, at={"c_a": str(net.sites.index[1])}, phases="keep")
    return gi.Study(net, case.constant(net), placed, strategies=strategies, volt_var=volt_var)


def test_feeding_reactive_power_lifts_the_voltage_within_the_chargers_rating():
    study = study_of(
        [
            "uncontrolled",
            {"v2g.reactive_support": {"mode": "capacitive"}},
            gi.v2g.ReactiveSupport("inductive"),
        ]
    )
    data = study.run("all", progress=False).dataset
    lowest = data["vm_pu"].min(["time", "bus"]).values
    none, plain, lifted, lowered = lowest
    assert lowered < plain < lifted
    assert none >= plain
    rating = study.spec.fleet.chargers["s_max_kva"].to_numpy()
    apparent = np.hypot(data["charger_p_kw"].values, data["charger_q_kvar"].values)
    assert np.all(apparent[2:] <= rating + 1e-9)
    assert apparent[2:].max() == pytest.approx(rating.max())


def test_a_curve_of_a_strategy_is_solved_as_the_study_option_is():
    curve = gi.v2g.ReactiveSupport("volt_var", curve="ieee_1547_b_steepest")
    mine = study_of(["uncontrolled", curve]).run("all", progress=False).dataset
    option = study_of(["uncontrolled"], chargers="ieee_1547_b_steepest").run("all", progress=False)
    theirs = option.dataset
    np.testing.assert_allclose(
        mine["vm_pu"].values[2], theirs["vm_pu"].values[1], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(mine["charger_q_kvar"].values[2], theirs["charger_q_kvar"].values[1])
    assert np.abs(mine["charger_q_kvar"].values[2]).max() > 0.1
    assert not np.allclose(mine["vm_pu"].values[1], mine["vm_pu"].values[2], atol=1e-6)


def test_an_unknown_curve_of_a_strategy_is_found_by_the_check():
    study = study_of([gi.v2g.ReactiveSupport("volt_var", curve="flat")])
    with pytest.raises(InputError, match="ieee_1547_a"):
        study.check()
