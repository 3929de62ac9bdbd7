"""State of a transformer's temperatures between steps, and the choices of the model.

The recursion that moves a state is in `gridimpact.ageing.ieee_clause7`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.ageing.kernels import ultimate_top_oil_rise
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.records import BoolArray, FloatArray


@dataclass(frozen=True)
class Clause7:
    """Choices the clause leaves open.

    Attributes
    ----------
    exponent_corrected : bool
        Correct the oil's time constant for an exponent n other than 1 (C57.91-2011, equation 16).
    ambient_lagged : bool
        Ambient reaches the oil with the oil's time constant, as in IEC 60076-7 and the alternative
        equations of later drafts; without lag in the 2011 edition, the default.
    """

    exponent_corrected: bool = True
    ambient_lagged: bool = False


EDITION_2011 = Clause7()


@dataclass(frozen=True)
class ThermalState:
    """Temperatures between two steps, arrays (scenario, transformer).

    Attributes
    ----------
    top_oil_rise_k : numpy.ndarray
        Top-oil rise over the ambient at the tank [K].
    gradient_k : numpy.ndarray
        Hot-spot rise over top oil [K].
    ambient_c : numpy.ndarray
        Ambient at the tank these rises stand on [degC].
    """

    top_oil_rise_k: FloatArray
    gradient_k: FloatArray
    ambient_c: FloatArray

    @property
    def top_oil_c(self) -> FloatArray:
        """Top-oil temperature [degC]."""
        return self.ambient_c + self.top_oil_rise_k

    @property
    def hot_spot_c(self) -> FloatArray:
        """Hot-spot temperature [degC]."""
        return self.ambient_c + self.top_oil_rise_k + self.gradient_k


@dataclass(frozen=True)
class ThermalSeries:
    """Temperatures and ageing at the end of each step, arrays (scenario, time, transformer)."""

    top_oil_c: FloatArray
    hot_spot_c: FloatArray
    ageing_rate: FloatArray
    """By the nameplate's leading insulation."""
    initial: ThermalState
    final: ThermalState


def steady_state(loading_pu: ArrayLike, ambient_c: ArrayLike, plate: Nameplate) -> ThermalState:
    """Return the state a constant loading settles at.

    Parameters
    ----------
    loading_pu : array_like
        (scenario, transformer) current over rated current [pu].
    ambient_c : array_like
        Outdoor air, a number or (transformer,) [degC].
    plate : Nameplate
        Thermal data.

    Examples
    --------
    >>> plate = Nameplate.preset("ieee_65c")
    >>> steady_state([[1.0]], 30.0, plate).hot_spot_c
    array([[110.]])
    """
    loading = np.asarray(loading_pu, dtype=np.float64)
    rise = ultimate_top_oil_rise_k(loading, plate)
    gradient = plate.gradient_k * loading ** (2.0 * plate.exponent_m)
    air = np.asarray(ambient_c, dtype=np.float64) + plate.enclosure_rise_k
    return ThermalState(rise, gradient, np.broadcast_to(air, rise.shape).copy())


def cold_state(scenarios: int, ambient_c: ArrayLike, plate: Nameplate) -> ThermalState:
    """Return a transformer as cold as the air around it, as after a long outage."""
    shape = (scenarios, len(plate.insulation))
    air = np.asarray(ambient_c, dtype=np.float64) + plate.enclosure_rise_k
    return ThermalState(np.zeros(shape), np.zeros(shape), np.broadcast_to(air, shape).copy())


def ultimate_top_oil_rise_k(loading_pu: ArrayLike, plate: Nameplate) -> FloatArray:
    """Return the top-oil rise a constant loading settles at [K] (C57.91-2011, equation 9)."""
    rise = ultimate_top_oil_rise(
        np.asarray(loading_pu, dtype=np.float64),
        plate.top_oil_rise_k,
        plate.loss_ratio,
        plate.exponent_n,
    )
    return cast("FloatArray", rise)


def bridge_failed(
    loading_pu: FloatArray, substitute_pu: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Fill loadings of failed power-flow lanes, so that ageing can be carried across them.

    Parameters
    ----------
    loading_pu : numpy.ndarray
        Loading with NaN where a lane failed [pu].
    substitute_pu : numpy.ndarray
        Same shape: injected apparent power behind the transformer over its rating [pu].

    Returns
    -------
    tuple of numpy.ndarray
        The filled loading, and a mask that is True where it was filled, to be reported.

    Examples
    --------
    >>> bridge_failed(np.array([0.5, np.nan]), np.array([0.4, 1.2]))
    (array([0.5, 1.2]), array([False,  True]))
    """
    bridged = np.isnan(loading_pu)
    return np.where(bridged, substitute_pu, loading_pu), bridged
