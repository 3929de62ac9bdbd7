"""OpenDSS: one daily step after the other, loads from shapes in the engine, voltages and currents read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.cases import Case
from tests.benchmarks.outputs import Outputs, percent, ratings
from tests.benchmarks.peers import Entry
from tests.benchmarks.two_port import transformers

DSS = "OpenDSS"
ENTRIES = (
    Entry("OpenDSS", DSS, "loop of daily steps, tolerance 1e-8, currents of both ends", slow=True),
)
_SILENT = "set earthmodel=carson controlmode=off maxiterations=100 tolerance=1e-8"


def version() -> str:
    """Return name and version."""
    return f"OpenDSSDirect {installed('opendssdirect.py')}"


def set_up(case: Case, entry: Entry) -> Loop:
    """Return the engine with the case's circuit; balanced ones as single-phase equivalents."""
    import opendssdirect

    dss = (
        opendssdirect.dss.NewContext()
        if hasattr(opendssdirect.dss, "NewContext")
        else opendssdirect.dss
    )
    for command in circuit(case):
        dss.Text.Command(command)
    return Loop(case, dss, _order(case, dss), ratings(case.net))


def circuit(case: Case) -> list[str]:
    """Return the commands that build the circuit."""
    net, three = case.net, case.plan.phases == 3
    kv = net.bus.vn_kv.to_numpy() / (1.0 if three else np.sqrt(3.0))
    outer = net.ext_grid.iloc[0]
    at = int(outer.bus)
    phases = 3 if three else 1
    commands = [
        "clear",
        f"set defaultbasefrequency={float(net.f_hz)!r}",
        f"new circuit.case phases={phases} bus1=b{at}{_nodes(case)} basekv={float(kv[at])!r}"
        f" pu={float(outer.vm_pu)!r} angle=0 model=ideal puzideal=[1e-9, 1e-8]",
    ]
    commands += _lines(case) + _trafos(case)
    for k, bus in enumerate(case.bus):
        node, volt = (f".{case.phase[k] + 1}", kv[bus] / np.sqrt(3.0)) if three else (".1", kv[bus])
        commands.append(f"new loadshape.s{k} npts=2 interval=0.25 mult=[0 0] useactual=yes")
        commands.append(
            f"new load.e{k} phases=1 bus1=b{bus}{node} kv={float(volt)!r} kw=1 kvar=0 model=1"
            f" vminpu=0.1 vmaxpu=3 daily=s{k}"
        )
    commands += [f"set voltagebases=[{' '.join(_bases(net))}]", "calcvoltagebases"]
    return [*commands, _SILENT, "set mode=daily stepsize=15m number=1"]


def _bases(net: Any) -> list[str]:
    # A single-phase circuit counts its bases as phase to phase of three phases.
    return [repr(float(value)) for value in sorted(set(net.bus.vn_kv))]


def _nodes(case: Case) -> str:
    return ".1.2.3" if case.plan.phases == 3 else ".1"


def _lines(case: Case) -> list[str]:
    table, nodes = case.net.line, _nodes(case)
    commands = []
    for k, row in enumerate(table.itertuples()):
        length, many = float(row.length_km), int(row.parallel)
        r, x = row.r_ohm_per_km * length / many, row.x_ohm_per_km * length / many
        c = row.c_nf_per_km * length * many
        ends = f"bus1=b{row.from_bus}{nodes} bus2=b{row.to_bus}{nodes} length=1 units=none"
        given = [(name, value) for name, value in (("r", r), ("x", x), ("c", c))]
        if case.plan.phases == 1:
            values = "phases=1 " + " ".join(f"{name}matrix=[{value!r}]" for name, value in given)
        else:
            zero = (row.r0_ohm_per_km / many, row.x0_ohm_per_km / many, row.c0_nf_per_km * many)
            values = "phases=3 " + " ".join(
                f"{name}matrix={_matrix(float(value), float(null) * length)}"
                for (name, value), null in zip(given, zero, strict=True)
            )
        commands.append(f"new line.l{k} {ends} {values}")
    return commands


def _matrix(positive: float, zero: float) -> str:
    """Return a transposed line's matrix by its lower triangle."""
    own, other = (2.0 * positive + zero) / 3.0, (zero - positive) / 3.0
    return f"[{own!r} | {other!r} {own!r} | {other!r} {other!r} {own!r}]"


