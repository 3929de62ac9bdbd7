"""What each connection alone may draw or feed, against plain pandapower and what cables obey."""

from __future__ import annotations

import copy
import dataclasses
from functools import lru_cache
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridimpact.errors import FlowNotConverged, InputError
from gridimpact.hosting import nodal
from gridimpact.hosting.bracket import Search
from gridimpact.hosting.lane_limits import Excess
from gridimpact.hosting.nodal import nodal_capacity
from gridimpact.network import open_network
from gridimpact.records import NODAL_COLUMNS, Network
from gridimpact.study.spec import StudySpec
from tests.hosting.power_case import (
    TANGENT,
    Plain,
    broken_by,
    four_buses,
    opened,
    spec_of,
    steps_of,
)
from tests.network.phase_nets import station

PROFILES = {"kerber_rural": "eu_lv_planning", "four_buses": "eu_lv_dso", "cigre_lv": "uk_esqcr"}


@lru_cache(maxsize=3)
def small(name: str) -> tuple[StudySpec, pd.DataFrame]:
    """Return a study of a small network and what each of its connections may draw and feed."""
    network = opened(name)
    spec = spec_of(network, *steps_of(network, 1), limits=PROFILES[name])
    return spec, nodal_capacity(spec, days="all")[0]


def capacity(table: pd.DataFrame, direction: str) -> np.ndarray:
    """Return the capacities of one direction [kW]."""
    return table.loc[table["direction"] == direction, "capacity_kw"].to_numpy()


def bisected(name: str, site: int, direction: str) -> tuple[float, float]:
    """Return the capacity of one connection and pandapower's [kW]."""
    spec, table = small(name)
    sign, tangent = (1.0, TANGENT) if direction == "import" else (-1.0, 0.0)
    plain = Plain(spec.network, *steps_of(spec.network, 1))
    found = plain.bisected(site, sign, tangent, broken_by(spec.limits), 300.0)
    return capacity(table, direction)[site], found


@pytest.mark.parametrize(
    ("name", "site", "direction"),
    [
        ("kerber_rural", 12, "import"),
        pytest.param("kerber_rural", 0, "export", marks=pytest.mark.slow),
        ("four_buses", 0, "import"),
        ("four_buses", 1, "export"),
        ("cigre_lv", 2, "import"),
        ("cigre_lv", 12, "export"),
    ],
)
def test_thresholds_are_those_of_a_plain_bisection_with_pandapower(name, site, direction):
    own, plain = bisected(name, site, direction)
    assert own == pytest.approx(plain, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(PROFILES))
def test_every_connection_holds_at_its_capacity_and_breaks_just_above_in_pandapower(name):
    spec, table = small(name)
    plain = Plain(spec.network, *steps_of(spec.network, 1))
    for row in table.itertuples():
        site = list(spec.network.sites.index).index(row.site_id)
        sign, tangent = (1.0, TANGENT) if row.direction == "import" else (-1.0, 0.0)
        unit = np.zeros(len(spec.network.sites))
        unit[site] = sign
        broken = broken_by(spec.limits)
        assert row.reached
        assert plain.holds((row.capacity_kw - 0.001) * unit, tangent, broken)
        assert not plain.holds((row.capacity_kw + 0.01) * unit, tangent, broken)


def test_the_table_has_the_columns_of_the_record_and_names_what_binds():
    spec, table = small("kerber_rural")
    assert tuple(table.columns) == NODAL_COLUMNS
    assert list(table["direction"].unique()) == ["import", "export"]
    near, far = table.iloc[0], table.iloc[12]
    assert (near["binding"], near["binding_element"]) == ("line_loading", "line_1_1")
    assert (far["binding"], far["binding_element"]) == ("voltage", "Home 13")
    assert (table["cars"] == np.floor(table["capacity_kw"] / 11.0)).all()
    assert (table["site_id"][:13] == spec.network.sites.index.astype(str)).all()


def test_capacity_falls_with_distance_along_a_row_of_equal_cables():
    _, table = small("kerber_rural")
    for _direction, own in table[table["binding"] == "voltage"].groupby("direction"):
        assert (np.diff(own["distance_m"]) > 0).all()
        assert (np.diff(own["capacity_kw"]) < 0).all()


def test_more_load_leaves_less_to_draw_and_more_to_feed():
    network = opened("four_buses")
    load, pv = steps_of(network, 1)
    _, before = small("four_buses")
    after, _ = nodal_capacity(spec_of(network, load + 4.0, pv, limits="eu_lv_dso"), days="all")
    assert (capacity(after, "import") < capacity(before, "import") - 3.0).all()
    assert (capacity(after, "export") > capacity(before, "export") + 1.0).all()


