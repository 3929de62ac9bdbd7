"""The sparse factors, taken at their word: they solve the network's linear system."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.powerflow.elimination import eliminate
from tests.powerflow import nets


def back_substituted(found, current):
    """Solve for the voltages [pu] of all rows with a current drawn at the iterated ones [pu]."""
    factors, zero = found.factors, len(found.node)
    z, w = np.zeros(zero + 1, complex), np.zeros(zero + 1, complex)
    w[found.unknown : zero] = found.start[0, 0, found.unknown :]
    w[found.unknown : zero] += 1j * found.start[0, 1, found.unknown :]

    def part(rows, row):
        inside = slice(rows.start[row], rows.start[row + 1])
        return rows.row[inside], rows.re[inside] + 1j * rows.im[inside]

    for row in range(factors.kept):
        joined, (below, value) = part(factors.more, row)[0], part(factors.lower, row)
        z[row] = z[factors.child[row]] + z[joined].sum() - value @ z[below]
        z[row] -= found.current[row] * current[row]
    for row in reversed(range(factors.kept)):
        beyond, value = part(factors.upper, row)
        gain = factors.gain_re[row] + 1j * factors.gain_im[row]
        w[row] = w[factors.parent[row]] + gain * z[row] - value @ w[beyond]
    for free, share in enumerate(factors.share):
        first, second = w[factors.first[free]], w[factors.second[free]]
        w[factors.kept + free] = share[:2] @ [1, 1j] * first + share[2:] @ [1, 1j] * second
    return w[:zero] * found.voltage


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("case", ["village", "everything"])
def test_the_factors_solve_the_linear_system(case, relative):
    admittance = nets.grid_of(getattr(nets, case)()).admittance
    rng = np.random.default_rng(3)
    loaded = rng.random(len(admittance.node_vn_kv)) < 0.5
    found = eliminate(admittance, loaded, relative=relative)
    assert found.idle == relative
    current = 0.1 * (rng.normal(size=found.factors.kept) + 1j * rng.normal(size=found.factors.kept))
    current[~loaded[found.node[: found.factors.kept]]] = 0.0
    unknown, source = found.node[: found.unknown], found.node[found.unknown :]
    y = admittance.y_bus.toarray()
    drawn = np.zeros(found.unknown, complex)
    drawn[: found.factors.kept] = current
    feed = y[np.ix_(unknown, source)] @ admittance.slack_vm_pu
    expected = np.linalg.solve(y[np.ix_(unknown, unknown)], -drawn - feed)
    v = back_substituted(found, current)
    np.testing.assert_allclose(v[: found.unknown], expected, rtol=1e-9)
    np.testing.assert_allclose(v[found.unknown :], admittance.slack_vm_pu, rtol=1e-12)


def test_a_radial_network_needs_no_factor_but_one():
    grid = nets.grid_of(nets.village())
    found = eliminate(grid.admittance, np.ones(len(grid.admittance.node_vn_kv), dtype=bool))
    factors = found.factors
    assert factors.kept == found.unknown
    assert len(factors.lower.row) == len(factors.upper.row) == 0
    np.testing.assert_allclose(found.start[0, 0], 1.0, rtol=1e-12)
    np.testing.assert_allclose(found.start[0, 1], 0.0, atol=1e-12)
    # Children come before their parents, and each branch of the tree lies in one piece.
    assert (factors.parent > np.arange(factors.kept)).all()


def test_nodes_that_draw_nothing_leave_the_iteration():
    net = nets.village(customers=20)
    grid = nets.grid_of(net)
    loaded = np.zeros(len(grid.admittance.node_vn_kv), dtype=bool)
    loaded[grid.bus_node[[5, 11, 21]]] = True
    found = eliminate(grid.admittance, loaded)
    assert found.factors.kept <= 4
    assert found.unknown == 21


def test_without_sound_idle_voltages_values_are_per_unit():
    # A series capacitor lifts the voltage without load to many times its nominal value.
    net = pp.create_empty_network(sn_mva=1.0)
    buses = pp.create_buses(net, 2, vn_kv=0.4)
    pp.create_ext_grid(net, buses[0])
    pp.create_impedance(net, buses[0], buses[1], rft_pu=0.0, xft_pu=0.1, sn_mva=1.0)
    pp.create_shunt(net, buses[1], q_mvar=-9.0)
    found = eliminate(nets.grid_of(net).admittance, np.ones(2, dtype=bool))
    assert not found.idle
    np.testing.assert_array_equal(found.voltage, 1.0)
    assert found.start[0, 0, 0] == pytest.approx(10.0)
