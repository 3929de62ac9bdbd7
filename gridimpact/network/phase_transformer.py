"""Transformers in zero sequence: which windings pass it, close it, or block it.

A transformer is its T-model: leakage of the high-voltage side, leakage of the low-voltage side and
the magnetising impedance between them. A star with its neutral out (YN) joins its terminals to the
model, a delta (D) closes the model behind its leakage and leaves its terminals open, a star without
neutral (Y) leaves both open. A zigzag with its neutral out (ZN) has a path of its own from its
terminals to earth and does not couple; a zigzag without one (Z) is open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.network.columns import column
from gridimpact.network.phase_ports import six_port, swapped
from gridimpact.records import BoolArray, ComplexArray, FloatArray, Grid, IntArray

_GROUP = re.compile(r"(yn|zn|y|z|d)(\d{0,2})" * 2)
_GROUP3 = re.compile(r"(yn|zn|y|z|d)(\d{0,2})" * 3)
_YZN = 2 / np.sqrt(3.0)


@dataclass(frozen=True)
class Windings:
    """How the windings of a transformer are connected.

    Attributes
    ----------
    connection : tuple of str
        "yn", "y", "d", "z" or "zn" by winding, the highest voltage first.
    clock : tuple of int or None
        Number behind each winding, None where there is none.
    """

    connection: tuple[str, ...]
    clock: tuple[int | None, ...]


@dataclass(frozen=True)
class Sides:
    """Voltages of the two sides of each transformer [kV]: its own at the present tap, the nodes'."""

    own_hv: FloatArray
    own_lv: FloatArray
    node_hv: FloatArray
    node_lv: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """Off-nominal ratio, high over low."""
        return (self.own_hv / self.own_lv) * (self.node_lv / self.node_hv)


def read_group(name: Any, windings: int = 2) -> Windings | None:
    """Return the connections a vector group names, None where it names none known here.

    Examples
    --------
    >>> read_group("Dyn5")
    Windings(connection=('d', 'yn'), clock=(None, 5))
    >>> read_group("YNyd", 3).connection
    ('yn', 'y', 'd')
    >>> read_group("Dxn") is None
    True
    """
    if not isinstance(name, str):
        return None
    found = (_GROUP if windings == 2 else _GROUP3).fullmatch(name.strip().lower())
    if found is None:
        return None
    parts = found.groups()
    return Windings(parts[0::2], tuple(int(number) if number else None for number in parts[1::2]))


def odd_clock(first: str, second: str) -> bool:
    """Return whether two windings turn by an odd clock: a star against a delta or a zigzag does.

    Examples
    --------
    >>> odd_clock("d", "yn"), odd_clock("y", "zn"), odd_clock("d", "zn"), odd_clock("yn", "y")
    (True, True, False, False)
    """
    return first.startswith("y") != second.startswith("y")


def plain_group(name: str) -> str:
    """Return a vector group without clock numbers, as pandapower's own three-phase flow wants it.

    Examples
    --------
    >>> plain_group("Dyn5"), plain_group("YNyn0")
    ('Dyn', 'YNyn')
    """
    return re.sub(r"\d", "", name.strip())


def polarity(shift_degree: FloatArray) -> FloatArray:
    """Return +1 or -1: whether zero sequence passes a pair of earthed stars upright or turned over.

    Clocks 0, 4 and 8 only exchange the names of the phases; 2, 6 and 10 turn the windings over.
    """
    return np.where(np.cos(3 * np.deg2rad(shift_degree)) > -1e-9, 1.0, -1.0)


