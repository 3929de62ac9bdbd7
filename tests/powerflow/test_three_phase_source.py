"""Sources with a short-circuit power, in three phases."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.conventions import Status
from gridimpact.network import open_network, with_phases
from gridimpact.powerflow import FlowOptions, injections_at, solve
from gridimpact.records import FlowResult
from gridimpact.timeline import Timeline

DAY = Timeline.days("2024-01-15", 1, step="1h", zone="UTC")


def station(s_sc_mva: float, tolerance_pu: float = 1e-10) -> FlowResult:
    """Return the flow of single-phase loads behind a station on a medium-voltage source."""
    net = pp.create_empty_network()
    high, busbar, end = (pp.create_bus(net, kv) for kv in (10.0, 0.4, 0.4))
    pp.create_ext_grid(net, high, s_sc_max_mva=s_sc_mva, rx_max=0.1, x0x_max=1.0, r0x0_max=0.1)
    pp.create_transformer_from_parameters(
        net, high, busbar, 0.25, 10.0, 0.4, 1.2, 4.0, 0.6, 0.3, shift_degree=150,
        vector_group="Dyn", vk0_percent=4.0, vkr0_percent=1.2, mag0_percent=1e4,
        mag0_rx=0.0, si0_hv_partial=0.9,
    )  # fmt: skip
    pp.create_line_from_parameters(
        net, busbar, end, 0.2, 0.206, 0.08, 260, 0.27, r0_ohm_per_km=0.824, x0_ohm_per_km=0.32,
        c0_nf_per_km=260,
    )  # fmt: skip
    pp.create_load(net, end, 0.01)
    network = with_phases(open_network(net))
    kw = np.random.default_rng(1).uniform(0.0, 12.0, (24, 2))
    given = injections_at(network, DAY, bus=[end, busbar], p_kw=kw, phases=["a", "b"])
    return solve(network, given, FlowOptions(phases=3, tolerance_pu=tolerance_pu))


@pytest.mark.parametrize("s_sc_mva", [1.0, 100.0, 2_000.0])
def test_the_power_balance_holds_at_the_source_too(s_sc_mva: float):
    found = station(s_sc_mva)
    assert (found.status == Status.OK).all()
    assert found.residual_kva.max() < 1e-3


def test_a_stiff_source_costs_no_digits():
    exact, usual = station(100.0, 1e-12), station(100.0, 1e-9)
    assert (exact.status == Status.OK).all()
    np.testing.assert_allclose(exact.vm_pu, usual.vm_pu, rtol=0, atol=1e-10)


def test_the_busbar_of_the_source_holds_its_positive_sequence_alone():
    found = station(5.0)
    source = found.vm_pu[0, :, 0]
    assert np.ptp(source, axis=-1).max() > 1e-5
    assert np.abs(source.mean(axis=-1) - 1.0).max() < 1e-5
