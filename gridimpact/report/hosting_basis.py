"""What a capacity rests on, in words: draws, risk, confidence, ends not known, limits not assessed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from gridimpact.hosting.stopping import planned_looks
from gridimpact.records import LIMIT_KINDS, ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.findings import plural

OPEN_WORDS = "?: not known upward, more draws or higher numbers of cars would tell"
"""What an interval without a high end means."""

_PROFILE: Mapping[str, tuple[str, ...]] = {
    "unbalance": ("unbalance_percent",),
    "line_loading": ("line_loading_percent", "line_mean_percent"),
    "transformer_loading": ("transformer_loading_percent", "transformer_mean_percent"),
    "hot_spot": ("hot_spot_c",),
    "ageing": ("ageing_equivalent",),
    "connection": ("single_phase_kva", "fuse_percent"),
}
"""Numbers of a limit profile that set a limit of each kind."""
_REASON = re.compile(r"not assessed in full: (.*); it may fail")
_SHORTER: tuple[tuple[str, str], ...] = (
    ("no whole week", "needs a whole week"),
    ("the limit is for a year", "needs a year"),
)
"""Beginnings of reasons with what would be needed."""


def confidence_percent(result: ScanResult) -> float:
    """Return the confidence of intervals [%]."""
    return 100.0 * float(result.settings.get("confidence", 0.95))


def draws_for_low_end(result: ScanResult) -> int:
    """Return the least number of draws whose interval has a low end, 0 where no number of draws gives one.

    Notes
    -----
    The lowest of N draws bounds the quantile from below where ``(1 - risk)^N`` is at most the tail of a look
    (`gridimpact.hosting.intervals.quantile_ranks`): 72 draws at 5 % risk and 95 %, looked at once.
    """
    risk = view.risk_percent(result) / 100.0
    asked = result.settings.get("draws")
    looks = 1
    if isinstance(asked, Sequence) and len(asked) == 2:
        looks = len(planned_looks((int(asked[0]), int(asked[1]))))
    tail = 0.5 * (1.0 - confidence_percent(result) / 100.0) / looks
    if not (0.0 < risk < 1.0 and 0.0 < tail < 1.0):
        return 0
    return math.ceil(math.log(tail) / math.log1p(-risk) - 1e-9)


def basis_words(result: ScanResult) -> str:
    """Return draws, risk and confidence, and how many draws a low end needs where they are too few."""
    draws, _ = view.draws_told(result)
    if draws < 2:
        return f"{plural(draws, 'draw')}: one course of events, no probability and no interval."
    risk = f"{view.risk_percent(result):g} % risk"
    return (
        f"{plural(draws, 'draw')}, {risk}, {confidence_percent(result):g} % confidence."
        f"{too_few_words(result)}"
    )


def too_few_words(result: ScanResult) -> str:
    """Return " 8 draws: too few for a low end at 10 % risk; 36 are needed.", "" where they are enough."""
    draws, _ = view.draws_told(result)
    needed = draws_for_low_end(result)
    if draws < 2 or draws >= needed:
        return ""
    return (
        f" {plural(draws, 'draw')}: too few for a low end at {view.risk_percent(result):g} % risk; "
        f"{needed} are needed."
    )


def unassessed(result: ScanResult) -> dict[str, str]:
    """Return the kinds of limit that count and were not assessed in full, each with its reason.

    Kinds the limit profile sets no limit for, and service and export without one, are left out: nothing was
    asked of them.
    """
    profile = result.manifest.get("limits")
    found: dict[str, str] = {}
    for note in result.notes:
        kind = note.where.removeprefix("hosting, ")
        if kind not in LIMIT_KINDS or kind == note.where or "not assessed" not in note.text:
            continue
        keys = _PROFILE.get(kind, ())
        if isinstance(profile, Mapping) and keys and all(profile.get(k) is None for k in keys):
            continue
        told = _REASON.search(note.text)
        found[kind] = _shorter(told.group(1)) if told else ""
    return found


def _shorter(reason: str) -> str:
    for words, needed in _SHORTER:
        if words in reason:
            return needed
    return reason


def unassessed_words(result: ScanResult) -> str:
    """Return "voltage unbalance (needs a whole week), transformer life (needs a year)", "" for none."""
    skip = {"voltage"} if view.voltage_untold(result)[0] else set()
    parts = [
        f"{view.limit_words(kind)} ({reason})" if reason else view.limit_words(kind)
        for kind, reason in unassessed(result).items()
        if kind not in skip
    ]
    return ", ".join(parts)
