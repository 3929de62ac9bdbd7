"""Stated assumptions for zero-sequence data that a net lacks."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.network.check_elements import LOW_VOLTAGE_KV
from gridimpact.network.phase_transformer import read_group
from gridimpact.network.zero_sequence import IMPEDANCE, LINE, STIFF_MVA, lacks
from gridimpact.records import BoolArray, Note

NO_CORE = 1e9
"""``mag0_percent`` that leaves the zero-sequence magnetising branch out."""
THREE_LIMB = 1000.0
"""Magnetising over short-circuit impedance of a three-limb core in zero sequence [%]."""
SCREEN_OHM_PER_KM = 0.714
"""Copper screen of 25 mm2 at 20 degrees, 1 / (56 Sm/mm2 * 25 mm2) [ohm/km]."""
SOIL_OHM_M = 100.0
SPACING_M = 1.2
"""Mean distance of the conductors of a medium-voltage overhead line [m]."""
_MU_0 = 4e-7 * np.pi


@dataclass
class _Filling:
    """A net being filled, with what was assumed for which rows."""

    net: Any
    notes: list[Note] = field(default_factory=list)

    def fill(self, table: str, values: dict[str, Any], rows: BoolArray, text: str) -> None:
        """Put values where `rows` lack them and say so."""
        frame = self.net[table]
        touched = np.zeros(len(frame), dtype=bool)
        for column, value in values.items():
            empty = rows & lacks(frame, column)
            if not empty.any():
                continue
            old = frame[column] if column in frame else pd.Series(np.nan, index=frame.index)
            kind = object if column == "vector_group" else float
            new = old.astype(kind).to_numpy(copy=True)
            new[empty] = np.broadcast_to(np.asarray(value, dtype=kind), len(frame))[empty]
            frame[column] = new
            touched |= empty
        if touched.any():
            note = f"{text}, assumed for {int(touched.sum())} of {len(frame)}"
            self.notes.append(Note("assumption", f"{table}, zero sequence", note))


def assume_zero_sequence(
    net: Any, full_lines: Collection[int] = ()
) -> tuple[Any, tuple[Note, ...]]:
    """Return a copy of a net with missing zero-sequence data filled by stated assumptions.

    Parameters
    ----------
    net : pandapowerNet
        Not written to.
    full_lines : collection of int
        Positions of lines whose full matrices are given; they stay as they are.

    Returns
    -------
    net : pandapowerNet
    notes : tuple of Note
        Each with value, number of elements and source.

    Notes
    -----
    Low-voltage lines and cables are four equal conductors with the return through the neutral alone:
    Z0 = 4 Z1 (IEC 60909-2:2008 table 7, four conductors without sheath). Medium-voltage cables
    return through copper screens of 25 mm2: R0 = R1 + 0.714 ohm/km, X0 = X1, C0 = C1 (radial
    field). Medium-voltage overhead lines return through soil of 100 ohm m at 1.2 m spacing
    (J. R. Carson, Bell System Technical Journal 5, 1926, doi:10.1002/j.1538-7305.1926.tb00122.x, in
    the form of IEC 60909-2): R0 = R1 + 3 w mu0 / 8, X0 = X1 + 3 w mu0 / (2 pi) ln(delta / d).
    A delta carries zero sequence past the core: R0 = R1, X0 = 0.95 X1; a zigzag has 0.4 R1 and
    0.1 X1; stars alone meet the core of three limbs, ten times their short-circuit impedance (IEC
    60076-8:1997 clause 4; values of the ABB Switchgear Manual, chapter 3).
    """
    filling = _Filling(copy.deepcopy(net))
    _assume_lines(filling, full_lines)
    _assume_transformers(filling)
    _assume_three_windings(filling)
    _assume_impedances(filling)
    _assume_sources(filling)
    return filling.net, tuple(filling.notes)


def _assume_lines(filling: _Filling, full_lines: Collection[int]) -> None:
    line, omega = filling.net["line"], 2 * np.pi * float(filling.net["f_hz"])
    if not len(line):
        return
    open_rows = line["in_service"].to_numpy(dtype=bool)
    open_rows[list(full_lines)] = False
    vn_kv = filling.net["bus"]["vn_kv"].loc[line["from_bus"]].to_numpy(dtype=np.float64)
    overhead = (line["type"] == "ol").to_numpy() if "type" in line else np.zeros(len(line), bool)
    low = vn_kv < LOW_VOLTAGE_KV
    r, x, c = (line[k].to_numpy(float) for k in ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"))
    depth_m = 1.851 / np.sqrt(omega * _MU_0 / SOIL_OHM_M)
    earth = 3e3 * omega * _MU_0 * np.array([1 / 8, np.log(depth_m / SPACING_M) / (2 * np.pi)])
    families = (
        (low, (4 * r, 4 * x, c), "low-voltage lines: R0 = 4 R1, X0 = 4 X1, C0 = C1 "
         "(four equal conductors, return through the neutral, IEC 60909-2 table 7)"),
        (~low & overhead, (r + earth[0], x + earth[1], 0.6 * c),
         f"medium-voltage overhead lines: R0 = R1 + {earth[0]:.3f}, X0 = X1 + {earth[1]:.3f} ohm/km, C0 = 0.6 C1 "
         f"(return through soil of {SOIL_OHM_M:g} ohm m, Carson, IEC 60909-2)"),
        (~low & ~overhead, (r + SCREEN_OHM_PER_KM, x, c),
         f"medium-voltage cables: R0 = R1 + {SCREEN_OHM_PER_KM} ohm/km, X0 = X1, C0 = C1 "
         "(return through copper screens of 25 mm2)"),
    )  # fmt: skip
    for rows, values, text in families:
        filling.fill("line", dict(zip(LINE, values, strict=True)), rows & open_rows, text)


def _assume_transformers(filling: _Filling) -> None:
    trafo = filling.net["trafo"]
    if not len(trafo):
        return
    active = trafo["in_service"].to_numpy(dtype=bool)
    low = trafo["vn_lv_kv"].to_numpy(dtype=np.float64) < LOW_VOLTAGE_KV
    even = np.abs(np.sin(3 * np.deg2rad(trafo["shift_degree"].to_numpy(dtype=np.float64)))) < 1e-6
    for rows, group in ((active & (low | ~even), "Dyn"), (active & ~low & even, "YNyn")):
        text = f'vector_group "{group}" with its neutral earthed on the low-voltage side'
        filling.fill("trafo", {"vector_group": group}, rows, text)
    kind = [read_group(name) for name in filling.net["trafo"]["vector_group"]]
    delta = np.array([k is not None and "d" in k.connection for k in kind])
    zigzag = np.array([k is not None and bool({"z", "zn"} & set(k.connection)) for k in kind])
    yzn = np.array([k is not None and k.connection == ("y", "zn") for k in kind])
    vk, vkr = (trafo[f"{v}_percent"].to_numpy(dtype=np.float64) for v in ("vk", "vkr"))
    x1 = np.sqrt(np.maximum(vk**2 - vkr**2, 0))
    core = {"mag0_rx": 0.0, "si0_hv_partial": 0.9}
    filling.fill(
        "trafo",
        core
        | {"vk0_percent": np.hypot(vkr, 0.95 * x1), "vkr0_percent": vkr, "mag0_percent": NO_CORE},
        active & delta & ~zigzag,
        "transformers with a delta: R0 = R1, X0 = 0.95 X1, no magnetising branch "
        "(IEC 60076-8, ABB Switchgear Manual)",
    )
    filling.fill(
        "trafo", core | {"vk0_percent": vk, "vkr0_percent": vkr, "mag0_percent": THREE_LIMB},
        active & ~delta & ~zigzag,
        "transformers of stars alone: Z0 = Z1 of the windings, magnetising impedance of a three-limb "
        "core ten times as large (X0/X1 = 7 to 100 of Yyn, ABB Switchgear Manual)",
    )  # fmt: skip
    r0, x0 = 0.4 * vkr, 0.1 * x1
    # pandapower's Yzn is (0.1 + mag0) z0 over 1.1547: this share makes its terminals see z0 itself.
    limb = np.where(yzn, 100 * (2 / np.sqrt(3) - 0.1), NO_CORE)
    rx = np.where(yzn, r0 / np.where(x0 > 0, x0, 1.0), 0.0)
    values = {"vk0_percent": np.hypot(r0, x0), "vkr0_percent": r0, "mag0_percent": limb}
    filling.fill(
        "trafo", values | {"mag0_rx": rx, "si0_hv_partial": 0.9}, active & zigzag,
        "zigzag transformers: R0 = 0.4 R1, X0 = 0.1 X1 (ABB Switchgear Manual)",
    )  # fmt: skip


def _assume_three_windings(filling: _Filling) -> None:
    trafo = filling.net["trafo3w"]
    if not len(trafo):
        return
    active = trafo["in_service"].to_numpy(dtype=bool)

    def letters(side: str) -> list[str]:
        shift = trafo[f"shift_{side}_degree"].to_numpy(dtype=np.float64)
        return ["yn" if abs(np.sin(3 * np.deg2rad(s))) < 1e-6 else "d" for s in shift]

    group = [f"YN{m}{low}" for m, low in zip(letters("mv"), letters("lv"), strict=True)]
    text = "vector_group YN, then yn where the clock is even and d where it is odd"
    filling.fill("trafo3w", {"vector_group": np.array(group, dtype=object)}, active, text)
    values = {
        f"{v}0_{side}_percent": trafo[f"{v}_{side}_percent"].to_numpy(dtype=np.float64)
        for side in ("hv", "mv", "lv")
        for v in ("vk", "vkr")
    }
    filling.fill(
        "trafo3w", values, active, "zero-sequence as positive-sequence short-circuit voltages"
    )


def _assume_impedances(filling: _Filling) -> None:
    table = filling.net["impedance"]
    if not len(table):
        return
    values = {
        name: table[name.replace("0_pu", "_pu")].to_numpy(dtype=np.float64) for name in IMPEDANCE
    }
    active = table["in_service"].to_numpy(dtype=bool)
    filling.fill("impedance", values, active, "zero sequence as positive sequence")


def _assume_sources(filling: _Filling) -> None:
    source = filling.net["ext_grid"]
    active = source["in_service"].to_numpy(dtype=bool)
    unknown = lacks(source, "s_sc_max_mva")
    rest = {"rx_max": 0.1, "x0x_max": 1.0, "r0x0_max": 0.1}
    text = "ideal source without impedance in any sequence"
    filling.fill("ext_grid", {"s_sc_max_mva": 100 * STIFF_MVA, **rest}, active & unknown, text)
    text = "R/X = 0.1 where missing, X0/X1 = 1 and R0/X0 = 0.1"
    filling.fill("ext_grid", rest, active & ~unknown, text)
