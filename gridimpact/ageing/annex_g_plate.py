"""What Annex G of IEEE C57.91 must know of each transformer: a test report, not a nameplate."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from gridimpact.ageing.insulation import insulation_named
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import FloatArray


class Cooling(NamedTuple):
    """Exponents of one cooling mode, and how its oil flows."""

    x: float
    """Of the oil's rise in the ducts."""
    y: float
    """Of the average oil rise in the tank."""
    z: float
    """Of the difference between top and bottom of the tank."""
    directed: bool
    """Oil is pumped through the windings: their loss grows linearly with the rise."""
    pumped: bool
    """Oil at the top of the ducts at rating is as warm as the average winding."""


COOLINGS: Mapping[str, Cooling] = MappingProxyType(
    {
        "ONAN": Cooling(0.5, 0.8, 0.5, False, False),
        "ONAF": Cooling(0.5, 0.9, 0.5, False, False),
        "OFAF": Cooling(0.5, 0.9, 1.0, False, True),
        "OFWF": Cooling(0.5, 0.9, 1.0, False, True),
        "ODAF": Cooling(1.0, 1.0, 1.0, True, False),
        "ODWF": Cooling(1.0, 1.0, 1.0, True, False),
    }
)
"""Exponents by cooling code (IEEE C57.91-2011, table G.2)."""

CONDUCTORS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"copper": (234.5, 2.91), "aluminium": (225.0, 6.798)}
)
"""Temperature of zero resistance below 0 degC [K] and specific heat [W min/(lb K)]."""


class Fluid(NamedTuple):
    """An insulating liquid: viscosity ``d exp(g / (T + 273))`` [cP], specific heat and weight."""

    d: float
    g: float
    heat: float
    """[W min/(lb K)]"""
    lb_per_gallon: float


_OIL_LB = 231.0 * 0.031621
FLUIDS: Mapping[str, Fluid] = MappingProxyType(
    {
        "mineral_oil": Fluid(0.0013573, 2797.3, 13.92, _OIL_LB),
        "silicone": Fluid(0.12127, 1782.3, 11.49, 231.0 * 0.0347),
        "hthc": Fluid(7.343e-5, 4434.7, 14.55, 231.0 * 0.0311),
    }
)
"""Insulating liquids of the annex by name; ``hthc`` is high-temperature hydrocarbon."""

STEEL_HEAT = 3.51
"""Specific heat of core and tank [W min/(lb K)]."""
LB_PER_KG = 1.0 / 0.45359237
GALLONS_PER_L = 1.0 / 3.785411784


