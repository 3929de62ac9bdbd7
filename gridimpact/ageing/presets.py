"""Published thermal data of distribution transformers, and the heat capacity from weights.

Data with sources only; which unit gets which numbers is decided in `gridimpact.ageing.nameplate`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gridimpact.errors import InputError

ASSUMED_LOSS_RATIO = 5.0
"""Load loss over no-load loss where the network's data hold no iron loss (IEC 60076-7, table 4)."""

ENCLOSURE_RISE_K: Mapping[str, float] = MappingProxyType(
    {"compact_station": 10.0, "building": 10.0, "outdoor": 0.0, "pole": 0.0}
)
"""Air around the tank over outdoor air [K]: 10 K is the usual surcharge of an enclosure of class 10
(IEC 62271-202), nothing in free air."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Rated rises and time constants of a family of transformers."""

    name: str
    top_oil_rise_k: float
    hot_spot_rise_k: float
    exponent_n: float
    exponent_m: float
    tau_oil_h: float
    tau_winding_h: float
    rated_ambient_c: float
    insulation: str
    source: str
    enclosure: str = "compact_station"
    """Where such units usually stand, a name of `ENCLOSURE_RISE_K`."""
    assumed: str = ""
    """Which of the numbers are an own choice, in words."""


_C57_91 = "IEEE C57.91-2011, ONAN, n = m = 0.8"
_OWN_TIMES = "time constants of 3 h and 5 min"

_IEC_TABLE_4 = (
    "IEC 60076-7:2018 table 4, distribution ONAN: 55 K top oil, 23 K gradient, x 0.8, y 1.6, "
    "180 min, 4 min times k22 = 2"
)

_PRESETS = (
    Preset(
        "iec_onan",
        55.0,
        78.0,
        0.8,
        0.8,
        3.0,
        8.0 / 60.0,
        20.0,
        "non_upgraded",
        _IEC_TABLE_4,
    ),
    Preset(
        "ieee_65c",
        55.0,
        80.0,
        0.8,
        0.8,
        3.0,
        5.0 / 60.0,
        30.0,
        "upgraded",
        "IEEE C57.91-2011, 65 K average winding rise, ONAN: 80 K hot spot over ambient, "
        "n = m = 0.8; 55 K top oil, 3 h and 5 min typical",
    ),
    Preset(
        "ieee_65c_pole",
        55.0,
        80.0,
        0.8,
        0.8,
        3.0,
        5.0 / 60.0,
        30.0,
        "upgraded",
        f"{_C57_91}, 65 K average winding rise: 80 K hot spot over ambient; pole-mounted",
        "pole",
        f"top-oil rise of 55 K, {_OWN_TIMES}",
    ),
    Preset(
        "ieee_65c_pad",
        55.0,
        80.0,
        0.8,
        0.8,
        3.0,
        5.0 / 60.0,
        30.0,
        "upgraded",
        f"{_C57_91}, 65 K average winding rise: 80 K hot spot over ambient; pad-mounted, tank in free air",
        "outdoor",
        f"top-oil rise of 55 K, {_OWN_TIMES}, sun on the tank left out",
    ),
    Preset(
        "ieee_55c",
        45.0,
        65.0,
        0.8,
        0.8,
        3.0,
        5.0 / 60.0,
        30.0,
        "rise_55",
        f"{_C57_91}, 55 K average winding rise: 65 K hot spot over ambient; older units in free air",
        "outdoor",
        f"top-oil rise of 45 K, {_OWN_TIMES}",
    ),
    Preset(
        "iec_onan_pole",
        55.0,
        78.0,
        0.8,
        0.8,
        3.0,
        8.0 / 60.0,
        20.0,
        "non_upgraded",
        f"{_IEC_TABLE_4}; pole-mounted",
        "pole",
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _PRESETS})
"""Families of distribution transformers by name."""


def preset_named(name: str) -> Preset:
    """Return a family of transformers by name, offering the nearest known one if unknown."""
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(name, PRESETS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    message = f"transformer preset {name!r} is unknown, known are {', '.join(PRESETS)}{hint}"
    raise InputError(message)


def thermal_capacity_wh_per_k(
    core_coil_kg: float, tank_kg: float, oil_kg: float, *, directed: bool = False
) -> float:
    """Return a transformer's heat capacity from its weights [Wh/K].

    Parameters
    ----------
    core_coil_kg, tank_kg, oil_kg : float
        Weight of core with coils, of tank with fittings, and of the oil [kg].
    directed : bool
        Forced or directed oil flow (OF, OD) rather than natural (ON).

    Notes
    -----
    IEEE C57.91-2011, equations 14 and 15, in metric units.

    Examples
    --------
    >>> round(thermal_capacity_wh_per_k(19_325, 10_000, 0.87825 * 14_000, directed=True), 1)
    11002.3
    """
    if directed:
        return 0.132 * (core_coil_kg + tank_kg) + 0.580 * oil_kg
    return 0.132 * core_coil_kg + 0.0882 * tank_kg + 0.400 * oil_kg


def oil_time_constant_h(capacity_wh_per_k: float, top_oil_rise_k: float, loss_w: float) -> float:
    """Return the top-oil time constant at rated load [h].

    Parameters
    ----------
    capacity_wh_per_k : float
        Heat capacity [Wh/K].
    top_oil_rise_k : float
        Rated top-oil rise over ambient [K].
    loss_w : float
        Total loss at rated load [W].

    Raises
    ------
    InputError
        If the loss is not above zero.
    """
    if not loss_w > 0.0:
        message = f"total loss of {loss_w} W: a time constant needs a loss above 0"
        raise InputError(message)
    return capacity_wh_per_k * top_oil_rise_k / loss_w
