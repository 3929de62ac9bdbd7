"""At the envelope the binding limit is met, slightly above it is passed."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pandapower as pp
import pytest
from scipy.optimize import brentq

import gridimpact as gi
from gridimpact.assess import limit_profile
from gridimpact.errors import InputError
from tests.study.case import fleet_of
from tests.study.closed_loop_case import HOMES, cars_at_homes, long_feeder, run, small_spec


@pytest.fixture(scope="module")
def spec():
    """Return three homes of growing demand and falling sun on a long cable."""
    made = small_spec(network=long_feeder(300.0))
    hours = np.arange(24.0)[:, None]
    load = 1.0 + 0.1 * hours + np.array([[0.0, 1.0, 2.0]])
    sun = -6.0 * np.exp(-(((hours - 12.0) / 3.0) ** 2)) * np.array([[1.0, 0.0, 1.0]])
    profiles = dataclasses.replace(made.profiles, load_p_kw=load, pv_p_kw=sun)
    return dataclasses.replace(made, profiles=profiles)


@pytest.fixture(scope="module")
def found(spec):
    return gi.operating_envelopes(spec)


def margins(spec, net, p_kw: np.ndarray, q_kvar: np.ndarray, way: str) -> dict[str, float]:
    """Return how far each limit is, by pandapower: negative where it is passed."""
    net.load["p_mw"], net.load["q_mvar"] = p_kw / 1e3, q_kvar / 1e3
    pp.runpp(net, tolerance_mva=1e-10)
    busbar = net.res_bus.vm_pu.iloc[1]
    low = net.res_bus.vm_pu.iloc[1:]
    away = busbar - low if way == "import" else low - busbar
    limits = spec.limits
    return {
        "voltage": float((limits.drop_pu if way == "import" else limits.rise_pu) - away.max()),
        "transformer": limits.transformer_loading_percent / 100
        - net.res_trafo.loading_percent.max() / 100,
        "line": limits.line_loading_percent / 100 - net.res_line.loading_percent.max() / 100,
    }


def at_level(spec, step: int, level: float, way: str) -> tuple[np.ndarray, np.ndarray]:
    """Return demand of the homes with every meter at a level [kW, kvar], written from the definition."""
    load, own = (
        spec.profiles.load_p_kw[step],
        spec.profiles.load_p_kw[step] + spec.profiles.pv_p_kw[step],
    )
    meter = np.maximum(level, own) if way == "import" else np.minimum(-level, own)
    sites = spec.network.sites
    ratio = (sites["load_q_kvar"] / sites["load_p_kw"]).to_numpy()
    tangent = np.tan(np.arccos(spec.charger_power_factor))
    return meter, load * ratio + np.abs(meter - own) * tangent


@pytest.mark.parametrize(("way", "steps"), [("import", (3, 20)), ("export", (12,))])
def test_envelope_is_the_root_that_pandapower_and_brentq_find(spec, found, way, steps):
    net = copy.deepcopy(spec.network.net)
    levels = found.import_level if way == "import" else found.export_level
    binding = found.import_binding if way == "import" else found.export_binding
    for step in steps:

        def margin(level: float, step: int = step) -> float:
            return min(margins(spec, net, *at_level(spec, step, level, way), way).values())

        root = brentq(margin, 0.0, 24.0, xtol=1e-4)
        assert levels[step] == pytest.approx(root, abs=2e-3)
        assert margin(levels[step]) >= -1e-9 > margin(levels[step] + 2e-3)
        assert abs(margin(levels[step])) < 1e-3
        assert binding[step].startswith("bus ")


def test_limits_of_a_connection_follow_from_the_level_and_its_own_demand(spec, found):
    own = spec.profiles.load_p_kw + spec.profiles.pv_p_kw
    np.testing.assert_allclose(found.import_kw, np.maximum(found.import_level[:, None], own))
    np.testing.assert_allclose(found.export_kw, np.maximum(found.export_level[:, None], -own))
    assert found.import_kept.all()
    assert found.export_kept.all()
    assert found.active.all()
    frame = found.frame("export")
    assert frame.shape == (24, 3)
    assert frame.columns.tolist() == HOMES
    data = found.to_xarray()
    assert data["import_limit_kw"].dims == ("time", "site")
    assert found.binding()["import_binding"].str.startswith("bus").all()
    with pytest.raises(InputError, match="way"):
        found.frame("both")


def test_proportional_envelopes_are_the_same_share_of_every_fuse(spec):
    sites = spec.network.sites.assign(fuse_a=[20.0, 35.0, 50.0])
    unequal = dataclasses.replace(spec, network=dataclasses.replace(spec.network, sites=sites))
    found = gi.operating_envelopes(unequal, allocation="proportional")
    fuse = np.array([20.0, 35.0, 50.0]) * 3 * 0.230
    np.testing.assert_allclose(found.import_kw, found.import_level[:, None] * fuse)
    assert np.all((found.import_level > 0.1) & (found.import_level < 1.0))


def test_a_strong_network_is_bound_by_fuses_and_a_weak_one_by_its_transformer(spec):
    strong = small_spec(network=long_feeder(5.0))
    found = gi.operating_envelopes(strong)
    assert set(found.import_binding) == {"main fuses"}
    np.testing.assert_allclose(found.import_kw, 35.0 * 3 * 0.230)
    tight = dataclasses.replace(limit_profile("eu_lv_planning"), transformer_loading_percent=15.0)
    small = gi.operating_envelopes(strong, limits=tight)
    assert all(name.startswith("transformer") for name in small.import_binding)
    # A limit that is passed without any car is told, and leaves no room.
    gone = gi.operating_envelopes(
        strong, limits=dataclasses.replace(tight, transformer_loading_percent=1.0)
    )
    assert not gone.import_kept.any()
    assert np.all(gone.import_level == 0.0)


def test_connections_without_a_charger_keep_to_their_demand_unless_nobody_has_one(spec):
    fleet = fleet_of(
        [("a", "2016-04-15 02:00", "2016-04-15 20:00", 5.0)],
        {"a": {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0}},
    )
    placed = gi.place(fleet, spec.network, at={"c_a": "Home 3"})
    one = gi.operating_envelopes(dataclasses.replace(spec, fleet=placed))
    assert one.active.tolist() == [False, False, True]
    everyone = gi.operating_envelopes(spec)
    assert np.all(one.import_level > everyone.import_level)
    nobody = dataclasses.replace(spec, fleet=gi.synthesize_fleet(0, spec.timeline, seed=0))
    found = gi.operating_envelopes(nobody)
    assert found.active.all()
    np.testing.assert_allclose(found.import_level, everyone.import_level, atol=2e-3)


def test_cars_that_keep_to_their_envelope_keep_the_limits_of_the_network():
    spec = small_spec(fleet=cars_at_homes(), network=long_feeder(500.0))
    free, kept = run(gi.Uncontrolled(), spec), run(gi.grid_aware.OperatingEnvelope(), spec)

    def drop(found) -> np.ndarray:
        vm = found.flow.vm_pu[0]
        return vm[:, 1] - vm[:, 1:].min(axis=1)

    assert drop(free).max() > 0.055
    assert drop(kept).max() <= 0.05 + 1e-6
    assert drop(kept).max() > 0.045
    envelope = gi.operating_envelopes(spec)
    site = kept.request.charger_site[kept.request.stays.charger]
    meter = kept.request.site_load_kw[:, site] + kept.dispatch.p_kw
    assert np.all(meter <= envelope.import_kw[:, site] + 1e-9)
    assert kept.dispatch.unmet_kwh.sum() == 0.0


def test_wrong_wishes_are_refused(spec):
    with pytest.raises(InputError, match="allocation"):
        gi.operating_envelopes(spec, allocation="laxity")
    with pytest.raises(InputError, match="tolerance_kw"):
        gi.operating_envelopes(spec, tolerance_kw=0.0)
