"""Two- and three-winding transformers of a pandapower net as power-grid-model has them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from gridimpact.network.columns import column
from gridimpact.powerflow.pgm_elements import Part, bus_place, ends_closed
from gridimpact.powerflow.pgm_zero import DELTA, WYE_N, ZeroSequence, zero_sequence_values
from gridimpact.records import BoolArray, ComplexArray, FloatArray, IntArray


class Windings(NamedTuple):
    """Transformers between two nodes; those of three windings are three of them around a star point."""

    table: str
    row: IntArray
    node: IntArray
    """(transformer, 2) high- and low-voltage side."""
    closed: BoolArray
    u1: FloatArray
    """Rated voltage with taps [V]."""
    u2: FloatArray
    shift_degree: FloatArray
    """High- minus low-voltage angle, with taps."""
    sn: FloatArray
    """With parallels [VA]."""
    z_k: ComplexArray
    """Short-circuit impedance per unit of `sn`; a star equivalent's may be negative."""
    i0: FloatArray
    p0: FloatArray
    connection: Any
    """(transformer, 2) "yn", "y", "d", "zn" or "z", "" where the net names none."""
    z0: ZeroSequence


def two_winding(net: Any, node: IntArray) -> Windings:
    """Return the two-winding transformers, parallel units in one."""
    trafo = net["trafo"]
    units, sn_va = column(trafo, "parallel", 1.0), 1e6 * column(trafo, "sn_mva")
    sides = np.stack([bus_place(net, trafo[f"{side}_bus"]) for side in ("hv", "lv")], axis=1)
    ratio, shift = np.ones((2, len(trafo))), column(trafo, "shift_degree")
    for mark in ("", "2"):
        phasor = tap_phasor(trafo, mark)
        if phasor is None:
            continue
        for number, side in enumerate(("hv", "lv")):
            here = np.asarray(trafo[f"tap{mark}_side"] == side, dtype=bool)
            ratio[number, here] *= np.abs(phasor[here])
            shift[here] += (1 - 2 * number) * np.rad2deg(np.angle(phasor[here]))
    closed = ends_closed(net, "trafo", "t", ("hv_bus", "lv_bus"))
    # A transformer at a bus out of service carries nothing, not even at no load.
    closed &= net["bus"]["in_service"].to_numpy(dtype=bool)[sides].all(axis=1, keepdims=True)
    return Windings(
        table="trafo",
        row=np.arange(len(trafo)),
        node=node[sides],
        closed=closed,
        u1=1e3 * column(trafo, "vn_hv_kv") * ratio[0],
        u2=1e3 * column(trafo, "vn_lv_kv") * ratio[1],
        shift_degree=shift,
        sn=sn_va * units,
        z_k=impedance(column(trafo, "vk_percent"), column(trafo, "vkr_percent")),
        i0=column(trafo, "i0_percent") / 100,
        p0=1e3 * column(trafo, "pfe_kw") * units,
        connection=_connections(trafo, 2).reshape(-1, 2),
        z0=_zero_sequence(trafo),
    )


def _zero_sequence(trafo: Any) -> ZeroSequence:
    percent = column(trafo, "vk0_percent", np.nan)
    leak = impedance(percent, column(trafo, "vkr0_percent", np.nan))
    ratio, rx = column(trafo, "mag0_percent", np.inf) / 100, column(trafo, "mag0_rx")
    with np.errstate(divide="ignore", invalid="ignore"):
        core = np.where(ratio > 0, np.hypot(rx, 1) / ((rx + 1j) * ratio * percent / 100), 0)
    neutral = column(trafo, "rn_ohm") + 1j * column(trafo, "xn_ohm")
    return ZeroSequence(leak, column(trafo, "si0_hv_partial", 0.5), core, neutral)


def _connections(table: Any, count: int) -> Any:
    """Return (element, winding) how windings are connected, "" where no known group is named."""
    pattern = re.compile(r"(yn|zn|y|z|d)\d{0,2}" * count)
    names = table["vector_group"] if "vector_group" in table else [""] * len(table)
    found = [pattern.fullmatch(str(name).strip().lower()) for name in names]
    return np.array([m.groups() if m else ("",) * count for m in found], dtype=object)


def impedance(percent: FloatArray, real_percent: FloatArray) -> ComplexArray:
    """Return a short-circuit impedance per unit from its size and real part [%]."""
    reactive = np.sqrt(np.maximum(percent**2 - real_percent**2, 0.0))
    return np.asarray((real_percent + 1j * reactive) / 100)


