"""A strategy that breaks a promise is found out, and told which one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.dispatch import Foresight, Uncontrolled, execute, g2v, uncontrolled_dispatch, v2g
from gridimpact.dispatch.contract_fleets import small_fleets
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class Spoilt:
    """An honest strategy whose dispatch is changed afterwards."""

    spoil: Callable[[PlanRequest, Dispatch], Dispatch]
    honest: Strategy = g2v.ValleyFilling()  # noqa: RUF009 - frozen

    name: ClassVar[str] = "spoilt"

    @property
    def bidirectional(self) -> bool:
        return self.honest.bidirectional

    @property
    def foresight(self) -> Foresight:
        return self.honest.foresight

    def plan(self, request: PlanRequest) -> Dispatch:
        return self.spoil(request, self.honest.plan(request))


@dataclass(frozen=True)
class Rule:
    """A strategy made of a rule that asks for power; batteries and chargers have their say."""

    ask: Callable[[PlanRequest], np.ndarray]
    guard: bool = True

    name: ClassVar[str] = "own_rule"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def plan(self, request: PlanRequest) -> Dispatch:
        return execute(
            request,
            self.ask(request),
            strategy=self.name,
            controlled=np.ones(len(request.vehicle_id), dtype=bool),
            guard=self.guard,
            discharge_floor="reserve" if self.guard else "min",
        )


def steady(request: PlanRequest, kw: float = 3.0) -> np.ndarray:
    return np.full((request.timeline.count, len(request.vehicle_id)), kw)


def more_than_metered(request: PlanRequest, found: Dispatch) -> Dispatch:
    return replace(found, soc=found.soc + 1e-7 * (found.p_kw > 0.0))


def a_little_more_power(request: PlanRequest, found: Dispatch) -> Dispatch:
    return replace(found, p_kw=np.where(found.p_kw > 7.0, 7.5, found.p_kw))


def while_away(request: PlanRequest, found: Dispatch) -> Dispatch:
    p_kw = found.p_kw.copy()
    p_kw[10:12] = 0.1
    return replace(found, p_kw=p_kw)


def nothing_unmet(request: PlanRequest, found: Dispatch) -> Dispatch:
    return replace(found, unmet_kwh=np.zeros_like(found.unmet_kwh))


def unknown_cause(request: PlanRequest, found: Dispatch) -> Dispatch:
    return replace(found, unmet_cause=tuple("bad luck" if c else "" for c in found.unmet_cause))


def nan_power(request: PlanRequest, found: Dispatch) -> Dispatch:
    return replace(found, p_kw=np.full_like(found.p_kw, np.nan))


def wide_extremes(request: PlanRequest, found: Dispatch) -> Dispatch:
    return replace(found, p_low_kw=found.p_kw, p_high_kw=found.p_kw + 8.0)


def nobody_in_control(request: PlanRequest, found: Dispatch) -> Dispatch:
    return replace(found, controlled=np.zeros_like(found.controlled))


def into_the_request(request: PlanRequest, found: Dispatch) -> Dispatch:
    request.background_kw[...] += 1.0
    return found


def read_only_ignored(request: PlanRequest, found: Dispatch) -> Dispatch:
    request.background_kw[...] += 0.0
    return found


FEEDS = v2g.PeakShaving(0.2, enrolled=1.0)
SPOILT = [
    (Spoilt(more_than_metered), "ledger"),
    (Spoilt(a_little_more_power), "power"),
    (Spoilt(while_away), "power"),
    (Spoilt(nothing_unmet), "need"),
    (Spoilt(unknown_cause), "need"),
    (Spoilt(nan_power), "shape"),
    (Spoilt(wide_extremes), "extremes"),
    (Spoilt(nobody_in_control, FEEDS), "discharge"),
    (Spoilt(into_the_request), "request"),
    (Spoilt(read_only_ignored), "request"),
]


@pytest.mark.parametrize(("strategy", "promise"), SPOILT, ids=lambda v: getattr(v, "spoil", v))
def test_a_dispatch_changed_afterwards_is_found_out(strategy, promise):
    assert promise in {broken.promise for broken in gi.check_contract(strategy)}


def first_listed_first(request: PlanRequest) -> np.ndarray:
    return steady(request) * (np.arange(len(request.vehicle_id)) == 0)


def tomorrow_known(request: PlanRequest) -> np.ndarray:
    return np.minimum(3.0, request.background_kw[::-1, :1]) + 0.0 * steady(request)


def later_stays_known(request: PlanRequest) -> np.ndarray:
    return steady(request) / max(1.0, request.stays.p_charge_kw.sum())


def cheapest_known(request: PlanRequest) -> np.ndarray:
    price = request.tariffs[0].import_price
    return np.where(price <= np.quantile(price, 0.4), 5.0, 0.0)[:, None] + 0.0 * steady(request)


class Dice:
    """Another number at each throw."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, request: PlanRequest) -> np.ndarray:
        return steady(request) * self.rng.random()


