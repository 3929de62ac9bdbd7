"""What a hosting scan is asked, what one draw of it found, and what the whole scan tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.records.base import Note, Shown
from gridimpact.records.network import Network

LIMIT_KINDS = (
    "voltage",
    "unbalance",
    "line_loading",
    "transformer_loading",
    "hot_spot",
    "ageing",
    "connection",
    "service",
    "export",
    "power_flow",
)
"""Kinds of limit a scan counts; kind k is bit k of a mask of broken limits."""

LIMIT_BIT: Mapping[str, int] = MappingProxyType({k: 1 << i for i, k in enumerate(LIMIT_KINDS)})
"""Mask of each kind of limit."""

SCENARIO_DTYPE = np.dtype(
    [
        ("draw", "i4"),
        ("strategy", "i2"),
        ("cars", "i4"),
        ("refined", "i1"),
        ("broken", "u2"),
        ("broken_any", "u2"),
        ("voltage_margin_pu", "f8"),
        ("voltage_bus", "i4"),
        ("vm_min_pu", "f8"),
        ("vm_max_pu", "f8"),
        ("unbalance_percent", "f8"),
        ("unbalance_bus", "i4"),
        ("line_percent", "f8"),
        ("line", "i4"),
        ("line_mean_percent", "f8"),
        ("transformer_percent", "f8"),
        ("transformer", "i4"),
        ("transformer_mean_percent", "f8"),
        ("hot_spot_c", "f8"),
        ("ageing_equivalent", "f8"),
        ("fuse_percent", "f8"),
        ("site", "i4"),
        ("unmet_kwh", "f8"),
        ("unmet_percent", "f8"),
        ("below_target_percent", "f8"),
        ("export_percent", "f8"),
        ("charged_kwh", "f8"),
        ("fed_kwh", "f8"),
        ("failed_lanes", "i4"),
    ]
)
"""One scenario: a strategy at a number of cars in one draw.

