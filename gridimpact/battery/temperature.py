"""What a cold battery holds back: usable energy and the rates it takes and gives, by its temperature.

The tables are own choices of round numbers for today's traction batteries of liquid electrolyte without
heating: usable energy falls by a few percent at 0 degC and by a quarter to a third at -20 degC, charging is
held back most, as lithium would plate on a cold anode. A car that heats its battery does better.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

TEMP_C = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0)
"""Temperatures of the tables [degC]; held flat outside."""
USABLE = (0.60, 0.72, 0.83, 0.92, 0.97, 1.00)
"""Energy that can be taken out, over that at 20 degC."""
CHARGE_RATE = (0.02, 0.06, 0.15, 0.40, 1.00, 2.00)
"""Highest charging power over capacity [1/h]."""
DISCHARGE_RATE = (0.20, 0.50, 1.00, 1.50, 2.50, 3.00)
"""Highest discharging power over capacity [1/h]."""


def usable_share(temp_c: ArrayLike) -> FloatArray:
    """Return the share of the energy that a battery at this temperature gives.

    Parameters
    ----------
    temp_c : array_like
        Temperature of the battery [degC].

    Returns
    -------
    ndarray
        0..1, what is missing stays at the bottom and is there again when it warms up.

    Validity
    --------
    -30 to 40 degC, slow discharge; a table of own choice, see the module.

    Examples
    --------
    >>> usable_share([-20.0, 5.0, 30.0]).round(3).tolist()
    [0.72, 0.945, 1.0]
    """
    return _at(temp_c, USABLE)


def charge_limit_kw(temp_c: ArrayLike, capacity_kwh: ArrayLike) -> FloatArray:
    """Return the highest power into a battery of this temperature [kW].

    Parameters
    ----------
    temp_c : array_like
        Temperature of the battery [degC].
    capacity_kwh : array_like
        Capacity [kWh].

    Examples
    --------
    >>> float(charge_limit_kw(-10.0, 60.0))
    9.0
    """
    return np.asarray(_at(temp_c, CHARGE_RATE) * np.asarray(capacity_kwh, dtype=np.float64))


def discharge_limit_kw(temp_c: ArrayLike, capacity_kwh: ArrayLike) -> FloatArray:
    """Return the highest power out of a battery of this temperature [kW], a magnitude.

    Parameters
    ----------
    temp_c : array_like
        Temperature of the battery [degC].
    capacity_kwh : array_like
        Capacity [kWh].

    Examples
    --------
    >>> float(discharge_limit_kw(-20.0, 40.0))
    20.0
    """
    return np.asarray(_at(temp_c, DISCHARGE_RATE) * np.asarray(capacity_kwh, dtype=np.float64))


def _at(temp_c: ArrayLike, values: tuple[float, ...]) -> FloatArray:
    """Return values interpolated at a temperature, flat outside the table."""
    return np.asarray(np.interp(np.asarray(temp_c, dtype=np.float64), TEMP_C, values))