def transformer_zero_two_ports(
    trafo: Any, sides: Sides, s_base_kva: float
) -> tuple[ComplexArray, BoolArray]:
    """Return the zero-sequence two-ports of transformers and at which ends they are earthed.

    Parameters
    ----------
    trafo : pandas.DataFrame
        Rows of the transformer table with ``vector_group``, ``vk0_percent``, ``vkr0_percent``,
        ``mag0_percent``, ``mag0_rx`` and ``si0_hv_partial``; ``rn_ohm`` and ``xn_ohm`` where
        a neutral is earthed through an impedance.
    sides : Sides
    s_base_kva : float
        Power base of all three phases [kVA].

    Returns
    -------
    two_port : ndarray, shape (transformer, 4)
        y_ff, y_ft, y_tf, y_tt per unit, from the high- to the low-voltage side.
    earthed : ndarray, shape (transformer, 2)
        Whether zero-sequence current finds its way back within the transformer, by side.

    Notes
    -----
    Dyn, YNyn and Yzn are those of pandapower's ``runpp_3ph`` (3.5), so that the same table means the
    same transformer: ``mag0_percent`` / 100 is the magnetising over the short-circuit impedance,
    ``si0_hv_partial`` the share of leakage on the high-voltage side; a Yzn counts leakage and
    magnetising branch in series over 2/sqrt(3). A neutral's impedance counts threefold, in series
    with the earthed winding, with the high-voltage one where both are earthed.
    """
    kind = [read_group(name) or Windings(("", ""), (None, None)) for name in trafo["vector_group"]]
    hv = np.array([k.connection[0] for k in kind], dtype=object)
    lv = np.array([k.connection[1] for k in kind], dtype=object)
    leak, magnetic = _impedances(trafo, sides, s_base_kva)
    share = column(trafo, "si0_hv_partial", 0.5)
    neutral = _neutral(trafo, hv, sides, s_base_kva)
    earthed_hv = np.isin(hv, ("yn", "zn"))
    z_hv = share * leak + np.where(earthed_hv, neutral, 0)
    z_lv = (1 - share) * leak + np.where(~earthed_hv, neutral, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        two_port = _t_model(hv, lv, z_hv, z_lv, magnetic)
        zigzag_hv = 1 / (share * leak + neutral)
        zigzag_lv = np.where(
            hv == "y", _YZN / ((1 - share) * leak + magnetic + neutral), 1 / (leak + neutral)
        )
    two_port[hv == "zn", 0] = zigzag_hv[hv == "zn"]
    two_port[lv == "zn", 3] = zigzag_lv[lv == "zn"]
    passes = two_port[:, 1] != 0
    weak = 1e-6 * np.abs(1 / np.where(leak == 0, 1, leak))
    earthed = np.stack(
        [~passes & (np.abs(two_port[:, 0]) > weak), ~passes & (np.abs(two_port[:, 3]) > weak)],
        axis=1,
    )
    to_earth = passes & (np.abs(1 / magnetic) > weak)
    turn = polarity(column(trafo, "shift_degree", 0.0)) / sides.ratio
    two_port *= np.stack([1 / sides.ratio**2, turn, turn, np.ones_like(turn)], axis=1)
    return two_port, earthed | to_earth[:, None]


def _t_model(
    hv: Any, lv: Any, z_hv: ComplexArray, z_lv: ComplexArray, magnetic: ComplexArray
) -> ComplexArray:
    """Return the two-ports of T-models whose ends are joined, closed or open."""
    joined_hv, joined_lv = hv == "yn", lv == "yn"
    to_hv = np.where(joined_hv | (hv == "d"), 1 / z_hv, 0)
    to_lv = np.where(joined_lv | (lv == "d"), 1 / z_lv, 0)
    total = to_hv + to_lv + 1 / magnetic
    total = np.where(total == 0, 1, total)
    both = -to_hv * to_lv / total
    return np.stack(
        [
            np.where(joined_hv, to_hv - to_hv**2 / total, 0),
            np.where(joined_hv & joined_lv, both, 0),
            np.where(joined_hv & joined_lv, both, 0),
            np.where(joined_lv, to_lv - to_lv**2 / total, 0),
        ],
        axis=1,
    )


def _impedances(trafo: Any, sides: Sides, s_base_kva: float) -> tuple[ComplexArray, ComplexArray]:
    """Return leakage and magnetising impedance, per unit at the low-voltage node, parallels counted."""
    vk0, vkr0 = column(trafo, "vk0_percent", 0.0), column(trafo, "vkr0_percent", 0.0)
    scale = s_base_kva / 1e3 / column(trafo, "sn_mva", 1.0) / column(trafo, "parallel", 1.0)
    scale = scale * (sides.own_lv / sides.node_lv) ** 2 / 100
    leak = (vkr0 + 1j * np.sqrt(np.maximum(vk0**2 - vkr0**2, 0))) * scale
    rx = column(trafo, "mag0_rx", 0.0)
    magnetic = vk0 * scale * column(trafo, "mag0_percent", np.inf) / 100
    with np.errstate(invalid="ignore"):
        turned = magnetic * (rx + 1j) / np.sqrt(rx**2 + 1)
    return leak, np.where(np.isfinite(magnetic) & (magnetic > 0), turned, np.inf)


def _neutral(trafo: Any, hv: Any, sides: Sides, s_base_kva: float) -> ComplexArray:
    """Return three times the neutral's impedance, per unit at the low-voltage node."""
    z_ohm = column(trafo, "rn_ohm", 0.0) + 1j * column(trafo, "xn_ohm", 0.0)
    at_hv = np.isin(hv, ("yn", "zn"))
    node_kv = np.where(at_hv, sides.node_hv * sides.ratio, sides.node_lv)
    return np.asarray(3 * z_ohm * s_base_kva / (1e3 * node_kv**2))


def tapped_voltages(net: Any, trafo: Any) -> tuple[FloatArray, FloatArray]:
    """Return rated voltages of transformers at their taps, high and low side [kV]."""
    from pandapower.auxiliary import ADict
    from pandapower.build_branch import _calc_tap_from_dataframe

    seen = ADict(_options={"calculate_voltage_angles": True, "mode": "pf"})
    seen["trafo_characteristic_table"] = net.get("trafo_characteristic_table")
    own_hv, own_lv, _ = _calc_tap_from_dataframe(seen, trafo)
    return np.asarray(own_hv, dtype=np.float64), np.asarray(own_lv, dtype=np.float64)


def transformer_six_port(
    net: Any, grid: Grid, position: int, tap_pos: IntArray, two_port: ComplexArray
) -> ComplexArray:
    """Return the six-ports of one transformer at other positions of its tap changer.

    Parameters
    ----------
    net : pandapowerNet
        With the zero-sequence data of the transformer; not written to.
    grid : Grid
    position : int
        Of the transformer in its table.
    tap_pos : ndarray, shape (tap,)
    two_port : ndarray, shape (tap, 4)
        Its balanced two-ports at these positions.

    Returns
    -------
    ndarray, shape (tap, 6, 6)
    """
    rows = net["trafo"].iloc[np.full(len(tap_pos), position)].reset_index(drop=True)
    rows["tap_pos"] = np.asarray(tap_pos)
    branch = grid.transformer_branch[position]
    node_kv = grid.admittance.node_vn_kv
    count = np.ones(len(rows))
    sides = Sides(
        *tapped_voltages(net, rows),
        count * node_kv[grid.admittance.branch_from[branch]],
        count * node_kv[grid.admittance.branch_to[branch]],
    )
    zero, _ = transformer_zero_two_ports(rows, sides, grid.admittance.s_base_kva)
    balanced = np.asarray(two_port, dtype=np.complex128)
    return six_port(zero, balanced, swapped(balanced))
