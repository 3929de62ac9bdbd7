"""Orders of a queue and the sharing of headroom."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.dispatch import g2v, queue
from gridimpact.dispatch.queue import earliest_departure, first_come, laxity_h, least_laxity
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request


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
    request = jobs(2.0, [(1, 0, 2), (1, 0, 2), (3, 0, 3)], 3)
    assert unmet(request, "earliest_departure") == pytest.approx(1.0)
    assert unmet(request, "least_laxity") == 0.0


def test_first_come_blocks_a_short_stay_that_earliest_departure_serves():
    request = jobs(1.0, [(2, 0, 4), (1, 1, 2)], 4)
    assert unmet(request, "first_come") == pytest.approx(1.0)
    assert unmet(request, "earliest_departure") == 0.0


def test_no_order_serves_more_than_there_is():
    request = jobs(1.0, [(2, 0, 2), (1, 0, 2)], 2)
    for order in queue.ORDERS:
        assert unmet(request, order) == pytest.approx(1.0)


def test_laxity_is_time_left_less_charging_time():
    assert float(laxity_h(12, 4, 10, 5)) == 6.0
    assert laxity_h([3.0, 4.0], 1.0, 10.0, 10.0).tolist() == [1.0, 2.0]


def test_ties_go_to_the_earlier_departure_then_stay_as_given():
    arrival, departure, laxity = [0, 0, 1, 0], [9, 5, 5, 5], [2, 2, 1, 2]
    assert first_come(arrival, departure, laxity).tolist() == [1, 3, 0, 2]
    assert earliest_departure(arrival, departure, laxity).tolist() == [1, 2, 3, 0]
    assert least_laxity(arrival, departure, laxity).tolist() == [2, 1, 3, 0]


def test_the_smallest_room_among_groups_and_fuse_decides():
    request = plan_request(
        [Car("a", soc=0.0), Car("b", soc=0.0)],
        [Stay(0, 0, 4, target=1.0), Stay(1, 0, 4, target=1.0)],
        steps=4,
        places=[Place(load_kw=1.0, import_limit_kw=7.0), Place()],
        groups=[Group(10.0, 22.0), Group(0.0, 5.0, chargers=(1,))],
    )
    found = g2v.TransformerLimit(1.0, "first_come").plan(request)
    assert found.p_kw[0].tolist() == [6.0, 5.0]


def test_a_charger_without_power_waits_for_ever():
    request = plan_request([Car(soc=0.2)], [Stay(0, 0, 4, p_kw=0.0)], steps=4)
    found = g2v.TransformerLimit().plan(request)
    assert not found.p_kw.any()
    assert found.unmet_cause == ("too_short",)
    assert np.all(found.soc == 0.2)