RULES = [
    (Rule(first_listed_first), {"order"}),
    (Rule(tomorrow_known), {"no_look_ahead"}),
    (Rule(later_stays_known), {"no_look_ahead"}),
    (Rule(cheapest_known), {"no_look_ahead"}),
    (Rule(Dice()), {"same_bytes", "order", "no_look_ahead"}),
    (Rule(lambda request: steady(request, -4.0), guard=False), {"reserve", "service"}),
    (Rule(lambda request: steady(request, 0.0), guard=False), {"service"}),
]


@pytest.mark.parametrize(("strategy", "promises"), RULES, ids=[str(sorted(p)) for _, p in RULES])
def test_a_rule_breaks_the_promises_it_must_break_and_no_others(strategy, promises):
    assert {broken.promise for broken in gi.check_contract(strategy)} == promises


def test_who_may_curtail_may_miss_a_target():
    idle = Rule(lambda request: steady(request, 0.0), guard=False)
    assert gi.check_contract(idle, curtails=True) == ()


def test_an_honest_rule_keeps_all_promises():
    assert gi.check_contract(Rule(steady)) == ()


def test_what_is_not_stated_is_told():
    @dataclass
    class Loose:
        name: str = "Loose Rule"
        bidirectional: bool = False
        foresight: str = "none"

        def plan(self, request):
            return uncontrolled_dispatch(request)

    told = {broken.what.split(" ")[0] for broken in gi.check_contract(Loose(), [])}
    assert told == {"foresight", "name", "cannot"}
    with pytest.raises(InputError, match="is no strategy"):
        gi.check_contract(object(), [])


def test_requests_may_come_alone_in_a_list_or_by_name():
    spoilt, one = Spoilt(more_than_metered), small_fleets()["one car"]
    for given, where in ((one, "request"), ([one], "request 0"), ({"mine": one}, "mine")):
        found = gi.check_contract(spoilt, given)
        assert [broken.where.split(",")[0] for broken in found] == [where]
        assert str(found[0]).startswith(f"ledger: {where}, stay 'stay 0' of vehicle 'car 0', step")


def test_the_ten_small_fleets_hold_what_their_names_say():
    fleets = small_fleets()
    assert len(fleets) == 10
    found = {name: uncontrolled_dispatch(request) for name, request in fleets.items()}
    assert fleets["no car"].vehicle_id == ()
    never = fleets["a car that never comes"]
    assert set(range(len(never.vehicle_id))) - set(never.stays.vehicle.tolist()) == {1}
    assert fleets["homes with PV"].site_pv_kw.min() < -5.0
    assert set(fleets["a fleet at a building"].site_kind) == {"building"}
    low = fleets["a reserve above the state of charge"]
    assert np.all(low.soc_initial < low.stays.soc_reserve[0])
    assert np.all(fleets["groups that overlap"].group_member.sum(axis=0) >= 2)
    fuse = fleets["a tight fuse"]
    assert np.all(fuse.site_import_limit_kw < fuse.stays.p_charge_kw[0])
    assert "soc_floor" in found["a tight fuse"].unmet_cause
    assert found["a tight fuse"].away_kwh.max() > 0.0
    assert gi.check_contract(Uncontrolled()) == ()
