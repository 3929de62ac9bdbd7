"""The frozen records that pass between rooms; they hold data and no logic.

Axis order is ``(scenario, time, element[, phase])``. Power is in kW at the meter: positive draws
from the grid, negative feeds back; limits are magnitudes. Arrays are not to be written to.
"""

from gridimpact.records.base import BoolArray, ComplexArray, FloatArray, IntArray, Note, Shown
from gridimpact.records.inputs import Ambient, Fleet, Profiles, Tariff
from gridimpact.records.network import Admittance, Grid, Network, PhaseModel, TapControl
from gridimpact.records.planning import Batteries, Dispatch, PlanRequest, ServiceFigure, Stays
from gridimpact.records.results import (
    Assessment,
    FlowResult,
    Injections,
    StudyResult,
    VoltVar,
)

__all__ = [
    "Admittance",
    "Ambient",
    "Assessment",
    "Batteries",
    "BoolArray",
    "ComplexArray",
    "Dispatch",
    "Fleet",
    "FloatArray",
    "FlowResult",
    "Grid",
    "Injections",
    "IntArray",
    "Network",
    "Note",
    "PhaseModel",
    "PlanRequest",
    "Profiles",
    "ServiceFigure",
    "Shown",
    "Stays",
    "StudyResult",
    "TapControl",
    "Tariff",
    "VoltVar",
]
