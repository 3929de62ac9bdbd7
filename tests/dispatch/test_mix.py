"""A mix of strategies on one fleet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from gridimpact.dispatch import Foresight, Mix, Uncontrolled, execute, g2v, uncontrolled_dispatch
from gridimpact.dispatch.mix import beside_others
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request


@dataclass(frozen=True)
class AtBuildings:
    """A rule for cars at buildings that remembers nothing and asks for reactive power."""

    name: ClassVar[str] = "at_buildings"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(prices="announced")
    site_kinds: ClassVar[tuple[str, ...]] = ("building",)

    def plan(self, request):
        """Charge half as fast."""
        shape = (request.timeline.count, len(request.vehicle_id))
        found = execute(
            request,
            np.full(shape, 5.0),
            strategy=self.name,
            controlled=np.ones(shape[1], bool),
            ceiling="target",
        )
        return replace(found, q_kvar=np.ones(shape))


def village(count=40, seed=0, kind="home"):
    back = 20 + 15 * np.cos(np.arange(48) / 24 * 2 * np.pi)
    return plan_request(
        [Car(f"car {k:02}", soc=0.3) for k in range(count)],
        [Stay(k, 18, 40, target=0.8) for k in range(count)],
        steps=48,
        places=[Place(kind) for _ in range(count)],
        groups=[Group(back, 300.0)],
        seed=seed,
    )


def test_each_car_follows_one_strategy_and_the_rest_is_uncontrolled():
    request = village()
    mix = Mix({g2v.ValleyFilling(): 0.4, g2v.PriceCharging(): 0.3})
    chosen = mix.assigned(request)
    found = mix.plan(request)
    assert np.bincount(chosen, minlength=3).min() > 4
    assert np.array_equal(found.controlled, chosen < 2)
    base = uncontrolled_dispatch(request)
    assert np.array_equal(found.p_kw[:, chosen == 2], base.p_kw[:, chosen == 2])
    assert found.strategy == "mix"
    assert not found.unmet_kwh.any()


def test_a_larger_share_keeps_the_cars_of_a_smaller_one():
    request = village()
    less = Mix({g2v.ValleyFilling(): 0.2}).assigned(request)
    more = Mix({g2v.ValleyFilling(): 0.6}).assigned(request)
    assert np.all(more[less == 0] == 0)
    assert (more == 0).sum() > (less == 0).sum()


def test_valley_filling_in_a_mix_goes_round_the_others():
    request = village()
    mix = Mix({g2v.PriceCharging(): 0.5, g2v.ValleyFilling(): 0.5})
    found = mix.plan(request)
    price = mix.assigned(request) == 0
    blind, _ = beside_others(request, ~price, np.zeros_like(found.p_kw))
    alone = g2v.ValleyFilling().plan(blind)
    others = found.p_kw[:, price].sum(axis=1) + request.background_kw[:, 0]
    mixed = others + found.p_kw[:, ~price].sum(axis=1)
    assert (mixed**2).sum() < ((others + alone.p_kw.sum(axis=1)) ** 2).sum() - 1.0


def test_the_share_takes_the_place_of_the_enrolment():
    request = village()
    found = Mix({g2v.ValleyFilling(enrolled=0.1): 1.0}).plan(request)
    assert found.controlled.all()


def test_a_strategy_for_buildings_takes_its_share_of_the_cars_there():
    homes = village(20)
    mix = Mix({AtBuildings(): 0.5, g2v.ValleyFilling(): 0.5}, rest=g2v.PriceCharging())
    assert not np.any(mix.assigned(homes) == 0)
    halls = village(20, kind="building")
    chosen = mix.assigned(halls)
    found = mix.plan(halls)
    assert np.any(chosen == 0)
    assert found.controlled.all()
    assert np.array_equal(found.q_kvar[:, chosen == 0], np.ones((48, (chosen == 0).sum())))
    assert not found.q_kvar[:, chosen != 0].any()


def test_two_parts_with_reactive_power_keep_both():
    @dataclass(frozen=True)
    class Other(AtBuildings):
        name: ClassVar[str] = "other"

    found = Mix({AtBuildings(): 0.5, Other(): 0.5}).plan(village(20, kind="building"))
    assert found.q_kvar.min() == 1.0


def test_a_mix_knows_and_does_the_most_of_its_parts():
    mix = Mix({g2v.TransformerLimit(): 0.1, AtBuildings(): 0.1})
    assert mix.foresight == Foresight("announced", "announced", "none")
    assert mix.bidirectional
    assert not Mix(()).bidirectional
    assert Mix(()).foresight == Foresight()
    assert hash(mix) == hash(Mix(mix.strategies))


def test_an_empty_mix_is_its_rest():
    request = village(5)
    assert np.array_equal(Mix({}).plan(request).p_kw, Uncontrolled().plan(request).p_kw)
    rest = Mix({}, rest=g2v.ValleyFilling()).plan(request)
    assert np.array_equal(rest.p_kw, g2v.ValleyFilling().plan(request).p_kw)


def test_shares_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="share of g2v_price"):
        Mix({g2v.PriceCharging(): 1.2})
    with pytest.raises(InputError, match=r"'home' sum to 1\.1"):
        Mix({g2v.PriceCharging(): 0.6, g2v.ValleyFilling(): 0.5})
    with pytest.raises(InputError, match=r"'building' sum to 1\.2"):
        Mix({AtBuildings(): 0.8, g2v.ValleyFilling(): 0.4})
