"""Plain pandapower, given the written network and the written powers, finds the same voltages."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from tests.study.ledger import Files

LANES = 200


@pytest.fixture(scope="module")
def files(written):
    return Files(written)


def loaded_net(folder, data):
    """Return the written net with one load per site, PV and charger."""
    net = pp.from_json(str(folder / "network.json"))
    assert net.load.empty
    assert net.sgen.empty
    buses = np.concatenate(
        [data["site_bus"].to_numpy(), data["site_bus"].to_numpy(), data["charger_bus"].to_numpy()]
    )
    pp.create_loads(net, buses, p_mw=0.0, q_mvar=0.0)
    return net


def test_pandapower_reproduces_two_hundred_steps_over_all_strategies(written, files):
    data = files.data
    net = loaded_net(written, data)
    site = {n: data[n].to_numpy() for n in ("load_p_kw", "load_q_kvar", "pv_p_kw")}
    p_kw, q_kvar = (data[n].to_numpy() for n in ("charger_p_kw", "charger_q_kvar"))
    stored = {n: data[n].to_numpy() for n in
              ("vm_pu", "line_loading_percent", "transformer_loading_percent", "losses_kw")}  # fmt: skip
    shape = p_kw.shape[:2]
    lanes = np.random.default_rng(7).choice(np.prod(shape), LANES, replace=False)
    worst = dict.fromkeys(stored, 0.0)
    failures = 0
    for lane in lanes:
        row, step = np.unravel_index(lane, shape)
        none = np.zeros_like(site["pv_p_kw"][step])
        net.load["p_mw"] = 1e-3 * np.concatenate(
            [site["load_p_kw"][step], site["pv_p_kw"][step], p_kw[row, step]]
        )
        net.load["q_mvar"] = 1e-3 * np.concatenate(
            [site["load_q_kvar"][step], none, q_kvar[row, step]]
        )
        try:
            pp.runpp(net, tolerance_mva=1e-10, check_connectivity=False)
        except pp.LoadflowNotConverged:
            failures += 1
            continue
        losses = 1e3 * (net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum())
        found = {
            "vm_pu": net.res_bus.vm_pu.loc[data["bus"].to_numpy()],
            "line_loading_percent": net.res_line.loading_percent.loc[data["line"].to_numpy()],
            "transformer_loading_percent": net.res_trafo.loading_percent,
            "losses_kw": losses,
        }
        for name, values in found.items():
            gap = np.abs(np.asarray(values) - stored[name][row, step])
            worst[name] = max(worst[name], float(np.nanmax(gap)))
    assert failures == 0
    assert worst["vm_pu"] < 1e-6
    assert worst["line_loading_percent"] < 1e-3
    assert worst["transformer_loading_percent"] < 1e-3
    assert worst["losses_kw"] < 1e-3


def test_powers_of_the_lanes_differ_between_strategies(files):
    """The replay proves something only if the lanes are not all alike."""
    rows = {files.power[s].round(6).tobytes() for s in files.strategies}
    assert len(rows) == len(files.strategies)


def test_the_written_net_holds_the_source_as_it_was_set(written):
    assert pp.from_json(str(written / "network.json")).ext_grid.vm_pu.tolist() == [1.01]
