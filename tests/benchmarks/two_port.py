"""The transformers of a case as pi-equivalents, for engines that carry the magnetising branch elsewhere."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests.benchmarks.cases import Case


class PiBranches(NamedTuple):
    """Series impedance, half the shunt at each end and complex ratio, on the low-voltage side."""

    z_ohm: np.ndarray
    half_s: np.ndarray
    """[siemens], to be divided by the ratio's square at the high-voltage end."""
    turn: np.ndarray
    """Ratio over that of the nominal bus voltages."""


def transformers(case: Case) -> PiBranches:
    """Return the transformers with exactly the two-ports of pandapower."""
    admittance, at = case.grid.admittance, case.grid.transformer_branch
    y_ff, y_ft, y_tf, y_tt = (
        getattr(admittance, name)[at] for name in ("y_ff", "y_ft", "y_tf", "y_tt")
    )
    # y_ft = -y / conj(t), y_tf = -y / t, y_ff = (y + m) / |t|^2, y_tt = y + m, m half the shunt.
    turn = np.sqrt(np.abs(y_tt) / np.abs(y_ff)) * np.exp(0.5j * np.angle(y_ft / y_tf))
    # A half angle has two values; the right one leaves a positive resistance.
    turn = np.where((-y_tf * turn).real < 0, -turn, turn)
    series = -y_tf * turn
    half = y_tt - series
    half[np.abs(half) < 1e-9 * np.abs(series)] = 0.0
    low_kv = case.net.bus.vn_kv.to_numpy()[case.net.trafo.lv_bus]
    base = float(case.net.sn_mva) / low_kv**2
    return PiBranches(1.0 / (series * base), half * base, turn)
