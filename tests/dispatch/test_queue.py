"""Orders of a queue and the sharing of headroom."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.dispatch import g2v, queue, uncontrolled_dispatch
from gridimpact.dispatch.queue import earliest_departure, first_come, laxity_h, least_laxity
from tests.dispatch.caltech import caltech_month
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request

# "edf-fails-llf-works", "fcfs-vs-edf", "infeasible": jobs of energy, arrival and departure at 1 kW.
EDF_FAILS = (2.0, [(1, 0, 2), (1, 0, 2), (3, 0, 3)], 3)
FCFS_FAILS = (1.0, [(2, 0, 4), (1, 1, 2)], 4)
INFEASIBLE = (1.0, [(2, 0, 2), (1, 0, 2)], 2)


def jobs(limit, rows, steps):
    """Return a request of jobs (energy, arrival, departure) at 1 kW under a limit [kW]."""
    return plan_request(
        [Car(f"job {k}", soc=0.0, capacity_kwh=10.0) for k in range(len(rows))],
        [Stay(k, a, b, target=e / 10, p_kw=1.0) for k, (e, a, b) in enumerate(rows)],
        steps=steps,
        groups=[Group(0.0, limit)],
    )


def unmet(request, order):
    return g2v.TransformerLimit(1.0, order).plan(request).unmet_kwh.sum()


def test_earliest_departure_fails_where_least_laxity_serves_all():
    request = jobs(*EDF_FAILS)
    assert unmet(request, "earliest_departure") == pytest.approx(1.0)
    assert unmet(request, "least_laxity") == 0.0


def test_first_come_blocks_a_short_stay_that_earliest_departure_serves():
    request = jobs(*FCFS_FAILS)
    assert unmet(request, "first_come") == pytest.approx(1.0)
    assert unmet(request, "earliest_departure") == 0.0


def test_no_order_serves_more_than_there_is():
    request = jobs(*INFEASIBLE)
    for order in queue.ORDERS:
        assert unmet(request, order) == pytest.approx(1.0)


@pytest.mark.reference
def test_the_small_cases_are_those_of_the_reference(reference):
    text = (reference / "reference/requirements/scheduling_small.json").read_text()
    found = {case["id"]: case for case in json.loads(text)["cases"]}
    names = ("edf-fails-llf-works", "fcfs-vs-edf", "infeasible")
    for name, (limit, rows, slots) in zip(names, (EDF_FAILS, FCFS_FAILS, INFEASIBLE), strict=True):
        case = found[name]
        assert (case["site_limit"], case["slots"], case["max_rate"]) == (limit, slots, 1)
        assert [(job["e"], job["arr"], job["dep"]) for job in case["jobs"]] == rows
    given_case = found["laxity"]["inp"]
    told = laxity_h(*(given_case[k] for k in ("dep", "t", "rem_kwh", "max_kw")))
    assert float(told) == found["laxity"]["expect"]


def test_laxity_is_time_left_less_charging_time():
    assert float(laxity_h(12, 4, 10, 5)) == 6.0
    assert laxity_h([3.0, 4.0], 1.0, 10.0, 10.0).tolist() == [1.0, 2.0]


def test_ties_go_to_the_earlier_departure_then_stay_as_given():
    arrival, departure, laxity = [0, 0, 1, 0], [9, 5, 5, 5], [2, 2, 1, 2]
    assert first_come(arrival, departure, laxity).tolist() == [1, 3, 0, 2]
    assert earliest_departure(arrival, departure, laxity).tolist() == [1, 2, 3, 0]
    assert least_laxity(arrival, departure, laxity).tolist() == [2, 1, 3, 0]


def test_last_come_and_longest_remaining_turn_the_line_around():
    request = jobs(1.0, [(2, 0, 9), (2, 1, 9)], 9)
    late = g2v.TransformerLimit(1.0, "last_come").plan(request)
    assert late.p_kw[:4].tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]]
    request = jobs(1.0, [(1, 0, 9), (3, 0, 9)], 9)
    longest = g2v.TransformerLimit(1.0, "longest_remaining").plan(request)
    assert longest.p_kw[:2].tolist() == [[0, 1], [0, 1]]


def test_round_robin_lets_every_car_have_its_turn():
    request = jobs(2.0, [(9, 0, 9)] * 4, 9)
    found = g2v.TransformerLimit(1.0, "round_robin").plan(request)
    assert found.p_kw[:4].tolist() == [[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]]
    served = np.cumsum(found.p_kw, axis=0)
    assert np.all(served.max(axis=1) - served.min(axis=1) <= 1.0)


def test_the_smallest_room_among_groups_and_fuse_decides():
    request = plan_request(
        [Car("a", soc=0.0), Car("b", soc=0.0)],
        [Stay(0, 0, 4, target=1.0), Stay(1, 0, 4, target=1.0)],
        steps=4,
        places=[Place(load_kw=1.0, import_limit_kw=7.0), Place()],
        groups=[Group(10.0, 22.0), Group(0.0, 5.0, chargers=(1,))],
    )
    for order in queue.ORDERS:
        found = g2v.TransformerLimit(1.0, order).plan(request)
        assert found.p_kw[0].tolist() == pytest.approx([6.0, 5.0])


def crowd(seed):
    """Return cars of several powers in two nested groups and behind three fuses, all in need."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    places = [Place(import_limit_kw=float(rng.uniform(5, 40)), chargers=count) for _ in range(3)]
    behind = rng.integers(0, 3, count) * count + np.arange(count)
    inner = tuple(int(k) for k in behind[: count // 2 + 1])
    return plan_request(
        [Car(f"car {k}", soc=0.0, capacity_kwh=500.0) for k in range(count)],
        [
            Stay(k, 0, 3, charger=int(behind[k]), p_kw=float(rng.choice([3.7, 7.4, 11.0, 22.0])))
            for k in range(count)
        ],
        steps=3,
        places=places,
        groups=[
            Group(0.0, float(rng.uniform(5, 60))),
            Group(0.0, float(rng.uniform(5, 30)), chargers=inner),
        ],
    )


def bounds(request):
    """Return every limit of a request with the cars it binds."""
    charger = request.stays.charger
    for member, limit in zip(request.group_member, request.import_limit_kw[0], strict=True):
        yield member[charger], limit
    for site, limit in enumerate(request.site_import_limit_kw):
        yield request.stays.site == site, limit


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_equal_shares_are_max_min_fair(seed):
    """Whoever has less than he wants meets a full limit at which nobody has more than he."""
    request = crowd(seed)
    got = g2v.TransformerLimit(1.0, "equal_share").plan(request).p_kw[0]
    for mask, limit in bounds(request):
        assert got[mask].sum() <= limit + 1e-9
    for car in np.flatnonzero(got < request.stays.p_charge_kw - 1e-6):
        assert any(
            mask[car] and got[mask].sum() > limit - 1e-6 and got[car] > got[mask].max() - 1e-6
            for mask, limit in bounds(request)
        )


def test_equal_shares_under_one_limit_are_a_water_level():
    wants = [3.7, 7.4, 11.0, 22.0, 22.0]
    request = plan_request(
        [Car(f"car {k}", soc=0.0, capacity_kwh=500.0) for k in range(5)],
        [Stay(k, 0, 2, p_kw=want) for k, want in enumerate(wants)],
        steps=2,
        groups=[Group(0.0, 40.0)],
    )
    found = g2v.TransformerLimit(1.0, "equal_share").plan(request)
    level = (40.0 - 3.7 - 7.4) / 3.0
    assert found.p_kw[0] == pytest.approx([3.7, 7.4, level, level, level])


def test_chargers_are_set_to_nothing_or_whole_steps_above_their_least():
    rows = [(9, 0, 9)] * 4
    request = jobs(1.5, rows, 9)
    found = g2v.TransformerLimit(1.0, "first_come", min_kw=0.4, step_kw=0.25).plan(request)
    assert found.p_kw[0] == pytest.approx([1.0, 0.4, 0.0, 0.0])
    equal = g2v.TransformerLimit(1.0, "equal_share", min_kw=0.4, step_kw=0.25).plan(request)
    assert sorted(equal.p_kw[0].tolist()) == pytest.approx([0.0, 0.4, 0.4, 0.4])


def test_a_charger_without_power_waits_for_ever():
    request = plan_request([Car(soc=0.2)], [Stay(0, 0, 4, p_kw=0.0)], steps=4)
    found = g2v.TransformerLimit().plan(request)
    assert not found.p_kw.any()
    assert found.unmet_cause == ("too_short",)
    assert np.all(found.soc == 0.2)


def test_a_month_of_caltech_under_every_order():
    """October 2019 of ACN-Data: 930 sessions; 49 of the site's 51 stations are used."""
    request = caltech_month(limit_kw=60.0)
    free = uncontrolled_dispatch(request)
    assert (len(request.stays.vehicle), len(request.charger_id), len(request.vehicle_id)) == (
        930,
        51,
        49,
    )
    assert free.p_kw.sum(axis=1).max() > 120.0
    for order in queue.ORDERS:
        found = g2v.TransformerLimit(1.0, order).plan(request)
        assert found.p_kw.sum(axis=1).max() == pytest.approx(60.0)
        # What is missing in the batteries is what was not drawn.
        gone = (free.p_kw - found.p_kw).sum() * request.timeline.dt_h
        eta = request.batteries.eta_charge[0]
        assert gone * eta == pytest.approx(found.unmet_kwh.sum() - free.unmet_kwh.sum(), abs=1e-6)
    assert unmet(request, "least_laxity") == pytest.approx(free.unmet_kwh.sum(), abs=1e-6)


def test_a_month_of_caltech_without_a_binding_limit_is_uncontrolled():
    request = caltech_month(limit_kw=150.0)
    free = uncontrolled_dispatch(request)
    for order in queue.ORDERS:
        found = g2v.TransformerLimit(1.0, order).plan(request)
        np.testing.assert_allclose(found.p_kw, free.p_kw, atol=1e-9)
