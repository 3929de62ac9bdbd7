"""Voltage unbalance: what a balanced power flow can and cannot say of it."""

from __future__ import annotations

from dataclasses import dataclass

from gridimpact.assess.context import AssessContext

NOT_ASSESSED = "not assessed"
PASS = "pass"
FAIL = "fail"


@dataclass(frozen=True)
class Verdict:
    """A judgement of one subject: ``"pass"``, ``"fail"`` or ``"not assessed"``, and why."""

    subject: str
    verdict: str
    reason: str = ""


def unbalance_verdict(context: AssessContext) -> Verdict:
    """Return the verdict on unbalance of a balanced power flow, which is never a pass."""
    single = context.single_phase_connections
    if single:
        reason = f"balanced power flow with {single} connections on fewer than three phases"
        return Verdict("unbalance", NOT_ASSESSED, reason)
    return Verdict("unbalance", NOT_ASSESSED, "balanced power flow knows no unbalance")


def voltage_verdict(context: AssessContext, judged: int, outside: int) -> Verdict:
    """Return the verdict on voltage: a balanced flow can fail single-phase customers, not pass them.

    Parameters
    ----------
    context : AssessContext
        Tells single-phase connections.
    judged : int
        Buses the profile has limits for.
    outside : int
        Buses that left them.
    """
    if not judged:
        reason = f"{context.limits.name} has no limits for the voltage levels of this network"
        return Verdict("voltage", NOT_ASSESSED, reason)
    if outside:
        return Verdict("voltage", FAIL, f"{outside} of {judged} buses left the band")
    single = context.single_phase_connections
    if single:
        reason = (
            f"balanced power flow with {single} connections on fewer than three phases: "
            "their own phase may be lower"
        )
        return Verdict("voltage", NOT_ASSESSED, reason)
    return Verdict("voltage", PASS, f"{judged} buses inside the band")
