"""Transformers of every connection against OpenDSS, which models their windings one by one."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.network.phase_transformer import read_group
from tests.network.phase_flow import STAR_TO_DELTA, solve_phases
from tests.network.phase_nets import phases_of, station

_CONNECTION = {"d": "delta", "yn": "wye", "y": "wye"}
_NEUTRAL = {"d": ".1.2.3", "yn": ".1.2.3.0", "y": ".1.2.3.4"}
_LINES = (("lv", "mid", 0.2), ("mid", "end", 0.15))
_KV = {"src": 20.0, "lv": 0.4, "mid": 0.4, "end": 0.4}


def _circuit(dss, windings):
    """Start a circuit with a source of 100 MVA, R/X = 0.3, X0 = X1, R0 = 0.2 X0."""
    x = 20**2 / 100 / np.sqrt(1 + 0.3**2)
    for line in (
        "clear",
        "set defaultbasefrequency=50",
        "new circuit.c bus1=src basekv=20 pu=1.01 angle=0 frequency=50 "
        f"R1={0.3 * x} X1={x} R0={0.2 * x} X0={x}",
        windings,
        *(
            f"new line.{a}{b} bus1={a} bus2={b} length={km} units=km r1=.207 x1=.08 r0=.828 x0=.32 c1=0 c0=0"
            for a, b, km in _LINES
        ),
    ):
        dss.Command(line)


def _two_windings(hv, lv, lead, low=""):
    buses = f"[src{_NEUTRAL[hv]} lv{low or _NEUTRAL[lv]}]"
    return (
        f"new transformer.t phases=3 windings=2 buses={buses} conns=[{_CONNECTION[hv]} {_CONNECTION[lv]}] "
        f"kvs=[20 0.4] kvas=[630 630] xhl=5.9 %rs=[0.5 0.5] %noloadloss=0 %imag=0 leadlag={lead}"
    )


def _volts(dss, loads):
    """Solve constant-power loads (bus, from, to, kV, kVA) and return (bus, 3) per unit."""
    for number, (bus, one, other, kv, s) in enumerate(loads):
        # OpenDSS turns loads into impedances beyond 1.05 pu unless told otherwise.
        dss.Command(
            f"new load.s{number} phases=1 bus1={bus}.{one}.{other} kv={kv} kw={s.real} kvar={s.imag} "
            "model=1 vminpu=.5 vmaxpu=1.5"
        )
    dss.Command("set tolerance=1e-8 maxiterations=200")
    dss.Command("solve")
    assert dss.Solution.Converged()
    found = []
    for bus, kv in _KV.items():
        dss.Circuit.SetActiveBus(bus)
        flat, nodes = np.array(dss.Bus.Voltages()), dss.Bus.Nodes()
        volt = (flat[::2] + 1j * flat[1::2])[[nodes.index(phase) for phase in (1, 2, 3)]]
        found.append(volt / (kv * 1e3 / np.sqrt(3)))
    assert np.abs(found).min() > 0.1
    return np.array(found)


def _own_net(group, shift):
    """Return the same net for this package; 1.1 is the voltage factor of IEC 60909."""
    net = station(group, shift, vk=np.hypot(5.9, 1), vkr=1.0, mag0_percent=1e9, s_sc_mva=110.0)
    trafo = net.trafo
    trafo["vn_hv_kv"], trafo["vn_lv_kv"], trafo["tap_pos"] = 20.0, 0.4, 0
    trafo["pfe_kw"] = trafo["i0_percent"] = 0.0
    trafo["vk0_percent"], trafo["vkr0_percent"] = trafo["vk_percent"], 1.0
    net.line["c_nf_per_km"] = net.line["c0_nf_per_km"] = 0.0
    return net


def _own(net, star, delta, at_source):
    model = phases_of(net, source_impedance=True)
    s = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    d = s.copy()
    s[model.bus_node[3]], d[model.bus_node[3]] = star, delta
    s[model.bus_node[0]] = at_source
    return model, solve_phases(model, s, d)[model.bus_node]


def _loads(star, delta, at_source):
    phase, pair = ((1, 0), (2, 0), (3, 0)), ((1, 2), (2, 3), (3, 1))
    return [
        (bus, *ends[k], kv, s)
        for bus, ends, kv, powers in (
            ("end", phase, 0.4 / np.sqrt(3), star),
            ("end", pair, 0.4, delta),
            ("src", phase, 20 / np.sqrt(3), at_source),
        )
        for k, s in enumerate(powers)
        if s
    ]


@pytest.mark.parametrize(
    ("hv", "lv", "shift", "lead"),
    [
        ("d", "yn", 30, "lag"),
        ("d", "yn", 330, "lead"),
        ("yn", "yn", 0, "lag"),
        ("y", "yn", 0, "lag"),
        ("d", "d", 0, "lag"),
        ("y", "d", 30, "lag"),
        ("yn", "d", 30, "lag"),
        ("yn", "d", 330, "lead"),
        ("y", "y", 0, "lag"),
        ("yn", "y", 0, "lag"),
        ("d", "y", 30, "lag"),
    ],
)
def test_windings_of_any_connection_agree_with_opendss(hv, lv, shift, lead):
    dss = pytest.importorskip("opendssdirect")
    star = (40 + 10j, 5 + 2j, 0) if lv == "yn" and hv != "y" else (0, 0, 0)
    delta, at_source = (30 + 10j, 5 + 0j, 0), (900 + 200j, 0, 100 + 0j)
    _circuit(dss, _two_windings(hv, lv, lead))
    if lv == "y":
        # A star point that floats freely keeps OpenDSS from converging.
        dss.Command("new reactor.n phases=1 bus1=lv.4 bus2=lv.0 r=1e4 x=0")
    theirs = _volts(dss, _loads(star, delta, at_source))
    model, own = _own(_own_net(hv + lv, shift), star, delta, at_source)
    assert np.abs((own - theirs) @ STAR_TO_DELTA.T).max() < 1e-6
    assert np.abs(own - theirs)[model.earthed[model.bus_node]].max() < 1e-6
    assert bool(model.earthed[model.bus_node[3]]) == (lv == "yn" and hv != "y")


def test_a_neutral_behind_an_impedance_agrees_with_opendss():
    dss = pytest.importorskip("opendssdirect")
    star, delta, at_source = (40 + 10j, 5 + 2j, 0), (0, 0, 0), (0, 0, 0)
    _circuit(dss, _two_windings("d", "yn", "lag", ".1.2.3.4"))
    dss.Command("new reactor.n phases=1 bus1=lv.4 bus2=lv.0 r=0.05 x=0.12")
    theirs = _volts(dss, _loads(star, delta, at_source))
    net = _own_net("Dyn1", 30)
    net.trafo["rn_ohm"], net.trafo["xn_ohm"] = 0.05, 0.12
    _, own = _own(net, star, delta, at_source)
    assert np.abs(own - theirs).max() < 1e-6
    net.trafo["rn_ohm"] = net.trafo["xn_ohm"] = 0.0
    _, without = _own(net, star, delta, at_source)
    assert np.abs(without - theirs).max() > 1e-2


@pytest.mark.parametrize("group", ["YNynd", "YNdyn", "YNynyn"])
def test_three_windings_agree_with_opendss(group):
    dss = pytest.importorskip("opendssdirect")
    letters = read_group(group, 3).connection
    shift = {"d": 30.0, "yn": 0.0}
    net = _own_net("Dyn1", 30)
    net.trafo["in_service"] = False
    third = pp.create_bus(net, 10.0)
    pp.create_transformer3w_from_parameters(
        net, 0, third, 1, vn_hv_kv=20, vn_mv_kv=10, vn_lv_kv=0.4, sn_hv_mva=0.63, sn_mv_mva=0.63,
        sn_lv_mva=0.63, vk_hv_percent=8.0, vk_mv_percent=4.0, vk_lv_percent=6.0, vkr_hv_percent=0.0,
        vkr_mv_percent=0.0, vkr_lv_percent=0.0, pfe_kw=0, i0_percent=0,
        shift_mv_degree=shift[letters[1]], shift_lv_degree=shift[letters[2]], vector_group=group,
        vk0_hv_percent=8.0, vk0_mv_percent=4.0, vk0_lv_percent=6.0, vkr0_hv_percent=0.0,
        vkr0_mv_percent=0.0, vkr0_lv_percent=0.0,
    )  # fmt: skip
    star = (40 + 10j, 5 + 2j, 0) if letters[2] == "yn" else (0, 0, 0)
    delta, at_source = (30 + 10j, 5 + 0j, 0), (900 + 200j, 0, 100 + 0j)
    _circuit(
        dss,
        "new transformer.t phases=3 windings=3 "
        f"buses=[src.1.2.3.0 mv{_NEUTRAL[letters[1]]} lv{_NEUTRAL[letters[2]]}] "
        f"conns=[wye {_CONNECTION[letters[1]]} {_CONNECTION[letters[2]]}] kvs=[20 10 0.4] "
        "kvas=[630 630 630] xhl=8 xht=6 xlt=4 %rs=[0 0 0] %noloadloss=0 %imag=0 leadlag=lag",
    )
    theirs = _volts(dss, _loads(star, delta, at_source))
    model, own = _own(net, star, delta, at_source)
    own = own[:4]
    assert np.abs((own - theirs) @ STAR_TO_DELTA.T).max() < 1e-6
    assert np.abs(own - theirs)[model.earthed[model.bus_node[:4]]].max() < 1e-6
