"""Temperatures and loads that loading guides allow, by kind of transformer and of loading."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gridimpact.errors import InputError

FREE_BUBBLE_C = 140.0
"""Hot spot above which free gas may form in paper of usual dryness [degC] (IEEE C57.91-2011, 8.2.3 and
IEC 60076-7:2018, 5.3); wetter paper bubbles earlier."""


@dataclass(frozen=True, slots=True)
class LoadingLimit:
    """What one kind of loading may reach."""

    name: str
    hot_spot_c: float
    top_oil_c: float
    loading_pu: float
    """Highest current over rated current."""


@dataclass(frozen=True, slots=True)
class LoadingGuide:
    """Limits of one standard for one kind of transformer, mildest first."""

    name: str
    source: str
    limits: tuple[LoadingLimit, ...]

    @property
    def highest_loading_pu(self) -> float:
        """Loading beyond which the standard's models are not to be trusted [pu]."""
        return max(limit.loading_pu for limit in self.limits)


_GUIDES = (
    LoadingGuide(
        "ieee_distribution",
        "IEEE C57.91-2011, table 8: distribution transformers, 65 K average winding rise",
        (
            LoadingLimit("normal", 120.0, 105.0, 2.0),
            LoadingLimit("short_time_emergency", 200.0, 120.0, 3.0),
        ),
    ),
    LoadingGuide(
        "ieee_power",
        "IEEE C57.91-2011, table 9: power transformers, 65 K average winding rise",
        (
            LoadingLimit("normal", 120.0, 105.0, 2.0),
            LoadingLimit("planned_beyond_nameplate", 130.0, 110.0, 2.0),
            LoadingLimit("long_time_emergency", 140.0, 110.0, 2.0),
            LoadingLimit("short_time_emergency", 180.0, 110.0, 2.0),
        ),
    ),
    LoadingGuide(
        "iec_distribution",
        "IEC 60076-7:2018, table 2: distribution transformers up to 2.5 MVA",
        (
            LoadingLimit("normal_cyclic", 120.0, 105.0, 1.5),
            LoadingLimit("long_time_emergency", 140.0, 115.0, 1.8),
            LoadingLimit("short_time_emergency", 160.0, 115.0, 2.0),
        ),
    ),
    LoadingGuide(
        "iec_medium_power",
        "IEC 60076-7:2018, table 2: power transformers up to 100 MVA",
        (
            LoadingLimit("normal_cyclic", 120.0, 105.0, 1.5),
            LoadingLimit("long_time_emergency", 140.0, 115.0, 1.5),
            LoadingLimit("short_time_emergency", 160.0, 115.0, 1.8),
        ),
    ),
)

LOADING_GUIDES: Mapping[str, LoadingGuide] = MappingProxyType({g.name: g for g in _GUIDES})
"""Guides by name."""


def loading_guide(name: str) -> LoadingGuide:
    """Return a guide by name, offering the nearest known one if unknown.

    Examples
    --------
    >>> loading_guide("ieee_power").limits[0].hot_spot_c
    120.0
    """
    if name in LOADING_GUIDES:
        return LOADING_GUIDES[name]
    near = difflib.get_close_matches(name, LOADING_GUIDES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    message = f"loading guide {name!r} is unknown, known are {', '.join(LOADING_GUIDES)}{hint}"
    raise InputError(message)
