"""Names, colours and number formats shared by tables, figures and pages; no drawing library here.

One strategy has one colour wherever it appears. The hues are those of Okabe and Ito, told apart
with every common form of colour blindness.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gridimpact.conventions import METRICS

NO_EV = "no_ev"
UNCONTROLLED = "uncontrolled"
INK = "#1d2530"
MUTED = "#6b7480"
RULE = "#d9dee4"
LIMIT = "#b3261e"
MOST_AGEING = 1000
"""Ageing relative to normal beyond which no figure is given."""

_FAMILY_COLOURS: Mapping[str, tuple[str, ...]] = {
    "no_ev": ("#8a939e",),
    "uncontrolled": ("#d55e00",),
    "g2v": ("#0072b2", "#4b3f9e", "#56b4e9"),
    "v2g": ("#009e73", "#7aa61e"),
    "v2h": ("#e69f00", "#a87900"),
    "v2b": ("#cc79a7", "#8e3f74"),
    "mix": ("#2b3440",),
}
_RULES: Mapping[str, tuple[str, int]] = {
    "noev": ("no_ev", 0),
    "noaddedev": ("no_ev", 0),
    "uncontrolled": ("uncontrolled", 0),
    "valleyfilling": ("g2v", 0),
    "transformerlimit": ("g2v", 1),
    "price": ("g2v", 2),
    "peakshaving": ("v2g", 0),
    "arbitrage": ("v2g", 1),
    "selfconsumption": ("v2h", 0),
    "timeofuse": ("v2h", 1),
    "demandcharge": ("v2b", 0),
    "subscribedpower": ("v2b", 1),
    "mix": ("mix", 0),
}
_NAMES: Mapping[str, str] = {
    "no_ev": "No added EV",
    "uncontrolled": "Uncontrolled",
    "mix": "Realistic mix",
}
_WORDS: Mapping[str, str] = {
    "selfconsumption": "self-consumption",
    "timeofuse": "time of use",
    "peakshaving": "peak shaving",
    "valleyfilling": "valley filling",
    "transformerlimit": "transformer limit",
    "demandcharge": "demand charge",
    "subscribedpower": "subscribed power",
    "price": "price",
    "arbitrage": "arbitrage",
}
_WRAPPERS: Mapping[str, str] = {
    "receding_": "receding",
    "with_forecast_error_": "with forecast error",
}
_SPARE = ("#5d7c8a", "#b07d48", "#7d5ba6", "#4f8f4f", "#a05050", "#3f7f9f")


def _bare(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


def _unwrapped(label: str) -> tuple[str, str]:
    """Return the label of the strategy that another wraps, and how it does; the label itself where none."""
    for prefix, words in _WRAPPERS.items():
        if label.startswith(prefix):
            return label.removeprefix(prefix), words
    return label, ""


def family(label: str) -> str:
    """Return ``no_ev``, ``uncontrolled``, ``g2v``, ``v2g``, ``v2h``, ``v2b``, ``mix`` or ``other``.

    Examples
    --------
    >>> family("g2v_valley_filling"), family("ValleyFilling"), family("my own")
    ('g2v', 'g2v', 'other')
    """
    inner, _ = _unwrapped(label)
    bare = _bare(inner)
    if bare in _RULES:
        return _RULES[bare][0]
    for prefix in ("g2v", "v2g", "v2h", "v2b", "mix"):
        if bare.startswith(prefix):
            return prefix
    return "other"


def display_name(label: str) -> str:
    """Return a strategy's name as a reader wants it.

    Examples
    --------
    >>> display_name("v2h_self_consumption"), display_name("no_ev")
    ('V2H self-consumption', 'No added EV')
    >>> display_name("receding_v2g_peak_shaving")
    'V2G peak shaving, receding'
    """
    inner, how = _unwrapped(label)
    if how:
        return f"{display_name(inner)}, {how}"
    if label in _NAMES:
        return _NAMES[label]
    kind = family(label)
    if kind not in ("g2v", "v2g", "v2h", "v2b"):
        return label.replace("_", " ")
    bare = _bare(label)
    rest = bare.removeprefix(kind)
    if rest in _WORDS:
        return f"{kind.upper()} {_WORDS[rest]}"
    words = label.replace("_", " ")
    return kind.upper() + words[3:] if words.lower().startswith(kind) else words


def strategy_colours(labels: Sequence[str]) -> dict[str, str]:
    """Return one colour for each strategy; known strategies always get the same one.

    Examples
    --------
    >>> strategy_colours(["uncontrolled", "g2v_valley_filling"])
    {'uncontrolled': '#d55e00', 'g2v_valley_filling': '#0072b2'}
    """
    found: dict[str, str] = {}
    for label in labels:
        kind = family(label)
        rule = _RULES.get(_bare(label).removeprefix(kind)) or _RULES.get(_bare(label))
        own = _FAMILY_COLOURS.get(kind, ())
        choice = own[rule[1]] if rule is not None and rule[0] == kind else None
        spare = [c for c in (*own, *_SPARE) if c not in found.values()]
        if choice is None or choice in found.values():
            choice = spare[0] if spare else MUTED
        found[label] = choice
    return found


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def number(value: Any, unit: str = "1") -> str:
    """Return a number with as many digits as its unit deserves; "-" where there is none.

    Examples
    --------
    >>> number(112.4, "%"), number(0.9432, "pu"), number(12345.6, "kWh"), number(None)
    ('112', '0.943', '12,346', '-')
    """
    if not is_number(value):
        return "-"
    value = float(value)
    if unit == "pu":
        return f"{value:.3f}"
    size = abs(value)
    if value == int(value) and not (unit == "ageing" and size > MOST_AGEING):
        return f"{int(value):,}"
    if unit == "ageing":
        # Beyond a thousand the model says no more than that the insulation is lost.
        if not 0.001 <= value <= MOST_AGEING:
            return "< 0.001" if value < 0.001 else f"> {MOST_AGEING:,}"
        return f"{value:.2g}" if size < 10 else f"{value:,.0f}"
    if unit == "EUR" and size < 100:
        return f"{value:.2f}".replace("-0.00", "0.00")
    if size < 0.05:
        return f"{value:.2g}" if unit == "1" else f"{value:.1f}".replace("-0.0", "0.0")
    return f"{value:.1f}" if size < 10 else f"{value:,.0f}"


def metric_unit(metric: str) -> str:
    """Return the unit a metric is formatted with; voltages are ``pu``, ageing its own."""
    if metric in ("vm_min_pu", "vm_max_pu"):
        return "pu"
    if metric == "ageing_equivalent":
        return "ageing"
    return METRICS[metric].unit if metric in METRICS else "1"


def unit_text(unit: str) -> str:
    """Return a unit as printed; dimensionless units print as nothing."""
    return {"1": "", "degC": "°C", "ageing": "× normal"}.get(unit, unit)
