"""Who takes part: seeded, nested, and nobody's part depends on the others."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gridimpact.dispatch import enrolled_vehicles
from gridimpact.dispatch.enrolment import lottery
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Place, Stay, plan_request


def fleet(count, seed=0):
    return plan_request([Car(f"car {k}") for k in range(count)], [], seed=seed)


def test_a_larger_share_contains_a_smaller_one():
    request = fleet(300)
    masks = [enrolled_vehicles(request, share) for share in (0.0, 0.2, 0.3, 0.9, 1.0)]
    assert not masks[0].any()
    assert masks[-1].all()
    for less, more in itertools.pairwise(masks):
        assert np.all(more[less])
        assert more.sum() > less.sum()


def test_one_more_car_changes_nobodys_part():
    few, many = enrolled_vehicles(fleet(20), 0.5), enrolled_vehicles(fleet(21), 0.5)
    assert np.array_equal(few, many[:20])


def test_another_seed_draws_others_and_the_share_is_met_on_average():
    one, two = enrolled_vehicles(fleet(4000), 0.3), enrolled_vehicles(fleet(4000, 1), 0.3)
    assert not np.array_equal(one, two)
    # Four standard deviations of 4000 draws.
    assert abs(one.mean() - 0.3) < 4 * np.sqrt(0.21 / 4000)


def test_purposes_draw_apart():
    names = [f"car {k}" for k in range(50)]
    assert not np.any(lottery(names, 0, "enrolment") == lottery(names, 0, "mix"))


def test_only_cars_that_always_plug_in_at_such_sites():
    request = plan_request(
        [Car("a"), Car("b"), Car("c"), Car("d")],
        [
            Stay(0, 0, 2, charger=0),
            Stay(1, 0, 2, charger=1),
            Stay(2, 0, 2, charger=0),
            Stay(2, 3, 4, charger=1),
        ],
        places=[Place("home"), Place("building"), Place("home"), Place("home")],
    )
    homes = enrolled_vehicles(request, 1.0, site_kinds=("home",))
    assert homes.tolist() == [True, False, False, False]
    both = enrolled_vehicles(request, 1.0, site_kinds=("home", "building"))
    assert both.tolist() == [True, True, True, False]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(InputError, match="between 0 and 1"):
        enrolled_vehicles(fleet(2), share)
