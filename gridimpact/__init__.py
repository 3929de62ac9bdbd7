"""What electric vehicles do to a distribution network, and what changes when they charge smartly.

Daily work is three objects: `Study`, `Result` and `Scan`, with the strategy objects in `g2v`, `v2g`,
`v2h` and `v2b`. The stages of the way of the data are public functions beside them. Names are loaded when
first used, so that ``import gridimpact`` is quick.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridimpact.ageing import age_service_transformers
    from gridimpact.api import Result, Study
    from gridimpact.api_scan import Scan, hosting_capacity
    from gridimpact.assess import LimitProfile, assess, limit_profile
    from gridimpact.dispatch import (
        Mix,
        Receding,
        Uncontrolled,
        WithForecastError,
        aggregator,
        check_contract,
        g2v,
        grid_aware,
        services,
        v2b,
        v2g,
        v2h,
    )
    from gridimpact.errors import (
        FlowNotConverged,
        GridError,
        GridImpactError,
        InfeasibleDispatch,
        InputError,
        MissingExtra,
    )
    from gridimpact.fleet import join_fleets, read_sessions, synthesize_fleet
    from gridimpact.network import list_networks, open_network, with_phases, with_tap_control
    from gridimpact.powerflow import FlowOptions, injections_at, solve, volt_var_for
    from gridimpact.profiles import (
        list_profiles,
        load_ambient,
        load_tariff,
        read_profiles,
        synthesize_households,
    )
    from gridimpact.study import (
        build_requests,
        compare,
        inject,
        operating_envelopes,
        place,
        plan,
    )
    from gridimpact.timeline import Timeline

__version__ = "0.1.0"

_PLACES = {
    "gridimpact.ageing": ("age_service_transformers",),
    "gridimpact.api": ("Result", "Study"),
    "gridimpact.api_scan": ("Scan", "hosting_capacity"),
    "gridimpact.assess": ("LimitProfile", "assess", "limit_profile"),
    "gridimpact.dispatch": (
        "Mix",
        "Receding",
        "Uncontrolled",
        "WithForecastError",
        "aggregator",
        "check_contract",
        "g2v",
        "grid_aware",
        "services",
        "v2b",
        "v2g",
        "v2h",
    ),
    "gridimpact.errors": (
        "FlowNotConverged",
        "GridError",
        "GridImpactError",
        "InfeasibleDispatch",
        "InputError",
        "MissingExtra",
    ),
    "gridimpact.fleet": ("join_fleets", "read_sessions", "synthesize_fleet"),
    "gridimpact.network": ("list_networks", "open_network", "with_phases", "with_tap_control"),
    "gridimpact.powerflow": ("FlowOptions", "injections_at", "solve", "volt_var_for"),
    "gridimpact.profiles": (
        "list_profiles",
        "load_ambient",
        "load_tariff",
        "read_profiles",
        "synthesize_households",
    ),
    "gridimpact.study": (
        "build_requests",
        "compare",
        "inject",
        "operating_envelopes",
        "place",
        "plan",
    ),
    "gridimpact.timeline": ("Timeline",),
}
_HOME = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [  # noqa: RUF022 - the objects of daily work first
    "Study",
    "Result",
    "Scan",
    "Timeline",
    "FlowNotConverged",
    "FlowOptions",
    "GridError",
    "GridImpactError",
    "InfeasibleDispatch",
    "InputError",
    "LimitProfile",
    "MissingExtra",
    "Mix",
    "Receding",
    "Uncontrolled",
    "WithForecastError",
    "age_service_transformers",
    "aggregator",
    "assess",
    "build_requests",
    "check_contract",
    "compare",
    "g2v",
    "grid_aware",
    "hosting_capacity",
    "inject",
    "injections_at",
    "join_fleets",
    "limit_profile",
    "list_networks",
    "list_profiles",
    "load_ambient",
    "load_tariff",
    "open_network",
    "operating_envelopes",
    "place",
    "plan",
    "read_profiles",
    "read_sessions",
    "services",
    "solve",
    "synthesize_fleet",
    "synthesize_households",
    "v2b",
    "v2g",
    "v2h",
    "volt_var_for",
    "with_phases",
    "with_tap_control",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOME:
        message = f"module 'gridimpact' has no attribute {name!r}"
        raise AttributeError(message)
    found = getattr(import_module(_HOME[name]), name)
    _teach_records()
    return found


def _teach_records() -> None:
    """Let records show themselves in a notebook; drawing is loaded when one is shown."""
    records = sys.modules.get("gridimpact.records")
    if records is not None and records.Shown.card is None:
        records.Shown.card = staticmethod(_card)


def _card(record: Any) -> str:
    """Return the HTML card of a record."""
    words = re.findall("[A-Z][a-z]*", type(record).__name__)
    draw = getattr(import_module("gridimpact.report"), f"repr_html_{'_'.join(words).lower()}")
    return str(draw(record))


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
