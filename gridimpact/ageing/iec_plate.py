"""What IEC 60076-7 must know of each transformer, with the standard's classes of cooling."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from types import MappingProxyType

import numpy as np

from gridimpact.ageing.insulation import insulation_named
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.records import FloatArray


@dataclass(frozen=True, slots=True)
class CoolingClass:
    """Thermal characteristics of one class of transformers (IEC 60076-7:2018, table 4)."""

    name: str
    top_oil_rise_k: float
    gradient_k: float
    """Hot-spot factor times average winding gradient."""
    exponent_x: float
    exponent_y: float
    tau_oil_h: float
    tau_winding_h: float
    loss_ratio: float
    k11: float
    k21: float
    k22: float


def _minutes(value: float) -> float:
    return value / 60.0


_CLASSES = (
    CoolingClass(
        "distribution_onan", 55.0, 23.0, 0.8, 1.6, _minutes(180), _minutes(4), 5.0, 1.0, 1.0, 2.0
    ),
    CoolingClass("onan", 52.0, 26.0, 0.8, 1.3, _minutes(210), _minutes(10), 6.0, 0.5, 2.0, 2.0),
    CoolingClass(
        "onan_restricted", 52.0, 26.0, 0.8, 1.3, _minutes(210), _minutes(10), 6.0, 0.5, 3.0, 2.0
    ),
    CoolingClass("onaf", 52.0, 26.0, 0.8, 1.3, _minutes(150), _minutes(7), 6.0, 0.5, 2.0, 2.0),
    CoolingClass(
        "onaf_restricted", 52.0, 26.0, 0.8, 1.3, _minutes(150), _minutes(7), 6.0, 0.5, 3.0, 2.0
    ),
    CoolingClass("of", 56.0, 22.0, 1.0, 1.3, _minutes(90), _minutes(7), 6.0, 1.0, 1.3, 1.0),
    CoolingClass(
        "of_restricted", 56.0, 22.0, 1.0, 1.3, _minutes(90), _minutes(7), 6.0, 1.0, 1.45, 1.0
    ),
    CoolingClass("od", 49.0, 29.0, 1.0, 2.0, _minutes(90), _minutes(7), 6.0, 1.0, 1.0, 1.0),
)

COOLING_CLASSES: Mapping[str, CoolingClass] = MappingProxyType({c.name: c for c in _CLASSES})
"""Classes by name: distribution and power transformers by cooling, ``restricted`` with zigzag oil flow."""


def cooling_class(name: str) -> CoolingClass:
    """Return a class by name, offering the nearest known one if unknown."""
    if name in COOLING_CLASSES:
        return COOLING_CLASSES[name]
    near = difflib.get_close_matches(name, COOLING_CLASSES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    message = f"cooling class {name!r} is unknown, known are {', '.join(COOLING_CLASSES)}{hint}"
    raise InputError(message)


@dataclass(frozen=True)
class IecPlate:
    """Thermal data of every transformer, arrays over (transformer,).

    Attributes
    ----------
    top_oil_rise_k : numpy.ndarray
        Rated top-oil rise over ambient [K].
    gradient_k : numpy.ndarray
        Rated hot spot over top oil, H times g [K].
    exponent_x, exponent_y : numpy.ndarray
        Exponents of oil rise and winding gradient [1].
    tau_oil_h, tau_winding_h : numpy.ndarray
        Time constants [h].
    loss_ratio : numpy.ndarray
        Load loss over no-load loss at rating [1].
    k11, k21, k22 : numpy.ndarray
        Constants of the standard [1].
    enclosure_rise_k : numpy.ndarray
        Air around the tank over outdoor air [K].
    insulation : tuple of str
        Ageing laws, names of `gridimpact.ageing.INSULATIONS`.

    Raises
    ------
    InputError
        If arrays differ in length or hold values outside their range; all problems at once.
    """

    top_oil_rise_k: FloatArray
    gradient_k: FloatArray
    exponent_x: FloatArray
    exponent_y: FloatArray
    tau_oil_h: FloatArray
    tau_winding_h: FloatArray
    loss_ratio: FloatArray
    k11: FloatArray
    k21: FloatArray
    k22: FloatArray
    enclosure_rise_k: FloatArray
    insulation: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check lengths, ranges and names."""
        count = len(self.insulation)
        problems = []
        for item in fields(self):
            if item.name == "insulation":
                continue
            values = np.asarray(getattr(self, item.name), dtype=np.float64)
            least = 1.0 if item.name == "k21" else 0.0
            if values.shape != (count,):
                what = f"has shape {values.shape}, ({count},) expected"
                problems.append(Problem(f"IEC plate {item.name}", what))
                continue
            good = np.isfinite(values) & (values >= least)
            if item.name not in ("enclosure_rise_k", "k21"):
                good &= values > 0.0
            for k in np.flatnonzero(~good):
                what = f"is {values[k]}, must be finite and {'at least 1' if least else 'positive'}"
                problems.append(Problem(f"IEC plate {item.name}, transformer {k}", what))
        raise_problems(problems, "thermal model")
        for name in dict.fromkeys(self.insulation):
            insulation_named(name)

    @cached_property
    def packed(self) -> FloatArray:
        """(transformer, 10) the numbers the recursion needs, in its order."""
        names = [item.name for item in fields(self)][:10]
        return np.ascontiguousarray(np.stack([getattr(self, n) for n in names], axis=1))

    @classmethod
    def preset(
        cls,
        name: str = "distribution_onan",
        count: int = 1,
        *,
        insulation: str = "non_upgraded",
        loss_ratio: float | None = None,
    ) -> IecPlate:
        """Return `count` equal transformers of a cooling class, in free air.

        Examples
        --------
        >>> plate = IecPlate.preset()
        >>> float(20.0 + plate.top_oil_rise_k[0] + plate.gradient_k[0])
        98.0
        """
        chosen = cooling_class(name)
        columns = {
            item.name: np.full(count, getattr(chosen, item.name))
            for item in fields(CoolingClass)
            if item.name != "name"
        }
        if loss_ratio is not None:
            columns["loss_ratio"] = np.full(count, loss_ratio)
        return cls(**columns, enclosure_rise_k=np.zeros(count), insulation=(insulation,) * count)


def iec_plate_of(plate: Nameplate, name: str = "distribution_onan") -> IecPlate:
    """Return the IEC data of transformers whose loss ratios, enclosures and papers are known.

    Parameters
    ----------
    plate : Nameplate
        As `gridimpact.ageing.nameplates_for` finds it.
    name : str
        Cooling class that gives everything else.
    """
    chosen = IecPlate.preset(name, len(plate.insulation))
    columns = {item.name: getattr(chosen, item.name) for item in fields(IecPlate)}
    columns |= {n: getattr(plate, n) for n in ("loss_ratio", "enclosure_rise_k", "insulation")}
    return IecPlate(**columns)
