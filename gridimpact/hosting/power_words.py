"""What is wrong with what constant power is asked, and what is told of how it was judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridimpact.errors import Problem
from gridimpact.hosting.constant_power import ConstantPower
from gridimpact.hosting.named_elements import ElementAxis
from gridimpact.hosting.power_elements import DIRECTIONS
from gridimpact.hosting.readings import KINDS
from gridimpact.records import LIMIT_KINDS, PREEXISTING, Note


def directions_of(direction: str | Sequence[str]) -> tuple[str, ...]:
    """Return directions in their order.

    Examples
    --------
    >>> directions_of("both")
    ('import', 'export')
    """
    if isinstance(direction, str):
        return DIRECTIONS if direction == "both" else (direction,)
    return tuple(dict.fromkeys(direction))


def choice_problems(
    preexisting: str,
    limits: Sequence[str],
    directions: tuple[str, ...],
    power_factor: float | None,
) -> list[Problem]:
    """Return what is wrong with choices that the nodal and the uniform method share."""
    found = [
        Problem(where, f"is {text!r}", f"choose one of {', '.join(known)}")
        for where, texts, known in (
            ("preexisting", (preexisting,), PREEXISTING),
            ("direction", directions, (*DIRECTIONS, "both")),
            ("limits", (limits,) if isinstance(limits, str) else limits, LIMIT_KINDS),
        )
        for text in texts
        if text not in known
    ]
    if not directions:
        found.append(Problem("direction", "names none", "write 'import', 'export' or 'both'"))
    if isinstance(limits, str):
        found.append(Problem("limits", "is one text", "give a list of kinds"))
    if power_factor is not None and not 0.0 < power_factor <= 1.0:
        found.append(Problem("power_factor", f"is {power_factor}", "give a number above 0 up to 1"))
    return found


def power_problems(name: str, value: float | None, most: float = np.inf) -> list[Problem]:
    """Return what is wrong with a power [kW]; None is none."""
    if value is None or (np.isfinite(value) and 0.0 < value <= most):
        return []
    known = "above 0" if np.isinf(most) else f"above 0 and at most {most:g}"
    hint = "it is in kW, not W" if value > most else "give a power in kW"
    return [Problem(name, f"is {value}, must be {known}", hint)]


def element_name(axes: dict[str, ElementAxis], axis: str, position: int) -> str:
    """Return the name of an element, "network" for the whole of it and "" for none."""
    if axis in axes and position >= 0:
        own = axes[axis]
        return str(own.name[position]) or f"{axis} {own.index[position]}"
    return axis


def judged_notes(base: ConstantPower) -> list[Note]:
    """Return what constant power is judged by, what is left out and what was so before."""
    limits, where = base.spec.limits, "constant power"
    kinds = sorted({KINDS[rule.kind].limit for rule in base.limits.rules})
    judged = ", ".join(kinds) if kinds else "no limit of the profile"
    notes = [
        Note(
            "info",
            where,
            f"judged at each of {len(base.steps)} counted steps: {judged}, and that a power flow has a solution; "
            "hot spot, ageing, service and export over ratings are not judged here.",
        )
    ]
    if limits.week is not None or (limits.unbalance_share is not None and base.setup.phases == 3):
        text = "what the profile asks for in a share of each week is asked for at every step, the safe side."
        notes.append(Note("assumption", where, text))
    for name in ("transformer_mean_percent", "line_mean_percent", "step_change_pu"):
        if getattr(limits, name) is not None:
            text = f"{name} of the profile is not judged by this method."
            notes.append(Note("warning", where, text))
    if base.before:
        told = ", ".join(f"{count} by {kind}" for kind, count in sorted(base.before.items()))
        text = f"elements beyond a limit without added power: {told}; counted as preexisting={base.preexisting!r}."
        notes.append(Note("warning", where, text))
    if base.base_failed:
        text = f"{base.base_failed} steps have no solution without added power"
        rule = "break every capacity" if base.preexisting == "count" else "are left out"
        notes.append(Note("warning", where, f"{text}; they {rule}."))
    if "chargers" in base.spec.volt_var:
        text = "added power keeps its power factor; the study's Volt-VAr curve of chargers does not act on it."
        notes.append(Note("warning", where, text))
    single = int((base.network.sites["phases"].astype(str).str.len() < 3).sum())
    if single and base.setup.phases == 1:
        text = f"{single} connections on fewer than three phases are solved as balanced ones: theirs may be less."
        notes.append(Note("warning", where, text))
    return notes
