"""Names, foresight and the order of vehicles."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.dispatch import Foresight, Mix, Uncontrolled, g2v, label
from gridimpact.dispatch.strategy import take_vehicles
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Stay, plan_request


def test_labels_tell_settings_that_differ_from_the_default():
    assert label(g2v.TransformerLimit()) == "g2v_transformer_limit"
    assert label(g2v.TransformerLimit(0.8)) == "g2v_transformer_limit(limit=0.8)"
    mix = Mix({g2v.ValleyFilling(): 0.5})
    assert label(mix) == "mix"
    assert label(Mix({}, rest=g2v.PriceCharging(0.5))) == "mix(rest=g2v_price(enrolled=0.5))"
    assert label(Mix({}, name="plan b")) == "plan b"


def test_labels_of_other_strategy_objects_are_their_names():
    class Own:
        name = "own"

    assert label(Own()) == "own"


def test_tuples_and_factories_in_settings_are_told_shortly():
    from dataclasses import dataclass, field

    @dataclass(frozen=True)
    class Own:
        hours: tuple = field(default_factory=tuple)
        name = "own"

    assert label(Own()) == "own"
    assert label(Own((1, 2.5))) == "own(hours=[1, 2.5])"


def test_foresight_is_causal_unless_something_is_perfect():
    assert Foresight("announced", "announced", "none").causal
    assert not Foresight(base_load="perfect").causal
    with pytest.raises(InputError, match="prices"):
        Foresight(prices="sometimes")


def test_taking_vehicles_keeps_their_stays_in_order():
    request = plan_request(
        [Car("b", soc=0.1), Car("a", soc=0.2), Car("c", soc=0.3)],
        [Stay(0, 0, 2), Stay(0, 5, 6), Stay(1, 1, 3), Stay(2, 0, 4)],
    )
    part, kept = take_vehicles(request, np.array([1, 0]))
    assert part.vehicle_id == ("a", "b")
    assert kept.tolist() == [2, 0, 1]
    assert part.stays.vehicle.tolist() == [0, 1, 1]
    assert part.stays.start.tolist() == [1, 0, 5]
    assert part.soc_initial.tolist() == [0.2, 0.1]


def test_uncontrolled_charges_at_once_to_the_target():
    request = plan_request([Car(soc=0.5)], [Stay(0, 2, 9, target=0.8)], steps=10)
    found = Uncontrolled().plan(request)
    assert found.p_kw[:, 0] == pytest.approx([0, 0, 10, 5, 0, 0, 0, 0, 0, 0])
    assert not found.controlled.any()
    assert found.strategy == "uncontrolled"


def test_families_load_when_asked_for_and_nothing_else_is_there():
    import gridimpact.dispatch as room

    assert room.__getattr__("g2v") is g2v
    with pytest.raises(AttributeError, match="g2x"):
        _ = room.g2x
