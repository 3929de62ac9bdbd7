"""Hours over the normal and emergency limits of a loading guide, and where temperatures mean little.

A limit of a guide is passed where hot spot, top oil or load is above it, as in
`gridimpact.ageing.summary`. Transformers up to 2.5 MVA are judged as distribution transformers, as in
table 2 of IEC 60076-7:2018, larger ones as power transformers; the same border beside IEEE C57.91 is an own
choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridimpact.ageing import FREE_BUBBLE_C, LoadingGuide, loading_guide
from gridimpact.assess.context import AssessContext
from gridimpact.assess.running import add_counts
from gridimpact.records import BoolArray, FloatArray, IntArray

LEVELS = ("normal", "planned", "long_time_emergency", "short_time_emergency")
"""Kinds of loading, mildest first; a guide need not have all."""
DISTRIBUTION_MAX_KVA = 2_500.0
_LEVEL_OF = {
    "normal": "normal",
    "normal_cyclic": "normal",
    "planned_beyond_nameplate": "planned",
    "long_time_emergency": "long_time_emergency",
    "short_time_emergency": "short_time_emergency",
}
_KINDS = {
    "iec": ("iec_distribution", "iec_medium_power"),
    "ieee": ("ieee_distribution", "ieee_power"),
}


@dataclass(frozen=True)
class GuideFindings:
    """Steps over the limits of each transformer's guide."""

    names: tuple[str, ...]
    """(transformer,) guide."""
    given: BoolArray
    """(level, transformer) whether the guide has this limit."""
    steps_over: IntArray
    """(level, scenario, transformer)"""
    steps_bubble: IntArray
    """(scenario, transformer) steps with a hot spot at which free gas may form."""
    steps_outside: IntArray
    """(scenario, transformer) steps with a load beyond the range of the model."""


class GuideCounter:
    """Counts steps over the limits of the loading guide each transformer falls under."""

    def __init__(self, context: AssessContext) -> None:
        family = _KINDS[context.limits.loading_guide]
        rating = np.asarray(context.grid.transformer_sn_kva)
        self.names = tuple(family[int(kva > DISTRIBUTION_MAX_KVA)] for kva in rating)
        guides = [loading_guide(name) for name in self.names]
        self.hot = _limits(guides, "hot_spot_c")
        self.oil = _limits(guides, "top_oil_c")
        self.load = _limits(guides, "loading_pu")
        self.highest = np.array([guide.highest_loading_pu for guide in guides])
        self.over: list[IntArray | None] = [None] * len(LEVELS)
        self.bubble: IntArray | None = None
        self.outside: IntArray | None = None

    def update(self, hot: FloatArray, oil: FloatArray, loading_percent: FloatArray) -> None:
        """Take in (scenario, time, transformer) values, NaN where not known or not counted.

        `loading_percent` may have length zero on its last axis, where loads are not known.
        """
        load = loading_percent / 100.0 if loading_percent.shape[2] else np.full(hot.shape, np.nan)
        load = np.where(np.isnan(hot), np.nan, load)
        for k in range(len(LEVELS)):
            passed = (hot > self.hot[k]) | (oil > self.oil[k]) | (load > self.load[k])
            self.over[k] = add_counts(self.over[k], passed)
        self.bubble = add_counts(self.bubble, hot > FREE_BUBBLE_C)
        self.outside = add_counts(self.outside, load > self.highest)

    def finish(self) -> GuideFindings:
        """Return the counts."""
        none = np.zeros((1, len(self.names)), dtype=np.int64)
        return GuideFindings(
            names=self.names,
            given=~np.isnan(self.hot),
            steps_over=np.stack([none if part is None else part for part in self.over]),
            steps_bubble=none if self.bubble is None else self.bubble,
            steps_outside=none if self.outside is None else self.outside,
        )


def _limits(guides: Sequence[LoadingGuide], field: str) -> FloatArray:
    """Return one limit of every guide, (level, transformer), NaN where it has none."""
    found = np.full((len(LEVELS), len(guides)), np.nan)
    for place, guide in enumerate(guides):
        for limit in guide.limits:
            found[LEVELS.index(_LEVEL_OF[limit.name]), place] = getattr(limit, field)
    return found
