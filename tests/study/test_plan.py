"""A strategy of one's own that breaks a bound is stopped before anything is solved."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.dispatch.strategy import Foresight
from gridimpact.errors import InfeasibleDispatch
from gridimpact.study.plan import check_dispatch, plan
from gridimpact.study.requests import build_requests
from tests.study.case import fleet_of, spec_of, whole


@dataclasses.dataclass(frozen=True)
class Faulty:
    """Uncontrolled charging with one value changed."""

    field: str
    step: int
    value: float
    bidirectional: bool = False
    name: str = "faulty"
    foresight: Foresight = Foresight()  # noqa: RUF009 - frozen

    def plan(self, request):
        honest = gi.Uncontrolled().plan(request)
        values = getattr(honest, self.field).copy()
        values[self.step, 0] = self.value
        return dataclasses.replace(honest, **{self.field: values})


def request():
    fleet = fleet_of(
        [("a", "2016-04-15 02:00", "2016-04-15 08:00", 10.0)],
        {"a": {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0, "p_discharge_max_kw": 11.0}},
        p_discharge_max_kw=11.0, bidirectional=True,
    )  # fmt: skip
    spec = spec_of(fleet, ["Home 1"])
    return build_requests(spec, whole(spec))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Faulty("p_kw", 0, 3.0), "drawn while away"),
        (Faulty("p_kw", 3, 12.0), "passes the charger"),
        (Faulty("p_kw", 3, -2.0), "never feeds"),
        (Faulty("p_kw", 3, -12.0, bidirectional=True), "more than the charger can"),
        (Faulty("p_kw", 3, np.nan), "not finite"),
        (Faulty("soc", 3, 1.2), "outside 0..1"),
        (Faulty("soc", 3, np.nan), "not finite"),
    ],
)
def test_a_broken_bound_names_strategy_vehicle_and_step(fault, words):
    with pytest.raises(InfeasibleDispatch, match=words) as caught:
        plan(fault, request())
    assert "'faulty'" in str(caught.value)
    assert f"step {fault.step}" in str(caught.value)


@dataclasses.dataclass(frozen=True)
class Narrow(Faulty):
    """Uncontrolled charging that leaves the last step out."""

    def plan(self, request):
        honest = gi.Uncontrolled().plan(request)
        return dataclasses.replace(honest, p_kw=honest.p_kw[:-1])


def test_a_dispatch_of_another_shape_is_told_before_it_is_read():
    with pytest.raises(InfeasibleDispatch, match="has shape"):
        plan(Narrow("p_kw", 0, 0.0), request())


def test_stays_given_twice_hide_no_fault_and_make_none():
    asked = request()
    names = [f.name for f in dataclasses.fields(asked.stays) if f.name != "session_id"]
    twice = {name: np.repeat(getattr(asked.stays, name), 2) for name in names}
    both = dataclasses.replace(asked.stays, session_id=("s", "again"), **twice)
    doubled = dataclasses.replace(asked, stays=both)
    honest = gi.Uncontrolled().plan(asked)
    check_dispatch(gi.Uncontrolled(), doubled, honest)
    away = honest.p_kw.copy()
    away[0, 0] = 3.0
    with pytest.raises(InfeasibleDispatch, match="drawn while away"):
        check_dispatch(gi.Uncontrolled(), doubled, dataclasses.replace(honest, p_kw=away))


def test_a_feeding_strategy_within_its_bounds_passes():
    assert plan(Faulty("p_kw", 3, -5.0, bidirectional=True), request()).p_kw[3, 0] == -5.0


def test_a_target_that_passes_the_fuse_is_told_and_uncontrolled_charging_is_not():
    tight = dataclasses.replace(request(), site_import_limit_kw=np.array([2.0]))
    (note,) = plan(gi.g2v.LastMinute(), tight).notes
    assert note.where == "g2v_last_minute"
    assert "main fuse of 1 sites" in note.text
    assert plan(gi.Uncontrolled(), tight).notes == ()
    wide = dataclasses.replace(tight, site_import_limit_kw=np.array([50.0]))
    assert plan(gi.g2v.LastMinute(), wide).notes == ()
