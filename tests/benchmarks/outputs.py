"""What every engine hands over, and how far two of them are apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Outputs(NamedTuple):
    """Results of some steps, float32 or float64."""

    vm_pu: np.ndarray
    """(step, bus) or (step, bus, phase)."""
    line: np.ndarray
    """(step, line) loading [percent]; in three phases of the worst phase."""
    trafo: np.ndarray
    """(step, transformer) loading by current [percent]."""

    def at(self, steps: np.ndarray) -> Outputs:
        """Return some steps."""
        return Outputs(*(values[steps] for values in self))


class Gap(NamedTuple):
    """Largest differences: voltage [pu], loading of lines and transformers [percentage points]."""

    vm_pu: float
    line: float
    trafo: float


def gap(found: Outputs, truth: Outputs) -> Gap:
    """Return the largest differences; NaN counts as infinite."""
    worst = []
    for a, b in zip(found, truth, strict=True):
        difference = np.abs(np.asarray(a, dtype=np.float64) - b)
        worst.append(float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0)))
    return Gap(*worst)


def percent(ends_ka: tuple[np.ndarray, ...], rated_ka: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return the larger end's current over its rating [percent], written into the first array."""
    first, second = ends_ka
    first *= 100.0 / rated_ka[0]
    second *= 100.0 / rated_ka[1]
    return np.maximum(first, second, out=first)


def ratings(net: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rated currents of lines, and of the high and the low side of transformers [kA]."""
    line, trafo = net.line, net.trafo  # type: ignore[attr-defined]
    lines = (line.max_i_ka * line.df * line.parallel).to_numpy(dtype=float)
    power = (trafo.sn_mva * trafo.parallel * trafo.df).to_numpy(dtype=float) / np.sqrt(3.0)
    return lines, power / trafo.vn_hv_kv.to_numpy(), power / trafo.vn_lv_kv.to_numpy()
