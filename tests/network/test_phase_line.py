"""Lines given by full matrices: what they replace, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.errors import GridError
from gridimpact.network import with_phases
from gridimpact.network.phase_ports import TO_PHASES, TO_SEQUENCES, phase_block
from tests.network.phase_flow import solve_phases
from tests.network.phase_nets import network_of, station


def _matrices(line):
    """Return the full matrices of transposed lines that say the same as their sequence data."""
    z0 = line.r0_ohm_per_km + 1j * line.x0_ohm_per_km
    z1 = line.r_ohm_per_km + 1j * line.x_ohm_per_km
    b0, b1 = (2e-3 * np.pi * 50 * line[c] for c in ("c0_nf_per_km", "c_nf_per_km"))
    return phase_block(z0, z1, z1), phase_block(b0 + 0j, b1 + 0j, b1 + 0j).real


def test_a_transposed_line_is_the_same_by_matrix_and_by_sequence_data():
    net = station("Dyn", 150)
    net.line["parallel"] = [1, 2]
    network = network_of(net)
    wanted = with_phases(network).grid.phase_model.y
    z, b = _matrices(net.line.iloc[1])
    for shunt in ({}, {"line_b_abc_us_per_km": {1: b}}):
        grid = with_phases(network, line_z_abc_ohm_per_km={1: z}, **shunt).grid
        assert np.allclose(grid.phase_model.y, wanted, rtol=1e-10, atol=1e-9 * np.abs(wanted).max())
        assert np.allclose(grid.line_z_abc_ohm[1], z * 0.15 / 2)
        assert np.isnan(grid.line_z_abc_ohm[0]).all()


def test_a_full_matrix_needs_no_sequence_data():
    net = station("Dyn", 150)
    z, b = _matrices(net.line.iloc[0])
    wanted = with_phases(network_of(net)).grid.phase_model.y
    net.line = net.line.drop(columns=["r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"])
    full = {0: z, 1: z}
    grid = with_phases(
        network_of(net), line_z_abc_ohm_per_km=full, line_b_abc_us_per_km=dict.fromkeys(full, b)
    ).grid
    assert np.allclose(grid.phase_model.y, wanted, rtol=1e-10, atol=1e-9 * np.abs(wanted).max())


def test_an_untransposed_line_unbalances_a_balanced_load():
    net = station("Dyn", 150, s_sc_mva=1e7)
    z, _ = _matrices(net.line.iloc[0])
    lop = z + 0.05j * np.diag([1, 0, -1])
    unbalance = []
    for matrix in (z, lop):
        model = with_phases(network_of(net), line_z_abc_ohm_per_km={0: matrix}).grid.phase_model
        s = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
        s[model.bus_node[3]] = 40 + 10j
        sequences = TO_SEQUENCES @ solve_phases(model, s)[model.bus_node[3]]
        unbalance.append(abs(sequences[2]))
    assert unbalance[0] < 1e-10 < 1e-3 < unbalance[1]


@pytest.mark.parametrize(
    ("index", "matrix", "said"),
    [
        (7, np.eye(3), "no such line"),
        (0, np.eye(4), "must be \\(3, 3\\)"),
        (0, np.full((3, 3), np.nan), "is not finite"),
        (0, np.arange(9).reshape(3, 3) + 9 * np.eye(3), "is not symmetric"),
        (0, -np.eye(3), "gains power"),
    ],
)
def test_a_matrix_that_is_none_is_refused(index, matrix, said):
    with pytest.raises(GridError, match=said):
        with_phases(network_of(station("Dyn", 150)), line_z_abc_ohm_per_km={index: matrix})


def test_every_matrix_is_checked_before_anything_is_refused():
    with pytest.raises(GridError, match="2 problems"):
        with_phases(
            network_of(station("Dyn", 150)), line_z_abc_ohm_per_km={0: np.eye(2), 9: np.eye(3)}
        )


def test_a_shunt_matrix_alone_is_refused():
    with pytest.raises(GridError, match="line 1: has no series impedance beside it"):
        with_phases(network_of(station("Dyn", 150)), line_b_abc_us_per_km={1: np.eye(3)})


def test_the_transformation_to_sequences_is_its_inverse():
    assert np.allclose(TO_PHASES @ TO_SEQUENCES, np.eye(3), atol=1e-15)
