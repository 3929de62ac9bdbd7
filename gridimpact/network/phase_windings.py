"""Three-winding transformers in zero sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.network.columns import column
from gridimpact.network.phase_transformer import Sides, Windings, polarity, read_group
from gridimpact.records import BoolArray, ComplexArray


def winding_zero_two_ports(
    trafo3w: Any, sides: Sides, s_base_kva: float
) -> tuple[ComplexArray, BoolArray]:
    """Return the zero-sequence two-ports of three-winding transformers, winding by winding.

    Parameters
    ----------
    trafo3w : pandas.DataFrame
        With ``vector_group`` such as "YNyd" and ``vk0_hv_percent``, ``vkr0_hv_percent`` (high to
        middle), ``..mv..`` (middle to low) and ``..lv..`` (high to low).
    sides : Sides
        Of the three equivalent transformers each: all high-voltage ones, all middle, all low.
    s_base_kva : float

    Returns
    -------
    two_port : ndarray, shape (3 * transformer, 4)
        In the order of `sides`; the star point is the to-end of the first and the from-end of others.
    earthed : ndarray, shape (3 * transformer, 2)

    Notes
    -----
    The star equivalent of the three zero-sequence impedances; a magnetising branch is left out, as
    a closed delta or an earthed star beside it carries the current.
    """
    z = _star(trafo3w) * s_base_kva / 1e3
    z = z.ravel() * (sides.own_lv / sides.node_lv) ** 2
    kind = [
        read_group(name, 3) or Windings(("", "", ""), (None,) * 3)
        for name in trafo3w["vector_group"]
    ]
    connection = np.array([[k.connection[i] for k in kind] for i in range(3)], dtype=object).ravel()
    outer = np.where(np.arange(len(connection)) < len(kind), 0, 3)
    with np.errstate(divide="ignore"):
        y = np.where(z == 0, 0, 1 / z)
    shift = [
        np.zeros(len(kind)),
        *(column(trafo3w, f"shift_{s}_degree", 0.0) for s in ("mv", "lv")),
    ]
    turn = polarity(np.concatenate(shift))
    two_port = np.zeros((len(connection), 4), dtype=np.complex128)
    joined, closed, zigzag = connection == "yn", connection == "d", connection == "zn"
    two_port[joined] = y[joined, None] * [1, -1, -1, 1]
    rows = np.arange(len(connection))
    two_port[rows[closed], 3 - outer[closed]] = y[closed]
    two_port[rows[zigzag], outer[zigzag]] = y[zigzag]
    turn = turn / sides.ratio
    two_port *= np.stack([1 / sides.ratio**2, turn, turn, np.ones_like(turn)], axis=1)
    earthed = np.zeros((len(connection), 2), dtype=bool)
    earthed[rows[closed], np.where(outer[closed] == 0, 1, 0)] = True
    earthed[rows[zigzag], np.where(outer[zigzag] == 0, 0, 1)] = True
    return two_port, earthed


def _star(trafo3w: Any) -> ComplexArray:
    """Return the star equivalent, shape (3, transformer) [pu on 1 MVA]."""
    sn = {side: column(trafo3w, f"sn_{side}_mva", 1.0) for side in ("hv", "mv", "lv")}

    def pair(side: str, one: str, other: str) -> ComplexArray:
        vk, vkr = (column(trafo3w, f"{v}_{side}_percent", 0.0) for v in ("vk0", "vkr0"))
        z = vkr + 1j * np.sqrt(np.maximum(vk**2 - vkr**2, 0))
        return np.asarray(z / 100 / np.minimum(sn[one], sn[other]))

    hm, ml, hl = pair("hv", "hv", "mv"), pair("mv", "mv", "lv"), pair("lv", "hv", "lv")
    return np.stack([hm + hl - ml, hm + ml - hl, hl + ml - hm]) / 2