def test_order_of_sites_and_batches_change_no_bit(monkeypatch):
    spec, table = small("kerber_rural")
    chosen = ["Home 9", "Home 3", "Home 12"]
    part, _ = nodal_capacity(spec, days="all", sites=chosen)
    known = table[table["site_id"].isin(chosen)].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, known, check_exact=True)
    monkeypatch.setattr(nodal, "_VALUES_AT_ONCE", 1)
    alone, _ = nodal_capacity(spec, days="all", sites=chosen)
    pd.testing.assert_frame_equal(alone, known, check_exact=True)


def test_a_fuse_binds_where_the_profile_asks_and_the_load_before_it_counts():
    network = opened("four_buses")
    spec = spec_of(network, [[2.0, 3.0], [1.0, 0.5]], limits="vde_ar_n_4100")
    table, _ = nodal_capacity(spec, days="all", direction="import")
    fuse = 3 * 0.23 * network.sites["fuse_a"].to_numpy(dtype=float)
    assert table["capacity_kw"].to_numpy() == pytest.approx(fuse - [2.0, 3.0], abs=0.005)
    assert set(table["binding"]) == {"connection"}
    assert list(table["binding_element"]) == ["Home 0", "Home 1"]


def test_where_nothing_breaks_the_power_asked_about_is_told_as_not_reached():
    spec, _ = small("four_buses")
    table, _ = nodal_capacity(spec, days="all", direction="import", p_max_kw=22.0)
    assert (table["capacity_kw"] == 22.0).all()
    assert not table["reached"].any()
    assert set(table["binding"]) == {""}
    assert (table["cars"] == 2).all()