def tap_phasor(table: Any, mark: str) -> ComplexArray | None:
    """Return the factor by which each tap changer turns its winding's voltage, None without such a column.

    An ideal phase shifter turns without changing the size; a tap without a kind does nothing.
    """
    if f"tap{mark}_pos" not in table or f"tap{mark}_changer_type" not in table:
        return None
    steps = column(table, f"tap{mark}_pos", np.nan) - column(table, f"tap{mark}_neutral", np.nan)
    steps = np.nan_to_num(steps)
    part = steps * column(table, f"tap{mark}_step_percent") / 100
    degree = column(table, f"tap{mark}_step_degree")
    kind = table[f"tap{mark}_changer_type"].to_numpy()
    turned = np.where(
        degree != 0, np.deg2rad(steps * degree), 2 * np.arcsin(np.clip(part / 2, -1, 1))
    )
    mixed = 1 + part * np.exp(1j * np.deg2rad(degree))
    plain = np.ones(len(table), dtype=np.complex128)
    choices = [kind == "Ideal", (kind == "Ratio") | (kind == "Symmetrical")]
    return np.asarray(np.select(choices, [np.exp(1j * turned), mixed], plain))


def three_winding(net: Any, node: IntArray, star: int) -> Windings:
    """Return the windings of three-winding transformers around star points, nodes from `star` on.

    Star equivalents come from the impedances between pairs of windings, resistance and reactance
    apart. Iron losses stand at the high-voltage winding unless ``loss_side`` names another.
    """
    table, sides = net["trafo3w"], ("hv", "mv", "lv")
    count = len(table)
    sn = np.stack([column(table, f"sn_{side}_mva") for side in sides])
    ratio, star_ratio, shift = _star_taps(table, sides)
    bus = np.stack([bus_place(net, table[f"{side}_bus"]) for side in sides])
    star_node = star + np.tile(np.arange(count), (3, 1))
    outer = np.stack([column(table, f"vn_{side}_kv") for side in sides]) * ratio
    inner = np.tile(column(table, "vn_hv_kv"), (3, 1)) * star_ratio
    closed = ends_closed(net, "trafo3w", "t3", ("hv_bus", "mv_bus", "lv_bus")).T
    lossy = np.stack([_loss_side(table) == side for side in sides])
    # The high-voltage winding's star point is its low-voltage side, that of the others their high one.
    first, second = (
        np.concatenate([a[:1], b[1:]]).ravel() for a, b in ((outer, inner), (inner, outer))
    )
    nodes = np.stack([np.concatenate([node[bus[:1]], star_node[1:]]).ravel(),
                      np.concatenate([star_node[:1], node[bus[1:]]]).ravel()], axis=1)  # fmt: skip
    there = np.ones((3, count), dtype=bool)
    ends = np.stack([np.concatenate([closed[:1], there[1:]]).ravel(),
                     np.concatenate([there[:1], closed[1:]]).ravel()], axis=1)  # fmt: skip
    return Windings(
        table="trafo3w",
        row=np.arange(3 * count),
        node=nodes,
        closed=ends,
        u1=1e3 * first,
        u2=1e3 * second,
        shift_degree=shift.ravel(),
        sn=1e6 * sn.ravel(),
        z_k=(_arms(table, "") * sn).ravel(),
        i0=(lossy * column(table, "i0_percent") / 100).ravel(),
        p0=(lossy * 1e3 * column(table, "pfe_kw")).ravel(),
        connection=_star_connections(table),
        z0=ZeroSequence(
            leak=(_arms(table, "0") * sn).ravel(),
            share_hv=np.full(3 * count, 0.5),
            core=np.zeros(3 * count, dtype=np.complex128),
            neutral_ohm=np.zeros(3 * count, dtype=np.complex128),
        ),
    )


def _arms(table: Any, sequence: str) -> ComplexArray:
    """Return the star equivalent of the impedances between pairs, (winding, transformer) [pu on 1 MVA]."""
    sides = ("hv", "mv", "lv")
    between = []
    for number, side in enumerate(sides):
        percent, real = (
            column(table, f"{v}{sequence}_{side}_percent", np.nan) for v in ("vk", "vkr")
        )
        sn = [column(table, f"sn_{other}_mva") for other in (side, sides[(number + 1) % 3])]
        between.append(impedance(percent, real) / np.minimum(*sn))
    # Pairs are hv-mv, mv-lv, lv-hv, so winding k lies in pairs k and k - 1.
    return np.stack([between[k] + between[k - 1] - between[(k + 1) % 3] for k in range(3)]) / 2


