import pickle
from functools import lru_cache

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.hosting import draw_solver, scenarios
from gridimpact.records import LIMIT_BIT, SCENARIO_DTYPE, DrawOutcome
from tests.hosting import evaluate_case as case
from tests.study.case import constant

MIX = gi.Mix({gi.v2g.PeakShaving(): 0.5})
FREE, LATE = gi.Uncontrolled(), gi.g2v.DelayedStart()
HELD, TIGHT = gi.grid_aware.MeasuredLimit(0.35), gi.g2v.TransformerLimit(0.05)
BALANCED = (FREE, LATE, MIX, HELD, TIGHT, gi.v2g.ReactiveSupport(mode="volt_var"))
IN_PHASES = (FREE, MIX, gi.grid_aware.ChargingDroop())
LEVELS = (2, 5, 8)


@lru_cache(maxsize=2)
def scan(in_phases: bool = False):
    chosen = IN_PHASES if in_phases else BALANCED
    return case.evaluator(case.study(in_phases), chosen, case.settings(chosen, LEVELS))


@lru_cache(maxsize=4)
def outcome(number: int, in_phases: bool = False) -> DrawOutcome:
    return scan(in_phases)(number)


def bytes_of(*found: DrawOutcome) -> list[bytes]:
    return [part.tobytes() for each in found for part in (each.rows, each.feeders)]


@pytest.mark.parametrize(
    ("number", "cars", "in_phases"),
    [
        (2, 5, False),
        (1, 5, True),
        pytest.param(2, 8, False, marks=pytest.mark.slow),
        pytest.param(1, 8, True, marks=pytest.mark.slow),
    ],
)
def test_a_scenario_reads_what_a_study_of_exactly_its_cars_reads(number, cars, in_phases):
    rows = outcome(number, in_phases).rows
    own = rows[rows["cars"] == cars]
    for name, values in case.brute(scan(in_phases), number, cars).items():
        np.testing.assert_allclose(own[name], values, rtol=1e-9, atol=1e-9, err_msg=name)


def test_the_cases_bind_in_different_ways():
    # Else the comparison with studies would compare nothing with nothing.
    masks = np.concatenate([outcome(2).rows["broken"], outcome(1, True).rows["broken"]])
    assert {0, LIMIT_BIT["voltage"]} < set(masks.tolist())
    assert (masks & LIMIT_BIT["transformer_loading"]).any()
    rows = outcome(2).rows
    assert rows["unmet_percent"][rows["strategy"] == BALANCED.index(TIGHT)].max() > 1.0
    assert rows["fed_kwh"][rows["strategy"] == BALANCED.index(MIX)].max() > 1.0


def test_bisection_finds_the_number_that_solving_every_number_finds():
    chosen = (FREE, LATE)
    spec = case.study()
    every = case.evaluator(spec, chosen, case.settings(chosen, tuple(range(9))))
    fast = case.evaluator(spec, chosen, case.settings(chosen, (0, 4, 8), refine=True))
    found = set()
    for number in (0, 1):
        whole, quick = every(number).rows, fast(number).rows
        for strategy in range(len(chosen)):
            mine = [r[r["strategy"] == strategy] for r in (whole, quick)]
            first = [own["cars"][own["broken"] != 0].min(initial=99) for own in mine]
            assert first[0] == first[1]
            found.add(int(first[0]))
            for bit in LIMIT_BIT.values():
                alone = [own["cars"][(own["broken"] & bit) != 0].min(initial=99) for own in mine]
                assert alone[0] == alone[1]
            passed = mine[1]["cars"][mine[1]["broken"] == 0]
            assert first[1] == 99 or first[1] - 1 in passed
        assert not quick["refined"][np.isin(quick["cars"], (0, 4, 8))].any()
        assert quick["refined"].sum() == len(quick) - 6
        order = np.lexsort((quick["cars"], quick["strategy"]))
        assert (order == np.arange(len(quick))).all()
        both = whole[np.isin(whole["cars"], quick["cars"]) & (whole["strategy"] == 0)]
        again = quick[(quick["strategy"] == 0) & np.isin(quick["cars"], both["cars"])]
        both = both[np.isin(both["cars"], again["cars"])]
        again["refined"] = 0
        assert both.tobytes() == again.tobytes()
    assert len(found) > 1


