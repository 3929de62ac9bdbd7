"""Results judged against limits: voltage, loading, temperature, service and money.

The package and its main function share a name: ``gridimpact.assess(...)`` calls `assess` whether
or not this package has been imported already.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from gridimpact.assess.assess import Assessor, assess
from gridimpact.assess.chunks import chunks_of
from gridimpact.assess.connections import ConnectionFindings, ConnectionReducer
from gridimpact.assess.context import AssessContext, Chunk, Reducer, SegmentResult
from gridimpact.assess.cost import CostFindings, CostReducer
from gridimpact.assess.energy import EnergyFindings, EnergyReducer
from gridimpact.assess.limits import LIMIT_PROFILES, LimitProfile, limit_profile
from gridimpact.assess.loading import LoadingFindings, LoadingReducer
from gridimpact.assess.sequence import UnbalanceFindings, UnbalanceReducer, asked_of_flow
from gridimpact.assess.service import ServiceFindings, ServiceReducer
from gridimpact.assess.transformer import ThermalFindings, ThermalReducer
from gridimpact.assess.unbalance import Verdict, unbalance_verdict
from gridimpact.assess.violations import compare_with_base
from gridimpact.assess.voltage import VoltageFindings, VoltageReducer
from gridimpact.assess.wear import WearFindings, WearReducer, wear_of_dispatch

__all__ = [
    "LIMIT_PROFILES",
    "AssessContext",
    "Assessor",
    "Chunk",
    "ConnectionFindings",
    "ConnectionReducer",
    "CostFindings",
    "CostReducer",
    "EnergyFindings",
    "EnergyReducer",
    "LimitProfile",
    "LoadingFindings",
    "LoadingReducer",
    "Reducer",
    "SegmentResult",
    "ServiceFindings",
    "ServiceReducer",
    "ThermalFindings",
    "ThermalReducer",
    "UnbalanceFindings",
    "UnbalanceReducer",
    "Verdict",
    "VoltageFindings",
    "VoltageReducer",
    "WearFindings",
    "WearReducer",
    "asked_of_flow",
    "assess",
    "chunks_of",
    "compare_with_base",
    "limit_profile",
    "unbalance_verdict",
    "wear_of_dispatch",
]


class _Room(ModuleType):
    """A module that can be called like the function it is named after."""

    __wrapped__ = staticmethod(assess)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Return `assess` of the arguments."""
        return assess(*arguments, **options)


sys.modules[__name__].__class__ = _Room
