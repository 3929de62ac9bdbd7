"""The same power at every customer at once, against plain pandapower."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import GridError, InputError
from gridimpact.hosting.nodal import nodal_capacity
from gridimpact.hosting.uniform import uniform_capacity
from gridimpact.network import open_network
from gridimpact.records import UNIFORM_COLUMNS
from tests.hosting.power_case import (
    TANGENT,
    Plain,
    broken_by,
    four_buses,
    opened,
    spec_of,
    steps_of,
)
from tests.hosting.test_nodal import small


@pytest.mark.parametrize(
    ("name", "direction"),
    [("kerber_rural", "import"), ("four_buses", "export"), ("cigre_lv", "import")],
)
def test_thresholds_are_those_of_a_plain_bisection_with_pandapower(name, direction):
    spec, _ = small(name)
    kinds = sorted(set(spec.network.sites["kind"]))
    table, _ = uniform_capacity(spec, days="all", direction=direction, kinds=kinds)
    sign, tangent = (1.0, TANGENT) if direction == "import" else (-1.0, 0.0)
    plain = Plain(spec.network, *steps_of(spec.network, 1))
    found = plain.bisected(slice(None), sign, tangent, broken_by(spec.limits), 60.0)
    assert tuple(table.columns) == UNIFORM_COLUMNS
    assert table["capacity_kw"].iloc[0] == pytest.approx(found, abs=0.01)
    assert table["reached"].iloc[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kerber_rural", "four_buses", "cigre_lv"])
@pytest.mark.parametrize("direction", ["import", "export"])
def test_homes_hold_at_their_capacity_and_break_just_above_in_pandapower(name, direction):
    spec, _ = small(name)
    table, _ = uniform_capacity(spec, days="all", direction=direction)
    sign, tangent = (1.0, TANGENT) if direction == "import" else (-1.0, 0.0)
    plain = Plain(spec.network, *steps_of(spec.network, 1))
    unit = sign * (spec.network.sites["kind"] == "home").to_numpy(dtype=float)
    power, broken = table["capacity_kw"].iloc[0], broken_by(spec.limits)
    assert plain.holds((power - 0.001) * unit, tangent, broken)
    assert not plain.holds((power + 0.01) * unit, tangent, broken)


def test_what_binds_is_named_and_counted_by_its_bus():
    spec, _ = small("kerber_rural")
    table, notes = uniform_capacity(spec, days="all", direction="import")
    row = table.iloc[0]
    assert (row["binding"], row["name"]) == ("voltage", "Home 13")
    assert row["binding_element"] == spec.network.sites["bus"].iloc[-1]
    assert any("13 customers (home)" in note.text for note in notes)


def test_all_at_once_is_never_more_than_the_least_alone():
    spec, alone = small("four_buses")
    table, _ = uniform_capacity(spec, days="all", direction="both")
    for row in table.itertuples():
        least = alone.loc[alone["direction"] == row.direction, "capacity_kw"].min()
        assert row.capacity_kw < least


def test_of_one_customer_it_is_that_of_the_connection_alone():
    network = opened("cigre_lv")
    sites = network.sites.assign(kind="public")
    sites.loc["Load C18", "kind"] = "home"
    changed = type(network)(
        network.name, network.source, network.licence, network.net, network.grid, sites
    )
    spec = spec_of(changed, *steps_of(network, 1), limits="uk_esqcr")
    together, _ = uniform_capacity(spec, days="all", direction="import")
    alone, _ = nodal_capacity(spec, days="all", direction="import", sites=["Load C18"])
    assert together["capacity_kw"].iloc[0] == pytest.approx(alone["capacity_kw"].iloc[0], abs=0.005)


def test_where_nothing_breaks_the_power_asked_about_is_told_as_not_reached():
    spec, _ = small("four_buses")
    table, _ = uniform_capacity(spec, days="all", p_max_kw=2.0)
    assert list(table["capacity_kw"]) == [2.0, 2.0]
    assert not table["reached"].any()
    assert list(table["binding_element"]) == [-1, -1]
    assert set(table["name"]) == {""}


def test_a_profile_that_judges_nothing_ends_where_power_flows_do():
    spec, _ = small("four_buses")
    table, notes = uniform_capacity(spec, days="all", direction="import", limits=["power_flow"])
    row = table.iloc[0]
    assert row["binding"] == "power_flow"
    assert row["name"] == "network"
    assert any("no limit of the profile" in note.text for note in notes)
    plain = Plain(spec.network, *steps_of(spec.network, 1))
    assert plain.holds(np.full(2, 0.99 * row["capacity_kw"]), TANGENT, lambda _: False)


def test_everything_given_wrongly_is_told_at_once():
    spec, _ = small("four_buses")
    with pytest.raises(InputError) as error:
        uniform_capacity(
            spec,
            kinds=["castle"],
            p_max_kw=0.0,
            tolerance_kw=-1.0,
            direction="up",
            power_factor=0.0,
        )
    told = str(error.value)
    for text in (
        "'castle'",
        "the network has home",
        "p_max_kw",
        "tolerance_kw",
        "'up'",
        "power_factor",
    ):
        assert text in told
    with pytest.raises(InputError, match="list of kinds"):
        uniform_capacity(spec, kinds="home")
    with pytest.raises(InputError, match="names none"):
        uniform_capacity(spec, kinds=[])


@pytest.mark.slow
def test_customers_without_supply_take_no_part_and_without_any_there_is_no_answer():
    net = four_buses((0.1, 0.1))
    pp.create_switch(net, 3, 1, et="l", closed=False)
    spec = spec_of(open_network(net), [[1.0, 0.0], [1.0, 0.0]])
    table, notes = uniform_capacity(spec, days="all", direction="import")
    alone, _ = nodal_capacity(spec, days="all", direction="import", sites=["Home 0"])
    assert table["capacity_kw"].iloc[0] == pytest.approx(alone["capacity_kw"].iloc[0], abs=0.006)
    assert any("1 customers are without supply" in note.text for note in notes)
    pp.create_switch(net, 2, 0, et="l", closed=False)
    with pytest.raises(GridError, match="none of 2 customers has supply"):
        uniform_capacity(spec_of(open_network(net), 0.0), days="all")