def test_results_do_not_depend_on_what_is_solved_beside_them(monkeypatch):
    chosen = (HELD, FREE, LATE)
    spec = case.study()
    other = case.evaluator(spec, chosen, case.settings(chosen, LEVELS))
    wanted = outcome(2).rows
    rows = other(2).rows
    for k, strategy in enumerate(chosen):
        mine, same = rows[rows["strategy"] == k], wanted["strategy"] == BALANCED.index(strategy)
        mine["strategy"] = BALANCED.index(strategy)
        assert mine.tobytes() == wanted[same].tobytes()
    for part in (scenarios, draw_solver):
        monkeypatch.setattr(part, "VALUES_AT_ONCE", 500)
    assert bytes_of(scan()(2)) == bytes_of(outcome(2))


@pytest.mark.slow  # a resumed scan does the same with a worker
def test_another_process_finds_the_same_bytes():
    sent = pickle.loads(pickle.dumps(scan()))
    assert not sent._held
    assert bytes_of(sent(2)) == bytes_of(outcome(2))
    assert bytes_of(outcome(1)) != bytes_of(outcome(2))


def test_steps_without_a_solution_are_rows_that_say_so():
    net, given = case.network(), case.study()
    homes = constant(net, case.TIME)
    homes.load_p_kw[60:64] = 100.0
    spec = gi.Study(net, homes, given.fleet, strategies=[FREE], ambient=given.ambient).spec
    asked = case.settings((FREE,), (2,), preexisting="count", refine=True)
    found = case.evaluator(spec, (FREE,), asked)(0)
    broken = LIMIT_BIT["power_flow"] | LIMIT_BIT["hot_spot"]
    assert found.rows["broken"].tolist() == [broken, broken]
    assert found.rows["failed_lanes"].tolist() == [4, 4]
    # What is broken without any car is a row of its own, so that the capacity is none.
    assert found.rows["cars"].tolist() == [0, 2]
    # The transformer does not forget what it carried meanwhile.
    assert found.rows["hot_spot_c"][0] > 300.0


def test_no_cars_are_served_neither_well_nor_badly_and_break_nothing():
    chosen = (FREE, HELD)
    rows = case.evaluator(case.study(), chosen, case.settings(chosen, (0, 2)))(0).rows
    none = rows[rows["cars"] == 0]
    assert (none["broken"] == 0).all()
    for name in ("unmet_kwh", "unmet_percent", "below_target_percent", "charged_kwh", "fed_kwh"):
        assert np.isnan(none[name]).all()
    assert rows.dtype == SCENARIO_DTYPE


def test_cars_of_a_hall_stand_in_every_scenario_and_zero_private_cars_are_solved():
    spec = case.study()
    hall = gi.synthesize_fleet(6, case.TIME, kind="fleet", seed=2)
    net = spec.network
    there = gi.place(hall, net, at="Home 8", seed=1)
    study = gi.Study(
        net, spec.profiles, [spec.fleet, there], strategies=[FREE], limits=spec.limits
    ).spec
    rows = case.evaluator(study, (FREE,), case.settings((FREE,), (3, 6), refine=True))(0).rows
    assert rows["broken"][0]
    assert rows["cars"][0] == 0
    assert rows["charged_kwh"][0] > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("in_phases", [False, True])
def test_every_family_of_strategies_reads_as_in_a_study(in_phases):
    chosen = (
        FREE,
        gi.v2h.SelfConsumption(),
        gi.Receding(gi.g2v.ValleyFilling()),
        gi.grid_aware.VoltWatt(),
        gi.grid_aware.HotSpotLimit(60.0),
        gi.grid_aware.OperatingEnvelope(),
    )
    own = case.evaluator(case.study(in_phases), chosen, case.settings(chosen, LEVELS))
    for number in (1, 2):
        rows = own(number).rows
        for cars in LEVELS:
            mine = rows[rows["cars"] == cars]
            for name, values in case.brute(own, number, cars).items():
                np.testing.assert_allclose(mine[name], values, rtol=1e-6, atol=1e-6, err_msg=name)