def _star_connections(table: Any) -> Any:
    """Return (winding and transformer, 2): the star point is an earthed star of every winding."""
    own = _connections(table, 3).reshape(-1, 3)
    star = np.where(own == "", "", "yn").astype(object)
    pairs = np.stack([own, star], axis=2)
    pairs[:, 1:] = pairs[:, 1:, ::-1]
    return np.concatenate([pairs[:, winding] for winding in range(3)])


def _loss_side(table: Any) -> Any:
    return table["loss_side"].to_numpy() if "loss_side" in table else np.full(len(table), "hv")


def _star_taps(table: Any, sides: tuple[str, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return factors on the outer and the star voltage and the shift [degree], (winding, transformer)."""
    count = len(table)
    ratio, star_ratio = np.ones((3, count)), np.ones((3, count))
    shift = np.stack([np.zeros(count), *(column(table, f"shift_{s}_degree") for s in sides[1:])])
    phasor = tap_phasor(table, "")
    if phasor is None:
        return ratio, star_ratio, shift
    at_star = column(table, "tap_at_star_point") > 0
    for number, side in enumerate(sides):
        here = np.asarray(table["tap_side"] == side, dtype=bool)
        ratio[number, here & ~at_star] *= np.abs(phasor[here & ~at_star])
        star_ratio[number, here & at_star] /= np.abs(phasor[here & at_star])
        shift[number, here] += (1 if number == 0 else -1) * np.rad2deg(np.angle(phasor[here]))
    return ratio, star_ratio, shift


def transformer_parts(found: Windings, u_rated: FloatArray, phases: int) -> list[Part]:
    """Return transformers whose shift is a clock number, and the others as generic branches."""
    clocked = clock_of(found.shift_degree) >= 0
    return [_clocked(found, clocked, phases), _generic(found, ~clocked, u_rated)]


def clock_of(shift_degree: FloatArray) -> IntArray:
    """Return the clock number of a shift, -1 where it has none."""
    hours = np.round(shift_degree / 30)
    exact = np.abs(shift_degree / 30 - hours) < 1e-9
    return np.where(exact, hours % 12, -1).astype(np.int64)


def _clocked(found: Windings, pick: BoolArray, phases: int) -> Part:
    clock = clock_of(found.shift_degree)
    none = np.zeros(len(clock))
    values = {
        "u1": found.u1,
        "u2": found.u2,
        "sn": found.sn,
        "uk": np.where(found.z_k.imag < 0, -1, 1) * np.abs(found.z_k),
        "pk": found.z_k.real * found.sn,
        "i0": found.i0,
        "p0": found.p0,
        # Balanced, only the clock counts; it must be odd where star meets delta.
        "winding_from": np.where(clock % 2 == 1, DELTA, WYE_N),
        "winding_to": np.full(len(clock), WYE_N),
        "clock": clock,
    }
    taps = ("tap_side", "tap_pos", "tap_min", "tap_max", "tap_nom", "tap_size")
    values |= {name: none for name in taps}
    if phases == 3:
        values |= zero_sequence_values(
            found.connection, found.z0, found.z_k, (found.u1, found.u2, found.sn)
        )
    picked = {name: value[pick] for name, value in values.items()}
    node, closed = found.node[pick], found.closed[pick]
    return Part("transformer", found.table, found.row[pick], node, closed, picked)


def _generic(found: Windings, pick: BoolArray, u_rated: FloatArray) -> Part:
    """Return transformers of other shifts, referred to their low-voltage side."""
    node, u1, u2 = found.node[pick], found.u1[pick], found.u2[pick]
    ohm = u2**2 / found.sn[pick]
    z_ohm = found.z_k[pick] * ohm
    magnetising = np.sqrt(
        np.maximum((found.i0[pick] * found.sn[pick]) ** 2 - found.p0[pick] ** 2, 0)
    )
    values = {
        "r1": z_ohm.real,
        "x1": z_ohm.imag,
        "g1": found.p0[pick] / u2**2,
        "b1": -magnetising / u2**2,
        "k": (u1 / u2) / (u_rated[node[:, 0]] / u_rated[node[:, 1]]),
        "theta": np.deg2rad(found.shift_degree[pick]),
        "sn": found.sn[pick],
    }
    return Part("generic_branch", found.table, found.row[pick], node, found.closed[pick], values)
