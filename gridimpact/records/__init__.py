"""The frozen records that pass between rooms; they hold data and no logic.

Axis order is ``(scenario, time, element[, phase])``. Power is in kW at the meter: positive draws
from the grid, negative feeds back; limits are magnitudes. Arrays are not to be written to.
"""

from gridimpact.records.base import BoolArray, ComplexArray, FloatArray, IntArray, Note, Shown
from gridimpact.records.hosting import (
    BINDING_COLUMNS,
    CAPACITY_COLUMNS,
    FEEDER_COLUMNS,
    FEEDER_DTYPE,
    LIMIT_BIT,
    LIMIT_KINDS,
    METHODS,
    MITIGATION_COLUMNS,
    NODAL_COLUMNS,
    PREEXISTING,
    RISK_COLUMNS,
    SCENARIO_DTYPE,
    UNIFORM_COLUMNS,
    DrawOutcome,
    ScanResult,
    ScanSettings,
)
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
    "BINDING_COLUMNS",
    "CAPACITY_COLUMNS",
    "FEEDER_COLUMNS",
    "FEEDER_DTYPE",
    "LIMIT_BIT",
    "LIMIT_KINDS",
    "METHODS",
    "MITIGATION_COLUMNS",
    "NODAL_COLUMNS",
    "PREEXISTING",
    "RISK_COLUMNS",
    "SCENARIO_DTYPE",
    "UNIFORM_COLUMNS",
    "Admittance",
    "Ambient",
    "Assessment",
    "Batteries",
    "BoolArray",
    "ComplexArray",
    "Dispatch",
    "DrawOutcome",
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
    "ScanResult",
    "ScanSettings",
    "ServiceFigure",
    "Shown",
    "Stays",
    "StudyResult",
    "TapControl",
    "Tariff",
    "VoltVar",
]