``strategy`` is a position in the scan's rows; ``refined`` 1 where the scenario was added between two levels.
``broken`` is the mask of limits that count under the scan's rule on what was there before, ``broken_any`` of all
violations there are. ``voltage_margin_pu`` is the least distance of a judged voltage to its bound, negative
outside. Elements are positions on the grid's axes, -1 where none: of those whose violation counts the furthest, where
none counts the one of the value beside it; values are NaN where not assessed.
``transformer_percent`` is the highest loading, ``export_percent`` the highest power fed upward over a
transformer's rating, ``unmet_percent`` energy missing at departures over energy asked for, less that of
uncontrolled charging in the same scenario.
"""

FEEDER_DTYPE = np.dtype(
    [("feeder", "i4"), ("broken", "u2"), ("voltage_margin_pu", "f4"), ("line_percent", "f4")]
)
"""One feeder in one scenario, as `SCENARIO_DTYPE`; ``feeder`` as `Grid.bus_feeder`."""

METHODS = ("stochastic", "time_series", "nodal", "uniform")
PREEXISTING = ("worse", "ignore", "count")


@dataclass(frozen=True)
class ScanSettings:
    """What a scan of car numbers is asked; strategies and network stand in the study beside it.

    Attributes
    ----------
    cars : tuple of int
        Numbers of private cars at which every draw is solved, rising.
    labels : tuple of str
        Rows that are solved, by position in `SCENARIO_DTYPE.strategy`.
    managed : mapping of str to str
        Row that shows each strategy with its control working.
    firm : mapping of str to str
        Row that shows each strategy with control lost.
    days : str or tuple of str
        As `gridimpact.study.segments.choose_segments`, or "random_day" or "random_week": one of the year by draw.
    behaviour : str or mapping
        "resample": each car of a draw is one of the study's, drawn with replacement; "given": the study's cars in
        their order; a mapping: arguments of `synthesize_fleet`, made anew by draw.
    placement : str
        "draw" or "given" (the study's own sites, in the order of its cars).
    phases : str
        As `gridimpact.study.place`, drawn anew by draw where "allocate".
    preexisting : str
        "worse": what was violated without cars counts only where it gets worse; "ignore": elements that were
        violated without cars never count; "count": everything counts.
    limits : tuple of str
        Kinds that count, of `LIMIT_KINDS`; "power_flow" always does.
    unmet_percent : float or None
        Limit on `unmet_percent` of a scenario; None does not judge service.
    export_percent : float or None
        Limit on `export_percent` of a scenario; None does not judge export.
    refine : bool
        Whether each draw is solved at further numbers of cars until its own capacity is known to one car, under
        all limits together and under each that is broken alone.
    risk, confidence : float
        Share of draws that may violate, and the confidence of intervals.
    precision_cars : float
        Draws are added until every managed strategy's interval is at most this wide.
    draws : tuple of int
        Least and most draws.
    seed : int
        Of every draw.
    """

    cars: tuple[int, ...]
    labels: tuple[str, ...]
    managed: Mapping[str, str]
    firm: Mapping[str, str]
    days: str | tuple[str, ...] = "design"
    behaviour: str | Mapping[str, Any] = "resample"
    placement: str = "draw"
    phases: str = "allocate"
    preexisting: str = "worse"
    limits: tuple[str, ...] = LIMIT_KINDS
    unmet_percent: float | None = 1.0
    export_percent: float | None = None
    refine: bool = True
    risk: float = 0.05
    confidence: float = 0.95
    precision_cars: float = 6.0
    draws: tuple[int, int] = (200, 1000)
    seed: int = 0


@dataclass(frozen=True)
class DrawOutcome:
    """What one draw found under every strategy; `error` says why where it could not be solved."""

    draw: int
    rows: NDArray[Any]
    """(scenario,) of `SCENARIO_DTYPE`, sorted by strategy and cars."""
    feeders: NDArray[Any]
    """(scenario, feeder) of `FEEDER_DTYPE`."""
    sessions_sha256: str = ""
    """Hash of the sessions, sites and phases drawn."""
    error: str = ""


CAPACITY_COLUMNS = (
    "strategy",
    "control",
    "limit",
    "first_violation",
    "at_risk",
    "low",
    "high",
    "reached",
    "last_passing",
    "draws",
    "draws_failed",
    "reversals",
    "binding",
    "binding_percent",
    "binding_element",
)
"""Columns of `ScanResult.capacity`: one row by strategy, control ("managed", "firm") and limit ("all", then each
kind alone). ``first_violation`` is the lowest number of cars at which any draw violates, ``at_risk`` the highest
at which at most the share `risk` of draws does, ``low`` and ``high`` its interval, ``last_passing`` the highest at
which any draw still passes; NaN where no draw ever violates within the numbers scanned, `reached` False where the
capacity at risk lies at or beyond the highest number. ``reversals`` counts draws in which more cars pass
after fewer fail. ``binding`` is the limit that binds most often, in ``binding_percent`` of draws that bind."""

RISK_COLUMNS = ("strategy", "limit", "cars", "draws", "violated", "probability", "low", "high")
"""Columns of `ScanResult.risk`: share of draws that violate at each level, with its interval."""

BINDING_COLUMNS = ("strategy", "limit", "element", "name", "feeder", "draws", "percent")
"""Columns of `ScanResult.binding`: what breaks first, by draw; ``element`` is the pandapower index."""

FEEDER_COLUMNS = ("strategy", "feeder", "transformer", "cars", "limit", "probability", "colour")
"""Columns of `ScanResult.feeders`: green without any violation, yellow up to the risk, red above."""

NODAL_COLUMNS = (
    "site_id",
    "bus",
    "name",
    "phases",
    "feeder",
    "distance_m",
    "direction",
    "capacity_kw",
    "cars",
    "reached",
    "binding",
    "binding_element",
    "x",
    "y",
)
"""Columns of `ScanResult.nodal`: one row by connection and direction ("import", "export")."""

UNIFORM_COLUMNS = ("direction", "capacity_kw", "reached", "binding", "binding_element", "name")
"""Columns of `ScanResult.uniform`: power per customer at once until the first violation."""


MITIGATION_COLUMNS = (
    "step",
    "measure",
    "detail",
    "cost_eur",
    "at_risk",
    "low",
    "high",
    "reached",
    "gained",
    "eur_per_car",
    "binding",
    "binding_element",
    "draws",
)
"""Columns of `ScanResult.mitigation`: one row by measure ("as it is", "managed", "tap", "transformer", "cable",
"phase_balancing", "volt_var"), the cheapest gained car first within each step; step 0 is the network as it is. Where
`reached` is False, `gained` is a lower bound and `eur_per_car` an upper one."""


def _no_table() -> pd.DataFrame:
    return pd.DataFrame()


@dataclass(frozen=True)
class ScanResult(Shown):
    """Everything a report of a hosting scan may show; tables that were not asked for are empty."""

    name: str
    method: str
    network: Network
    settings: Mapping[str, Any]
    """As plain data."""
    homes: int
    capacity: pd.DataFrame = field(default_factory=_no_table)
    risk: pd.DataFrame = field(default_factory=_no_table)
    binding: pd.DataFrame = field(default_factory=_no_table)
    feeders: pd.DataFrame = field(default_factory=_no_table)
    pairs: pd.DataFrame = field(default_factory=_no_table)
    """Capacity of each strategy less that of uncontrolled charging in the same draw."""
    scenarios: pd.DataFrame = field(default_factory=_no_table)
    """Columns of `SCENARIO_DTYPE`, strategies by label and masks as text."""
    draws: pd.DataFrame = field(default_factory=_no_table)
    """``draw status days sessions_sha256 error``."""
    nodal: pd.DataFrame = field(default_factory=_no_table)
    uniform: pd.DataFrame = field(default_factory=_no_table)
    mitigation: pd.DataFrame = field(default_factory=_no_table)
    base: Mapping[str, Any] = field(default_factory=dict)
    """What is violated without added cars, by kind of limit: number of elements."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