def _overloaded(preexisting: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return capacities of two homes whose cable drops more than allowed before any power is added."""
    spec = spec_of(opened("four_buses"), [[5.0, 62.0], [5.0, 5.0]])
    table, notes = nodal_capacity(spec, days="all", preexisting=preexisting, direction="import")
    return table, tuple(note.text for note in notes)


def test_what_was_broken_before_may_not_get_worse_by_default():
    table, notes = _overloaded("worse")
    spec, network = spec_of(opened("four_buses"), [[5.0, 62.0], [5.0, 5.0]]), opened("four_buses")
    plain = Plain(network, np.array([[5.0, 62.0], [5.0, 5.0]]), np.zeros((2, 2)))
    assert not plain.holds(np.zeros(2), 0.0, broken_by(spec.limits))
    busbar, far = network.net.trafo.lv_bus.iloc[0], network.net.load.bus.iloc[1]
    before = plain.net.res_bus.vm_pu[busbar] - plain.net.res_bus.vm_pu[far]
    # 0.001 pu deeper is where it counts as worse; the second step is far from it.
    worse = dataclasses.replace(spec.limits, drop_pu=before + 0.001, name="as it was")
    for site, power in enumerate(table["capacity_kw"]):
        unit = np.eye(2)[site]
        assert plain.holds((power - 0.001) * unit, TANGENT, broken_by(worse))
        assert not plain.holds((power + 0.01) * unit, TANGENT, broken_by(worse))
    assert set(table["binding"]) == {"voltage"}
    assert any("1 by voltage" in text for text in notes)


def far_home(evening_kw: float, noon_kw: float) -> float:
    """Return what the far home may draw by voltage alone beside its own load [kW]."""
    spec = spec_of(opened("four_buses"), [[0.0, evening_kw], [0.0, noon_kw]])
    table, _ = nodal_capacity(
        spec, days="all", direction="import", limits=["voltage"], sites=["Home 1"]
    )
    return float(table["capacity_kw"].iloc[0])


def test_longer_counts_as_worse_as_deeper_does():
    low = 40.0 + 0.9 * far_home(40.0, 40.0)
    near = low + 0.7 * far_home(low, low)
    # The evening is beyond its limit already; noon, twelve hours more, may not fall below it as well.
    assert 0.1 < far_home(near, near) < 0.8
    assert far_home(65.0, near) == pytest.approx(far_home(near, near), abs=0.006)
    assert far_home(65.0, 5.0) > far_home(65.0, near) + 0.1


def test_broken_before_ends_everything_or_never_counts_as_asked():
    counted, _ = _overloaded("count")
    assert (counted["capacity_kw"] == 0.0).all()
    assert counted["reached"].all()
    assert set(counted["binding"]) == {"voltage"}
    ignored, _ = _overloaded("ignore")
    worse, _ = _overloaded("worse")
    assert (ignored["capacity_kw"] > worse["capacity_kw"] + 1.0).all()


def test_a_connection_without_supply_has_no_capacity_and_the_others_keep_theirs():
    net = four_buses((0.1, 0.1, 0.1))
    pp.create_switch(net, 4, 2, et="l", closed=False)
    spec = spec_of(open_network(net), [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    table, notes = nodal_capacity(spec, days="all", direction="import")
    assert table["capacity_kw"].iloc[2] == 0.0
    assert table["binding"].iloc[2] == "power_flow"
    assert (table["capacity_kw"].iloc[:2] > 50.0).all()
    assert any("without supply" in note.text for note in notes)


def test_a_network_that_cannot_carry_its_own_load_is_told():
    with pytest.raises(FlowNotConverged, match="cannot carry its own load"):
        nodal_capacity(spec_of(opened("four_buses"), 5000.0), days="all")


@lru_cache(maxsize=1)
def a_flat_on_one_phase() -> tuple[Any, Network]:
    """Return a net with a house on three phases and a flat on phase b behind it, plain and opened."""
    net = station("Dyn", 150, s_sc_mva=200.0)
    pp.create_asymmetric_load(net, 3, p_b_mw=0.002, q_b_mvar=0.0005, name="flat b")
    pp.create_load(net, 2, p_mw=0.004, q_mvar=0.001, name="house")
    return net, open_network(copy.deepcopy(net))


def test_single_phase_connections_agree_with_runpp_3ph():
    net, network = a_flat_on_one_phase()
    spec = spec_of(
        network, [[4.0, 2.0], [4.0, 2.0]],
        limits={"base": "eu_lv_planning", "unbalance_percent": 50.0},
        power_flow="three_phase", zero_sequence="assume",
    )  # fmt: skip
    table, _ = nodal_capacity(spec, days="all", direction="import")
    flat = table[table["phases"] == "b"].iloc[0]
    net = copy.deepcopy(net)
    added = pp.create_asymmetric_load(net, 3, p_b_mw=0.0)

    def depth(kw: float) -> float:
        net.asymmetric_load.loc[added, ["p_b_mw", "q_b_mvar"]] = kw / 1e3, kw * TANGENT / 1e3
        pp.runpp_3ph(net)
        volts = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]]
        over = net.res_line_3ph["loading_percent"].max() / 100.0 - 1.0
        departure = volts.iloc[1:] - volts.iloc[1]
        return max(-departure.min().min() - 0.05, departure.max().max() - 0.03, over)

    assert depth(flat["capacity_kw"] - 0.02) < 0.0 < depth(flat["capacity_kw"] + 0.02)


def test_evenness_of_a_connection_binds_where_the_profile_asks_for_it():
    _, network = a_flat_on_one_phase()
    spec = spec_of(
        network, [[4.0, 2.0], [4.0, 1.0]], limits={"base": "eu_lv_planning", "single_phase_kva": 4.6},
        power_flow="three_phase", zero_sequence="assume",
    )  # fmt: skip
    table, _ = nodal_capacity(spec, days="all", direction="import", limits=["connection"])
    flat = table[table["phases"] == "b"].iloc[0]
    # |2 + 0.5j + P (1 + j tan)| = 4.6 kVA, a quadratic equation in P.
    a, b, c = 1.0 + TANGENT**2, 2.0 * (2.0 + 0.5 * TANGENT), 4.25 - 4.6**2
    assert flat["capacity_kw"] == pytest.approx(
        (-b + np.sqrt(b * b - 4 * a * c)) / (2 * a), abs=0.006
    )
    assert (flat["binding"], flat["binding_element"]) == ("connection", "flat b")
    even = table[table["phases"] == "abc"].iloc[0]
    assert even["capacity_kw"] > 100.0


def test_added_power_is_constant_where_the_load_answers_to_voltage():
    net = four_buses()
    net.load[["const_z_p_percent", "const_z_q_percent"]] = 60.0
    network = open_network(net)
    load, pv = steps_of(network, 2)
    spec = spec_of(network, 8.0 * load, pv)
    table, _ = nodal_capacity(spec, days="all", direction="import", sites=["Home 1"])
    plain = Plain(network, 8.0 * load, pv)
    for k, bus in enumerate(network.net.load.bus):
        # pandapower averages the shares of all loads at a bus: what is constant stands at one of its own.
        twin = pp.create_bus(plain.net, 0.4)
        pp.create_line_from_parameters(plain.net, bus, twin, 0.001, 1e-3, 1e-3, 0.0, max_i_ka=9.0)
        plain.net.load.loc[[plain.sun[k], plain.car[k]], "bus"] = twin
    unit, power = np.array([0.0, 1.0]), table["capacity_kw"].iloc[0]
    assert plain.holds((power - 0.005) * unit, TANGENT, broken_by(spec.limits))
    assert not plain.holds((power + 0.01) * unit, TANGENT, broken_by(spec.limits))


@pytest.mark.slow
def test_a_given_power_factor_and_highest_power_hold_for_both_directions():
    spec, before = small("four_buses")
    plain = Plain(spec.network, *steps_of(spec.network, 1))
    table, _ = nodal_capacity(spec, days="all", power_factor=0.9, sites=["Home 1"])
    for row in table.itertuples():
        unit = np.array([0.0, 1.0 if row.direction == "import" else -1.0])
        tangent, broken = float(np.tan(np.arccos(0.9))), broken_by(spec.limits)
        assert plain.holds((row.capacity_kw - 0.001) * unit, tangent, broken)
        assert not plain.holds((row.capacity_kw + 0.01) * unit, tangent, broken)
    # Reactive power that is drawn lowers the voltage: less to draw, more to feed.
    assert capacity(table, "import")[0] < capacity(before, "import")[1]
    assert capacity(table, "export")[0] > capacity(before, "export")[1]


def test_progress_ends_at_all_connections_of_all_directions():
    told = []
    spec, _ = small("four_buses")
    nodal_capacity(
        spec, days="all", p_max_kw=1.0, progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (4, 4)
    assert told == sorted(told)


def test_volt_var_of_pv_answers_while_power_is_added():
    network = opened("four_buses")
    load, pv = steps_of(network, 1)
    curve = {"v_pu": [0.97, 1.0, 1.03], "q_share": [-0.4, 0.0, 0.4], "s_max_per_kw": 1.1}
    spec = spec_of(network, load, 8.0 * pv, volt_var={"pv": curve})
    fed, _ = nodal_capacity(spec, days="all", direction="export")
    without, _ = nodal_capacity(spec_of(network, load, 8.0 * pv), days="all", direction="export")
    assert (fed["capacity_kw"] > without["capacity_kw"] + 0.1).all()


def test_brackets_end_proved_at_every_step_though_narrowed_on_few():
    # Each case has one step of its own that binds, and begins with another.
    limit = np.linspace(3.0, 90.0, 20)

    def judge(case, step, kw):
        own = np.where(step == case, limit[case], 500.0)
        return Excess((kw / own - 1.0)[:, None], np.zeros((len(kw), 0)))

    search = Search(judge, np.arange(20), np.zeros(0, dtype=np.int64), 0.005)
    begin = [np.array([(k + 1) % 20]) for k in range(20)]
    found = search.run(11.0, np.full(20, 400.0), begin)
    assert found.fails.all()
    assert (found.low <= limit).all()
    assert (found.high >= limit).all()
    assert (found.high - found.low <= 0.005).all()


@pytest.mark.parametrize("jump", [0.013, 7.3, 299.999])
def test_brackets_close_on_margins_that_jump(jump):
    def judge(case, step, kw):
        return Excess(np.where(kw > jump, 1.0, -np.inf)[:, None], np.zeros((len(kw), 0)))

    search = Search(judge, np.arange(3), np.zeros(0, dtype=np.int64), 0.005)
    found = search.run(11.0, np.array([300.0]), [np.array([0])])
    assert found.low[0] <= jump < found.high[0]
    assert found.high[0] - found.low[0] <= 0.005


def test_everything_given_wrongly_is_told_at_once():
    spec, _ = small("four_buses")
    with pytest.raises(InputError) as error:
        nodal_capacity(
            spec, days="all", direction="sideways", sites=["Home 9"], car_kw=11_000.0,
            power_factor=1.2, p_max_kw=-5.0, preexisting="forget", tolerance_kw=0.0,
            limits=["voltage", "noise"],
        )  # fmt: skip
    told = str(error.value)
    for text in (
        "in kW, not W", "p_max_kw", "'Home 9' is unknown -> write 'Home 1'", "'sideways'", "'forget'",
        "'noise'", "power_factor", "tolerance_kw",
    ):  # fmt: skip
        assert text in told


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"sites": []}, "names none"),
        ({"sites": "Home 1"}, "list of site ids"),
        ({"limits": "voltage"}, "list of kinds"),
        ({"car_kw": float("nan")}, "car_kw"),
        ({"direction": ()}, "names none"),
        ({"days": "2020-01-01"}, "outside the timeline"),
    ],
)
def test_one_thing_given_wrongly_is_told(wrong, text):
    with pytest.raises(InputError, match=text):
        nodal_capacity(small("four_buses")[0], **({"days": "all"} | wrong))