@dataclass(frozen=True)
class AnnexGPlate:
    """One transformer as its test report describes it.

    Attributes
    ----------
    cooling : str
        A name of `COOLINGS`, of the stage the rating belongs to.
    rated_kva : float
        Rating that a loading of 1 pu means, and that the rises belong to [kVA].
    loss_kva : float
        Power at which the losses were measured [kVA].
    loss_temp_c : float
        Temperature they are stated for [degC].
    winding_loss_w, winding_eddy_loss_w, stray_loss_w, core_loss_w : float
        I2R, eddy in windings, other stray, and core loss [W].
    winding_rise_rated_k : float
        Guaranteed average winding rise: 55 or 65 [K].
    winding_rise_k, hot_spot_rise_k, top_oil_rise_k, bottom_oil_rise_k : float
        Tested rises over ambient at `rated_kva` [K].
    core_coil_kg, tank_kg : float
        Weights of core with coils and of the tank with fittings [kg].
    oil_l : float
        Volume of the liquid [l].
    rated_ambient_c : float
        Ambient of the rises [degC].
    conductor, fluid : str
        Names of `CONDUCTORS` and `FLUIDS`.
    hot_spot_eddy_pu : float
        Eddy loss at the hot spot over the I2R loss there [pu].
    tau_winding_min : float
        Time constant of the winding [min].
    hot_spot_height_pu : float
        Height of the hot spot over that of the winding [pu].
    enclosure_rise : float
        Air around the tank over outdoor air [K].
    paper : str
        Ageing law, a name of `gridimpact.ageing.INSULATIONS`.

    Raises
    ------
    InputError
        If a value is outside its range or a name unknown; all problems at once.
    """

    cooling: str
    rated_kva: float
    loss_kva: float
    loss_temp_c: float
    winding_loss_w: float
    winding_eddy_loss_w: float
    stray_loss_w: float
    core_loss_w: float
    winding_rise_rated_k: float
    winding_rise_k: float
    hot_spot_rise_k: float
    top_oil_rise_k: float
    bottom_oil_rise_k: float
    core_coil_kg: float
    tank_kg: float
    oil_l: float
    rated_ambient_c: float = 30.0
    conductor: str = "copper"
    fluid: str = "mineral_oil"
    hot_spot_eddy_pu: float = 0.0
    tau_winding_min: float = 5.0
    hot_spot_height_pu: float = 1.0
    enclosure_rise: float = 0.0
    paper: str = "upgraded"

    def __post_init__(self) -> None:
        """Check names and ranges."""
        problems: list[Problem] = []
        for name, known in (("cooling", COOLINGS), ("conductor", CONDUCTORS), ("fluid", FLUIDS)):
            if getattr(self, name) not in known:
                what = f"is {getattr(self, name)!r}"
                problems.append(Problem(f"Annex G {name}", what, f"use one of {', '.join(known)}"))
        may_be_zero = ("winding_eddy_loss_w", "stray_loss_w", "hot_spot_eddy_pu", "enclosure_rise")
        for name, value in self._numbers().items():
            low = -50.0 if name == "rated_ambient_c" else 0.0
            if not np.isfinite(value) or value < low or (value == 0.0 and name not in may_be_zero):
                problems.append(
                    Problem(f"Annex G {name}", f"is {value}, must be finite and positive")
                )
        rising = ("bottom_oil_rise_k", "top_oil_rise_k", "hot_spot_rise_k")
        for lower, upper in itertools.pairwise(rising):
            if not getattr(self, lower) < getattr(self, upper):
                what = f"is {getattr(self, lower)} K, not below {upper} of {getattr(self, upper)} K"
                problems.append(Problem(f"Annex G {lower}", what, "give rises over ambient"))
        if not self.winding_rise_k > 0.5 * (self.top_oil_rise_k + self.bottom_oil_rise_k):
            what = f"is {self.winding_rise_k} K, not above the mean oil rise"
            problems.append(Problem("Annex G winding_rise_k", what, "give the rise over ambient"))
        raise_problems(problems, "thermal model")
        insulation_named(self.paper)

    def _numbers(self) -> dict[str, float]:
        return {n: v for n, v in vars(self).items() if isinstance(v, int | float)}

    @property
    def insulation(self) -> tuple[str, ...]:
        """Ageing law, as one transformer."""
        return (self.paper,)

    @property
    def enclosure_rise_k(self) -> FloatArray:
        """(1,) air around the tank over outdoor air [K]."""
        return np.array([self.enclosure_rise])

    @cached_property
    def rated(self) -> RatedPoint:
        """Temperatures and losses at rating, and what stores heat."""
        cooling, air = COOLINGS[self.cooling], self.rated_ambient_c
        zero, heat = CONDUCTORS[self.conductor]
        fluid = FLUIDS[self.fluid]
        winding = air + self.winding_rise_rated_k
        square = (self.rated_kva / self.loss_kva) ** 2
        warmth = (zero + winding) / (zero + self.loss_temp_c)
        copper, eddy = (
            self.winding_loss_w * square * warmth,
            self.winding_eddy_loss_w * square / warmth,
        )
        stray = self.stray_loss_w * square / warmth
        top, bottom = air + self.top_oil_rise_k, air + self.bottom_oil_rise_k
        duct = winding if cooling.pumped else top
        mean_duct = 0.5 * (duct + bottom)
        winding_heat = (
            (copper + eddy) * self.tau_winding_min / (air + self.winding_rise_k - mean_duct)
        )
        steel_lb = (self.core_coil_kg + self.tank_kg) * LB_PER_KG - winding_heat / heat
        oil_lb = self.oil_l * GALLONS_PER_L * fluid.lb_per_gallon
        hot_spot = air + self.hot_spot_rise_k
        hot_loss = copper * (hot_spot + zero) / (winding + zero)
        return RatedPoint(
            zero=zero,
            air=air,
            winding_rated=winding,
            winding=air + self.winding_rise_k,
            hot_spot=hot_spot,
            top=top,
            bottom=bottom,
            duct=duct,
            beside=bottom + self.hot_spot_height_pu * (duct - bottom),
            copper_w=copper,
            eddy_w=eddy,
            stray_w=stray,
            core_w=self.core_loss_w,
            hot_copper_w=hot_loss,
            hot_eddy_w=self.hot_spot_eddy_pu * hot_loss,
            winding_heat=winding_heat,
            tank_heat=STEEL_HEAT * steel_lb + fluid.heat * oil_lb,
            viscosity_g=fluid.g,
            height=self.hot_spot_height_pu,
            x=cooling.x,
            y=cooling.y,
            z=cooling.z,
            directed=float(cooling.directed),
        )

    def replaced(self, **changes: Any) -> AnnexGPlate:
        """Return the transformer with some values changed."""
        return AnnexGPlate(**(vars_of(self) | changes))


def vars_of(plate: AnnexGPlate) -> dict[str, Any]:
    """Return the settings of a plate, without what is worked out from them."""
    return {name: getattr(plate, name) for name in AnnexGPlate.__dataclass_fields__}


class RatedPoint(NamedTuple):
    """Temperatures [degC], losses [W] and heat capacities [W min/K] at rating, as the recursion takes them."""

    zero: float
    air: float
    winding_rated: float
    winding: float
    hot_spot: float
    top: float
    bottom: float
    duct: float
    beside: float
    """Oil beside the hot spot."""
    copper_w: float
    eddy_w: float
    stray_w: float
    core_w: float
    hot_copper_w: float
    hot_eddy_w: float
    winding_heat: float
    tank_heat: float
    viscosity_g: float
    height: float
    x: float
    y: float
    z: float
    directed: float
