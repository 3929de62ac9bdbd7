"""What a power flow is given: every watt of sites, PV and cars, at its bus, with its sign."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.errors import GridError
from gridimpact.powerflow.given import phase_shares
from gridimpact.study.demand import reactive_ratio, sites_without_reactive
from gridimpact.study.inject import bus_positions, inject
from gridimpact.study.plan import plan
from gridimpact.study.requests import build_requests
from tests.study.case import (
    DAY,
    constant,
    fleet_of,
    spec_of,
    strategies,
    study,
    three_homes,
    whole,
)

FEEDS = {"p_max_kw": 11.0, "p_discharge_max_kw": 11.0, "bidirectional": True}
CAR = {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0, "p_discharge_max_kw": 11.0}


def two_cars(**options):
    fleet = fleet_of(
        [
            ("a", "2016-04-15 01:00", "2016-04-15 07:00", 20.0),
            ("b", "2016-04-15 03:00", "2016-04-15 09:00", 30.0),
        ],
        {"a": CAR, "b": CAR},
        **FEEDS,
    )
    spec = spec_of(fleet, ["Home 2", "Home 2"], **options)
    return spec, whole(spec), build_requests(spec, whole(spec))


def test_loads_come_first_then_pv_then_chargers_each_at_its_bus():
    net = three_homes()
    spec, segment, request = two_cars(network=net, profiles=constant(net, kw=2.0, pv=-5.0))
    dispatch = plan(gi.Uncontrolled(), request)
    given = inject(spec, segment, request, dispatch)
    assert given.p_kw.shape == (1, DAY.count, 3 + 1 + 2)
    buses = [int(net.grid.bus_index[b]) for b in given.bus]
    home = net.sites["bus"].tolist()
    assert buses == [*home, home[0], home[1], home[1]]
    assert (given.p_kw[0, :, :3] == 2.0).all()
    assert (given.p_kw[0, :, 3] == -5.0).all()
    assert not given.q_kvar[0, :, 3].any()
    assert given.phase_share.sum(axis=1) == pytest.approx(1.0)


def test_without_cars_only_sites_remain():
    spec, segment, request = two_cars()
    given = inject(spec, segment, request, None)
    assert given.p_kw.shape == (1, DAY.count, 3)


def test_charger_power_is_the_dispatch_and_lags_whichever_way_it_flows():
    spec, segment, request = two_cars()
    dispatch = plan(gi.Uncontrolled(), request)
    power = dispatch.p_kw.copy()
    power[7, 1] = -4.0
    given = inject(spec, segment, request, dataclasses.replace(dispatch, p_kw=power))
    chargers = given.p_kw[0, :, -2:]
    assert chargers == pytest.approx(power)
    tangent = np.tan(np.arccos(spec.charger_power_factor))
    assert given.q_kvar[0, :, -2:] == pytest.approx(np.abs(power) * tangent)
    apparent = np.hypot(chargers, given.q_kvar[0, :, -2:])
    moving = np.abs(chargers) > 0
    assert np.abs(chargers[moving]) / apparent[moving] == pytest.approx(0.99)


def test_reactive_power_a_strategy_sets_is_kept():
    spec, segment, request = two_cars()
    dispatch = plan(gi.Uncontrolled(), request)
    set_point = np.where(dispatch.p_kw > 0, -1.5, 0.0)
    given = inject(spec, segment, request, dataclasses.replace(dispatch, q_kvar=set_point))
    assert given.q_kvar[0, :, -2:] == pytest.approx(set_point)


def test_sites_take_measured_reactive_power_else_the_network_s_ratio_else_a_power_factor():
    net = three_homes()
    spec, segment, request = two_cars(network=net)
    given = inject(spec, segment, request, None)
    assert given.q_kvar[0, 0] / given.p_kw[0, 0] == pytest.approx([0.25] * 3)
    assert sites_without_reactive(spec) == 0
    bare = dataclasses.replace(net, sites=net.sites.assign(load_q_kvar=[1.0, 0.0, 0.0]))
    spec, segment, request = two_cars(network=bare)
    lagging = np.tan(np.arccos(0.95))
    assert reactive_ratio(spec) == pytest.approx([0.25, lagging, lagging])
    assert sites_without_reactive(spec) == 2
    measured = dataclasses.replace(constant(net), load_q_kvar=np.full((DAY.count, 3), -0.7))
    spec, segment, request = two_cars(network=net, profiles=measured)
    assert (inject(spec, segment, request, None).q_kvar == -0.7).all()
    assert sites_without_reactive(spec) == 0


def test_the_sum_over_vehicles_is_what_the_power_flow_is_given():
    spec = study().spec
    segment = whole(spec)
    request = build_requests(spec, segment)
    count = len(request.charger_id)
    for strategy in strategies():
        dispatch = plan(strategy, request)
        given = inject(spec, segment, request, dispatch)
        total = given.p_kw[0, :, -count:].sum(axis=1)
        assert total == pytest.approx(dispatch.p_kw.sum(axis=1), rel=1e-9, abs=1e-9), strategy.name
        everything = request.site_load_kw.sum() + request.site_pv_kw.sum() + dispatch.p_kw.sum()
        assert given.p_kw.sum() == pytest.approx(everything, rel=1e-9)


def test_phases_share_the_power_of_an_element():
    assert phase_shares(["abc", "c"]) == pytest.approx(np.array([[1 / 3] * 3, [0, 0, 1]]))


def test_a_site_at_a_bus_the_network_lacks_is_refused():
    spec, _, _ = two_cars()
    with pytest.raises(GridError, match=r"buses \[999\]"):
        bus_positions(spec, np.array([999]))
