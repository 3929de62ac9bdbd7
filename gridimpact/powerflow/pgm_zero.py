"""Zero sequence of transformers as power-grid-model has it: winding types and neutral impedances."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gridimpact.records import ComplexArray, FloatArray

WYE, WYE_N, DELTA, ZIGZAG, ZIGZAG_N = range(5)
"""Winding types of power-grid-model."""


class ZeroSequence(NamedTuple):
    """T-models in zero sequence, per unit of the transformers' power."""

    leak: ComplexArray
    """NaN where the net holds none."""
    share_hv: FloatArray
    """Share of the leakage on the high-voltage side."""
    core: ComplexArray
    """Admittance of the magnetising branch."""
    neutral_ohm: ComplexArray
    """Between neutral and earth, of the high-voltage winding where that is earthed."""


def zero_sequence_values(
    connection: Any,
    z0: ZeroSequence,
    z_k: ComplexArray,
    rated: tuple[FloatArray, FloatArray, FloatArray],
) -> dict[str, Any]:
    """Return winding types, magnetising branch and neutral impedances that make up the zero sequence.

    power-grid-model takes the positive-sequence impedance in zero sequence too; what differs goes
    into the neutral, where one ohm counts as three. So every path through one winding, and every
    YNyn without a magnetising branch, is met exactly; a YNyn's magnetising branch stands half at
    each side instead of in between.

    Parameters
    ----------
    connection : numpy.ndarray
        (transformer, 2) "yn", "y", "d", "zn" or "z".
    z0 : ZeroSequence
    z_k : numpy.ndarray
        Positive-sequence impedance [pu].
    rated : tuple of numpy.ndarray
        Voltage of both sides with taps [V] and power [VA].
    """
    hv, lv = connection.T
    leak, share, core, neutral = z0
    u1, u2, sn = rated
    u = np.where(np.isin(hv, ("yn", "zn")), u1, u2)
    earth = 3 * neutral * sn / u**2
    near, far = share * leak, (1 - share) * leak
    with np.errstate(divide="ignore", invalid="ignore"):
        from_delta = far + 1 / (1 / near + core) + earth
        to_delta = near + 1 / (1 / far + core) + earth
        zigzag = np.where(hv == "y", (far + 1 / core + earth) * np.sqrt(0.75), leak + earth)
    both = (hv == "yn") & (lv == "yn")
    lone = {"d": from_delta - z_k, "y": far + earth, "zn": far, "z": far}
    at_lv = np.select(
        [both, lv == "zn", *((lv == "yn") & (hv == kind) for kind in lone)],
        [leak + earth - z_k, zigzag - 0.1 * z_k, *lone.values()],
        0,
    )
    at_hv = np.select(
        [hv == "zn", (hv == "yn") & (lv == "d"), (hv == "yn") & ~both],
        [near + earth - 0.1 * z_k, to_delta - z_k, near + earth],
        0,
    )
    closed = (hv == "d") | (lv == "d")
    shunt = np.where(closed, 0, core)
    z_hv, z_lv = at_hv / 3 * u1**2 / sn, at_lv / 3 * u2**2 / sn
    kinds = {"yn": WYE_N, "y": WYE, "d": DELTA, "zn": ZIGZAG_N, "z": ZIGZAG}
    return {
        "winding_from": np.array([kinds.get(kind, WYE) for kind in hv], dtype=np.int8),
        "winding_to": np.array([kinds.get(kind, WYE) for kind in lv], dtype=np.int8),
        "i0_zero_sequence": np.abs(shunt),
        "p0_zero_sequence": np.real(shunt) * sn,
        "r_grounding_from": z_hv.real,
        "x_grounding_from": z_hv.imag,
        "r_grounding_to": z_lv.real,
        "x_grounding_to": z_lv.imag,
    }
