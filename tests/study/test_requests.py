"""What a strategy is told: whole steps, needs, fuses, limits of transformers, tariffs of sites."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.study.requests import LOSS_SHARE, build_requests, fuse_limit_kw
from gridimpact.study.segments import Segment
from tests.study.case import (
    DAY,
    constant,
    fleet_of,
    parts,
    spec_of,
    study,
    three_homes,
    whole,
)

CAR = {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0, "soc_target": 0.9}


def request_of(sessions, vehicles=None, **options):
    fleet = fleet_of(sessions, vehicles or {"a": CAR}, **options.pop("charger", {}))
    sites = options.pop("sites", ["Home 1", "Home 2", "Home 3"][: len(vehicles or [1])])
    spec = spec_of(fleet, sites, **options)
    return build_requests(spec, whole(spec))


def test_session_times_move_to_the_nearest_step():
    stays = request_of([("a", "2016-04-15 01:29", "2016-04-15 06:30"),
                        ("a", "2016-04-15 08:31", "2016-04-15 10:29")]).stays  # fmt: skip
    assert stays.start.tolist() == [1, 9]
    assert stays.end.tolist() == [7, 10]
    assert not stays.cut.any()


def test_a_stay_under_half_a_step_vanishes_and_its_trip_is_driven_before_the_next():
    request = request_of(
        [
            ("a", "2016-04-15 01:00", "2016-04-15 03:00", 2.0),
            ("a", "2016-04-15 05:01", "2016-04-15 05:20", 4.0),
            ("a", "2016-04-15 07:01", "2016-04-15 07:20", 1.0),
            ("a", "2016-04-15 08:00", "2016-04-15 09:00", 3.0),
        ]
    )
    assert request.stays.session_id == ("s0", "s3")
    assert request.stays.trip_kwh.tolist() == [2.0, 8.0]


def test_touching_stays_never_share_a_step():
    stays = request_of([("a", "2016-04-15 01:00", "2016-04-15 03:31"),
                        ("a", "2016-04-15 03:32", "2016-04-15 06:00")]).stays  # fmt: skip
    assert stays.end[0] <= stays.start[1]


def test_a_stay_under_way_starts_with_what_it_arrived_with_and_books_no_trip():
    known = request_of([("a", "2016-04-14 20:00", "2016-04-15 06:00", 5.0, 0.35)])
    assert known.soc_initial.tolist() == [0.35]
    assert known.stays.trip_kwh.tolist() == [0.0]
    assert np.isnan(known.stays.soc_arrival).all()
    driven = request_of([("a", "2016-04-14 20:00", "2016-04-15 06:00", 5.0)])
    assert driven.soc_initial == pytest.approx([0.9 - 5.0 / 50.0])
    empty = request_of([("a", "2016-04-14 20:00", "2016-04-15 06:00", 500.0)])
    assert empty.soc_initial.tolist() == empty.batteries.soc_min.tolist()


def test_a_car_that_is_away_starts_at_its_target_and_keeps_its_trip():
    request = request_of([("a", "2016-04-15 03:00", "2016-04-15 06:00", 5.0)])
    assert request.soc_initial.tolist() == [0.9]
    assert request.stays.trip_kwh.tolist() == [5.0]


def test_sessions_outside_the_segment_are_left_out():
    request = request_of([("a", "2016-04-13 20:00", "2016-04-14 06:00"),
                          ("a", "2016-04-15 03:00", "2016-04-15 06:00"),
                          ("a", "2016-04-17 03:00", "2016-04-17 06:00")])  # fmt: skip
    assert request.stays.session_id == ("s1",)


def test_a_cut_stay_has_to_reach_what_uncontrolled_charging_reaches():
    request = request_of([("a", "2016-04-15 21:00", "2016-04-16 06:00", 40.0)])
    stays = request.stays
    assert stays.cut.tolist() == [True]
    assert stays.end.tolist() == [24]
    reached = uncontrolled_dispatch(request).soc[-1, 0]
    assert stays.soc_target[0] == pytest.approx(reached)
    assert reached == pytest.approx(0.1 + 33.0 * request.batteries.eta_charge[0] / 50.0)
    rested = request_of([("a", "2016-04-15 02:00", "2016-04-16 06:00", 10.0)])
    assert rested.stays.soc_target[0] == pytest.approx(0.9)


def test_a_target_above_the_battery_s_ceiling_is_lowered_to_it():
    fleet = fleet_of([("a", "2016-04-15 02:00", "2016-04-15 06:00", 1.0)], {"a": CAR})
    spec = spec_of(fleet, ["Home 1"])
    lower = dataclasses.replace(spec.fleet, vehicles=spec.fleet.vehicles.assign(soc_max=0.85))
    request = build_requests(dataclasses.replace(spec, fleet=lower), whole(spec))
    assert request.stays.soc_target.tolist() == [0.85]


def test_stays_are_sorted_by_vehicle_and_time_whatever_the_order_of_the_log():
    log = [("b", "2016-04-15 08:00", "2016-04-15 09:00"),
           ("a", "2016-04-15 10:00", "2016-04-15 12:00"),
           ("a", "2016-04-15 01:00", "2016-04-15 03:00")]  # fmt: skip
    stays = request_of(log, {"a": CAR, "b": CAR}).stays
    assert stays.vehicle.tolist() == [0, 0, 1]
    assert stays.start.tolist() == [1, 10, 8]
    assert stays.session_id == ("s2", "s1", "s0")


def test_power_is_the_smaller_of_car_and_charger_on_the_phases_they_share():
    hour = ("2016-04-15 01:00", "2016-04-15 03:00")
    cars = {
        "a": CAR | {"p_charge_max_kw": 7.0, "p_discharge_max_kw": 5.0, "phases": 3},
        "b": CAR | {"p_charge_max_kw": 22.0, "p_discharge_max_kw": 22.0, "phases": 3},
        "c": CAR | {"p_charge_max_kw": 7.4, "p_discharge_max_kw": 7.4, "phases": 1},
    }
    both = {"p_max_kw": 11.1, "p_discharge_max_kw": 9.0, "bidirectional": True}
    spec = spec_of(fleet_of([(n, *hour) for n in "abc"], cars, **both), ["Home 1"] * 3)
    # Placing made the third charger a single-phase one of a third of its power.
    assert spec.fleet.chargers["p_max_kw"].tolist() == pytest.approx([11.1, 11.1, 3.7])
    assert build_requests(spec, whole(spec)).stays.p_charge_kw == pytest.approx([7.0, 11.1, 3.7])
    boxes = spec.fleet.chargers.assign(phases="abc", p_max_kw=11.1, p_discharge_max_kw=9.0)
    shared = dataclasses.replace(spec.fleet, chargers=boxes)
    stays = build_requests(dataclasses.replace(spec, fleet=shared), whole(spec)).stays
    assert stays.p_charge_kw == pytest.approx([7.0, 11.1, 3.7])
    assert stays.p_discharge_kw == pytest.approx([5.0, 9.0, 3.0])
    one_way = request_of([(n, *hour) for n in "abc"], cars).stays
    assert one_way.p_discharge_kw.tolist() == [0.0, 0.0, 0.0]


def test_main_fuse_limits_power_by_amperes_and_phases_and_none_is_no_limit():
    sites = three_homes().sites.assign(fuse_a=[35.0, np.nan, 63.0], phases=["abc", "abc", "a"])
    assert fuse_limit_kw(sites) == pytest.approx([35 * 3 * 0.23, np.inf, 63 * 0.23])


def test_import_limit_is_where_chargers_bring_the_transformer_to_its_rating():
    net = three_homes()
    profiles = dataclasses.replace(constant(net, kw=20.0), load_q_kvar=np.full((DAY.count, 3), 6.0))
    spec = spec_of(fleet_of([("a", "2016-04-15 01:00", "2016-04-15 03:00")], {"a": CAR}),
                   ["Home 1"], network=net, profiles=profiles)  # fmt: skip
    request = build_requests(spec, whole(spec))
    assert request.group_member.tolist() == [[True]]
    background = request.background_kw[0, 0]
    assert background == pytest.approx(60.0 * (1 + LOSS_SHARE))
    added = request.import_limit_kw[0, 0] - background
    tangent = np.tan(np.arccos(spec.charger_power_factor))
    apparent = np.hypot(background + (1 + LOSS_SHARE) * added, 18.0 + tangent * added)
    assert apparent == pytest.approx(250.0 * 1.02)
    assert request.export_limit_kw[0, 0] == pytest.approx(np.sqrt((250 * 1.02) ** 2 - 18.0**2))


def test_an_overloaded_transformer_leaves_no_room_and_no_negative_limit():
    net = three_homes()
    spec = spec_of(fleet_of([("a", "2016-04-15 01:00", "2016-04-15 03:00")], {"a": CAR}),
                   ["Home 1"], network=net, profiles=constant(net, kw=120.0))  # fmt: skip
    request = build_requests(spec, whole(spec))
    assert (request.import_limit_kw <= request.background_kw).all()
    assert (request.import_limit_kw > 0).all()


def test_limit_found_by_a_power_flow_loads_the_transformer_close_to_its_rating():
    """The estimate of losses and voltage is meant to err by little, and it does."""
    net = three_homes()
    spec = spec_of(fleet_of([("a", "2016-04-15 01:00", "2016-04-15 03:00")], {"a": CAR}),
                   ["Home 1"], network=net, profiles=constant(net, kw=20.0))  # fmt: skip
    request = build_requests(spec, whole(spec))
    added = request.import_limit_kw[0, 0] - request.background_kw[0, 0]
    given = gi.inject(spec, whole(spec), request, None)
    power, reactive = given.p_kw.copy(), given.q_kvar.copy()
    power[..., 0] += added
    reactive[..., 0] += added * np.tan(np.arccos(spec.charger_power_factor))
    flow = gi.solve(net.grid, dataclasses.replace(given, p_kw=power, q_kvar=reactive))
    assert flow.transformer_loading_percent[0, 0, 0] == pytest.approx(100.0, abs=6.0)


def test_each_kind_of_site_has_its_tariff_cut_to_the_segment():
    spec = study([gi.Uncontrolled()]).spec
    segment = Segment("part", 96, spec.timeline.part(96, 96), np.ones(96, dtype=np.bool_))
    request = build_requests(spec, segment)
    names = {
        k: request.tariffs[t].name
        for k, t in zip(request.site_kind, request.site_tariff, strict=True)
    }
    assert names == {k: spec.tariffs[k].name for k in ("home", "building")}
    home = request.tariffs[request.site_tariff[request.site_kind.index("home")]]
    assert np.array_equal(home.import_price, spec.tariffs["home"].import_price[96:192])
    assert np.array_equal(request.site_load_kw, spec.profiles.load_p_kw[96:192])


def test_one_tariff_serves_all_and_without_prices_all_is_free():
    log = [("a", "2016-04-15 01:00", "2016-04-15 03:00")]
    priced = request_of(log, prices="flat_retail")
    assert {t.name for t in priced.tariffs} == {gi.load_tariff("flat_retail", DAY).name}
    free = request_of(log)
    assert not free.tariffs[0].import_price.any()


def test_requests_are_made_from_inputs_that_stay_as_they_were():
    net, homes, fleet, _ = parts()
    before = (net.sites.copy(), homes.load_p_kw.copy(), fleet.sessions.copy())
    spec = study([gi.Uncontrolled()]).spec
    build_requests(spec, whole(spec))
    assert before[0].equals(net.sites)
    assert np.array_equal(before[1], homes.load_p_kw)
    assert before[2].equals(fleet.sessions)


def test_cold_batteries_are_an_option_that_needs_a_temperature():
    sessions = [("a", "2016-04-15 01:00", "2016-04-15 12:00")]
    frost = np.full(24, -15.0)
    plain = request_of(sessions, ambient=frost)
    cold = request_of(sessions, ambient=frost, cold_batteries=True)
    assert plain.stays.p_charge_kw[0] == pytest.approx(11.0)
    assert cold.stays.p_charge_kw[0] == pytest.approx(0.105 * 50.0 / plain.batteries.eta_charge[0])
    held = np.maximum(plain.stays.soc_reserve, plain.batteries.soc_min)
    assert cold.stays.soc_reserve == pytest.approx(held + 0.225)
    with pytest.raises(InputError, match="needs a temperature"):
        request_of(sessions, cold_batteries=True)


def test_battery_columns_that_a_table_leaves_out_change_nothing_and_given_ones_arrive():
    sessions = [("a", "2016-04-15 01:00", "2016-04-15 12:00")]
    plain = request_of(sessions).batteries
    assert plain.idle_kw.tolist() == [0.0]
    assert plain.taper_fraction_discharge.tolist() == [1.0]
    assert plain.gross_kwh.tolist() == [50.0]
    own = {
        "soc_knee_discharge": 0.3,
        "taper_fraction_discharge": 0.2,
        "idle_kw": 0.15,
        "gross_kwh": 54.0,
    }
    told = request_of(sessions, {"a": {**CAR, **own}}).batteries
    for name, value in own.items():
        assert getattr(told, name).tolist() == [value]
    part = request_of(sessions, {"a": {**CAR, **own}, "b": CAR}).batteries
    assert part.idle_kw.tolist() == [0.15, 0.0]
    assert part.gross_kwh.tolist() == [54.0, 50.0]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("soc_knee_discharge", 1.2),
        ("taper_fraction_discharge", -0.1),
        ("idle_kw", 11.0),
        ("gross_kwh", 40.0),
    ],
)
def test_impossible_battery_columns_are_refused(column, value):
    with pytest.raises(InputError, match=column):
        request_of([("a", "2016-04-15 01:00", "2016-04-15 12:00")], {"a": {**CAR, column: value}})


def test_a_study_hands_out_what_its_strategies_are_told():
    own = study([gi.Uncontrolled()])
    (everything,) = own.requests("all")
    assert everything.timeline == own.spec.timeline
    assert np.array_equal(everything.site_load_kw, own.spec.profiles.load_p_kw)
    (day,) = own.requests("2016-04-19")
    assert day.timeline.count == 3 * 24 * 3600 // everything.timeline.step_s
    by_hand = gi.build_requests(own.spec, whole(own.spec))
    found = gi.plan(gi.g2v.ValleyFilling(), everything)
    assert np.array_equal(found.p_kw, gi.plan(gi.g2v.ValleyFilling(), by_hand).p_kw)