def _trafos(case: Case) -> list[str]:
    """Return transformers without magnetising branch, and that branch as reactors at both ends."""
    table, three, kv = case.net.trafo, case.plan.phases == 3, case.net.bus.vn_kv.to_numpy()
    pi = transformers(case)
    # The low side of a Dyn1 lags; what is said of windings must follow their number.
    kind, turned = (3, " conns=[delta wye] leadlag=lag") if three else (1, "")
    root, share = (1.0, 1.0) if three else (np.sqrt(3.0), 3.0)
    commands = []
    for k, row in enumerate(table.itertuples()):
        ends = (row.hv_bus, row.lv_bus)
        volts = np.array([kv[ends[0]] * abs(pi.turn[k]), kv[ends[1]]])
        z = 100.0 * pi.z_ohm[k] * row.sn_mva / volts[1] ** 2
        kva, half_r = 1e3 * row.sn_mva / share, float(z.real / 2)
        commands.append(
            f"new transformer.t{k} phases={kind} windings=2{turned} buses=[b{ends[0]}{_nodes(case)} b{ends[1]}{_nodes(case)}]"
            f" kvs=[{volts[0] / root:.17g} {volts[1] / root:.17g}] kvas=[{kva:.17g} {kva:.17g}]"
            f" xhl={z.imag:.17g} %rs=[{half_r!r} {half_r!r}] %noloadloss=0 %imag=0 ppm_antifloat=0"
        )
        halves = pi.half_s[k] * np.array([(volts[1] / volts[0]) ** 2, 1.0])
        commands += [
            f"new reactor.m{k}_{bus} phases={3 if three else 1} bus1=b{bus}{_nodes(case)}"
            f" r=0 rp={1.0 / half.real:.17g} x={-1.0 / half.imag:.17g}"
            for bus, half in zip(ends, halves, strict=True)
            if half
        ]
    return commands


class Order(NamedTuple):
    """Positions in what the engine returns."""

    node: np.ndarray
    """(bus, phase)"""
    line: np.ndarray
    """(line, end, phase)"""
    trafo: np.ndarray
    reactor: np.ndarray
    """(transformer, end, phase) of its magnetising current; the last position holds zero."""
    wires: int


def _order(case: Case, dss: Any) -> Order:
    """Return where buses and both ends' conductors of branches stand in what comes back."""
    phases, net = case.plan.phases, case.net
    place = {name: k for k, name in enumerate(dss.Circuit.AllNodeNames())}
    node = np.array([[place[f"b{k}.{p + 1}"] for p in range(phases)] for k in range(len(net.bus))])
    wires = np.array(dss.PDElements.AllNumConductors())
    first = np.concatenate([[0], np.cumsum(wires * np.array(dss.PDElements.AllNumTerminals()))])
    known = {name.lower(): k for k, name in enumerate(dss.PDElements.AllNames())}
    found = []
    for kind, count in (("line.l", len(net.line)), ("transformer.t", len(net.trafo))):
        row = np.array([known[f"{kind}{k}"] for k in range(count)])
        ends = np.stack([first[row], first[row] + wires[row]], axis=1)
        found.append(ends[:, :, None] + np.arange(phases))
    reactor = np.full_like(found[1], first[-1])
    for k, ends in enumerate(zip(net.trafo.hv_bus, net.trafo.lv_bus, strict=True)):
        for side, bus in enumerate(ends):
            if f"reactor.m{k}_{bus}" in known:
                reactor[k, side] = first[known[f"reactor.m{k}_{bus}"]] + np.arange(phases)
    return Order(node, found[0], found[1], reactor, int(first[-1]))


@dataclass
class Loop:
    """One solution a step."""

    case: Case
    dss: Any
    order: Order
    rated: tuple[np.ndarray, np.ndarray, np.ndarray]

    def prepare(self, p_kw: np.ndarray, q_kvar: np.ndarray) -> Any:
        """Fill the shapes of all loads; return how many steps."""
        share, shapes = (1.0 if self.case.plan.phases == 3 else 3.0), self.dss.LoadShape
        for k in range(len(self.case.bus)):
            shapes.Name(f"s{k}")
            shapes.Npts(len(p_kw))
            shapes.PMult((p_kw[:, k] / share).tolist())
            shapes.QMult((q_kvar[:, k] / share).tolist())
            shapes.UseActual(True)
        return len(p_kw)

    def run(self, power: Any) -> Outputs:
        """Solve all steps."""
        dss, order = self.dss, self.order
        dss.Text.Command("set hour=0 sec=0")
        vm = np.empty((power, order.node.size))
        amps = np.zeros((power, order.wires + 1), dtype=np.complex128)
        for step in range(power):
            dss.Solution.Solve()
            vm[step] = dss.Circuit.AllBusMagPu()
            amps[step, :-1] = np.asarray(dss.PDElements.AllCurrents()).view(np.complex128)
        voltage = vm[:, order.node[:, 0] if self.case.plan.phases == 1 else order.node]
        lines, high, low = (1e3 * rated for rated in self.rated)
        wound = np.abs(amps[:, order.trafo] + amps[:, order.reactor])
        return Outputs(
            voltage,
            _loading(np.abs(amps[:, order.line]), lines, lines),
            _loading(wound, high, low),
        )


def _loading(current: np.ndarray, first_a: np.ndarray, second_a: np.ndarray) -> np.ndarray:
    """Return loadings of (step, branch, end, phase) currents, of the worst end and phase."""
    worst = current.max(axis=3)
    return percent((worst[:, :, 0], worst[:, :, 1]), (first_a, second_a))
