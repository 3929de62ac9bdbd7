"""Verdicts on voltage and unbalance: what a balanced power flow can and cannot say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.assess.context import AssessContext
from gridimpact.assess.sequence import UnbalanceFindings
from gridimpact.records import BoolArray

NOT_ASSESSED = "not assessed"
PASS = "pass"
FAIL = "fail"


@dataclass(frozen=True)
class Verdict:
    """A judgement of one subject: ``"pass"``, ``"fail"`` or ``"not assessed"``, and why."""

    subject: str
    verdict: str
    reason: str = ""


def unbalance_verdict(context: AssessContext, found: UnbalanceFindings | None = None) -> Verdict:
    """Return the verdict on unbalance.

    Parameters
    ----------
    context : AssessContext
        Tells single-phase connections.
    found : UnbalanceFindings, optional
        Of a three-phase power flow; a balanced one has none and is never a pass.
    """
    if found is not None:
        return _judged(found)
    single = context.single_phase_connections
    if single:
        reason = f"balanced power flow with {single} connections on fewer than three phases"
        return Verdict("unbalance", NOT_ASSESSED, reason)
    return Verdict("unbalance", NOT_ASSESSED, "balanced power flow knows no unbalance")


def _judged(found: UnbalanceFindings) -> Verdict:
    """Return the verdict on unbalance of a three-phase power flow."""
    known = found.worst_percent[0][found.judged] if found.worst_percent.size else np.zeros(0)
    known = known[~np.isnan(known)]
    if found.limit is None or not known.size:
        return Verdict("unbalance", NOT_ASSESSED, "no limit, or no bus of low or medium voltage")
    highest = f"highest {known.max():.2f} %"
    if found.share is None:
        over = int(np.count_nonzero(found.steps_over[0][found.judged]))
        if over:
            return Verdict("unbalance", FAIL, f"{over} buses over {found.limit:g} %, {highest}")
        return Verdict("unbalance", PASS, f"never over {found.limit:g} %, {highest}")
    if not len(found.weeks.begin):
        return Verdict("unbalance", NOT_ASSESSED, found.weeks.reason)
    broken = int(out_of_share(found).any(axis=0).sum())
    if broken:
        text = f"{broken} buses over {found.limit:g} % in more than {1 - found.share:.0%} of a week"
        return Verdict("unbalance", FAIL, f"{text}, {highest}")
    weeks = len(found.weeks.begin)
    text = f"within {found.limit:g} % in {found.share:.0%} of {weeks} whole weeks"
    return Verdict("unbalance", PASS, f"{text}, {highest}")


def out_of_share(found: UnbalanceFindings) -> BoolArray:
    """Return in which weeks a judged bus keeps the limit too seldom, (week, bus)."""
    if found.share is None or not len(found.weeks.begin):
        return np.zeros((0, len(found.judged)), dtype=np.bool_)
    return np.asarray((found.weeks.share[:, 0] < found.share) & found.judged)


def voltage_verdict(context: AssessContext, judged: int, outside: int, phases: int = 1) -> Verdict:
    """Return the verdict on voltage: a balanced flow can fail single-phase customers, not pass them.

    Parameters
    ----------
    context : AssessContext
        Tells single-phase connections.
    judged : int
        Buses the profile has limits for.
    outside : int
        Buses that left them.
    phases : int
        3 where each phase was solved by itself.
    """
    if not judged:
        reason = f"{context.limits.name} has no limits for the voltage levels of this network"
        return Verdict("voltage", NOT_ASSESSED, reason)
    if outside:
        return Verdict("voltage", FAIL, f"{outside} of {judged} buses left the band")
    single = context.single_phase_connections
    if single and phases == 1:
        reason = (
            f"balanced power flow with {single} connections on fewer than three phases: "
            "their own phase may be lower"
        )
        return Verdict("voltage", NOT_ASSESSED, reason)
    each = " in each phase" if phases == 3 else ""
    return Verdict("voltage", PASS, f"{judged} buses inside the band{each}")
