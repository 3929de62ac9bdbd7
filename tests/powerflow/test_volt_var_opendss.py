"""Volt-VAr against the inverter control of OpenDSS, which iterates from outside with its own engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandapower as pp
import pytest

from gridimpact.powerflow import solve
from gridimpact.powerflow.volt_var import CURVES, volt_var
from tests.powerflow.nets import grid_of, injections

dss = pytest.importorskip("opendssdirect")

R_OHM, X_OHM = 0.05, 0.09


def chain(count, source_pu):
    net = pp.create_empty_network()
    pp.create_buses(net, count + 1, vn_kv=0.4)
    pp.create_ext_grid(net, 0, vm_pu=source_pu)
    for bus in range(count):
        pp.create_line_from_parameters(
            net, bus, bus + 1, length_km=1.0, r_ohm_per_km=R_OHM, x_ohm_per_km=X_OHM,
            c_nf_per_km=0.0, max_i_ka=0.2,
        )  # fmt: skip
    return net


def open_dss(source_pu, p_kw, s_kva, curve):
    """Return active and reactive power drawn and voltages of inverters in a row."""
    v_pu = [0.5, *curve.v_pu, 1.5]
    # OpenDSS counts reactive power fed in as positive.
    share = [-curve.q_share[0], *(-q for q in curve.q_share), -curve.q_share[-1]]
    impedance = f"r1={R_OHM} x1={X_OHM} r0={R_OHM} x0={X_OHM} c1=0 c0=0 length=1 units=none"
    commands = [
        "clear",
        f"new circuit.row basekv=0.4 pu={source_pu} bus1=b0 R1=1e-7 X1=1e-7 R0=1e-7 X0=1e-7",
        f"new xycurve.vv npts={len(v_pu)} xarray={v_pu} yarray={share}",
    ]
    for k, (p, s) in enumerate(zip(p_kw, s_kva, strict=True), start=1):
        commands += [
            f"new line.l{k} bus1=b{k - 1} bus2=b{k} {impedance}",
            f"new pvsystem.p{k} bus1=b{k} kv=0.4 kva={s} pmpp={-p} irradiance=1 pf=1 %cutin=0 "
            f"%cutout=0 kvarmax={s} kvarmaxabs={s} vminpu=0.3 vmaxpu=2 wattpriority=yes",
        ]
    commands += [
        "new invcontrol.ic mode=voltvar vvc_curve1=vv refreactivepower=varmax "
        "voltagechangetolerance=1e-9 varchangetolerance=1e-9 deltaq_factor=0.1",
        "set voltagebases=[0.4]",
        "calcvoltagebases",
        "set controlmode=static maxcontroliter=3000 maxiterations=3000 tolerance=1e-12",
        "solve",
    ]
    for command in commands:
        dss.Text.Command(command)
    assert dss.Solution.Converged()
    found = []
    for k in range(1, len(p_kw) + 1):
        dss.Circuit.SetActiveElement(f"pvsystem.p{k}")
        power = np.array(dss.CktElement.Powers()[:6])
        dss.Circuit.SetActiveBus(f"b{k}")
        found.append((power[::2].sum(), power[1::2].sum(), dss.Bus.puVmagAngle()[0]))
    return np.array(found).T


@pytest.mark.parametrize("name", ["ieee_1547_a", "ieee_1547_b", "vde_ar_n_4105_090", "ieee_1547_b_steepest"])  # fmt: skip
@pytest.mark.parametrize("source_pu", [0.94, 1.03, 1.06])
def test_inverters_in_a_row_find_the_same_voltages_as_in_opendss(name, source_pu):
    p_kw, s_kva = np.array([-4.0, -9.9, -6.0]), np.array([5.0, 10.0, 8.0])
    p_found, q_found, vm_pu = open_dss(source_pu, p_kw, s_kva, CURVES[name])
    assert p_found == pytest.approx(p_kw, abs=1e-6)
    flow = injections([1, 2, 3], p_found[None, None], np.zeros((1, 1, 3)))
    flow = replace(flow, volt_var=volt_var([0, 1, 2], s_kva, name))
    result = solve(grid_of(chain(3, source_pu)), flow)
    assert result.vm_pu[0, 0, 1:] == pytest.approx(vm_pu, abs=1e-6)
    assert result.volt_var_q_kvar[0, 0] == pytest.approx(q_found, abs=1e-3)
    assert np.abs(q_found).max() > 0.05
