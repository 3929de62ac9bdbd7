"""One verdict for each subject: pass, fail or not assessed, with its reason."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.assess.findings import Findings
from gridimpact.assess.limits import EN_50160
from gridimpact.assess.unbalance import (
    FAIL,
    NOT_ASSESSED,
    PASS,
    Verdict,
    unbalance_verdict,
    voltage_verdict,
)
from gridimpact.records import FloatArray


def verdicts_of(found: Findings, violations: pd.DataFrame) -> list[Verdict]:
    """Return the verdicts on voltage, EN 50160, loading, temperature, life, unbalance and flow."""
    counts = violations["kind"].value_counts()

    def events(*kinds: str) -> int:
        return int(sum(counts.get(kind, 0) for kind in kinds))

    voltage = found.voltage
    outside = int(((voltage.steps_outside[0] > 0) & voltage.judged).sum())
    if found.context.limits.week is not None:
        # Inside a weekly profile, leaving the band is allowed for the rest of the week.
        broken = violations[violations["kind"].str.startswith("voltage")]
        outside = int(broken["element"].nunique())
    return [
        voltage_verdict(found.context, int(voltage.judged.sum()), outside, found.phases),
        en_50160_verdict(found),
        _loading(found, "line", events("line_loading")),
        _loading(found, "transformer", events("transformer_loading", "transformer3w_loading")),
        _hot_spot(found, events("hot_spot")),
        _life(found, events("ageing")),
        unbalance_verdict(found.context, found.unbalance),
        _flow(found),
    ]


def en_50160_share(found: Findings) -> FloatArray:
    """Return each bus's lowest weekly share inside +-10 %, (bus,), NaN where not assessed."""
    weeks = found.voltage.weeks
    if not len(weeks.begin) or weeks.profile.week != EN_50160.week:
        return np.full(len(found.voltage.judged), np.nan)
    return np.asarray(np.fmin.reduce(weeks.share[:, 0], axis=0), dtype=np.float64)


def en_50160_by_bus(found: Findings) -> list[str]:
    """Return EN 50160's verdict on each bus; to pass takes whole weeks and three-phase customers."""
    context, share = found.context, en_50160_share(found)
    asked = 0.0 if EN_50160.week is None else EN_50160.week[2]
    failed = (found.voltage.always_outside[0] > 0) | (share < asked)
    whole = found.phases == 3 or context.single_phase_connections == 0
    passed = ~np.isnan(share) & whole
    verdict = np.where(failed, FAIL, np.where(passed, PASS, NOT_ASSESSED))
    covered = context.lv | context.mv
    return [str(text) for text in np.where(covered, verdict, NOT_ASSESSED)]


def en_50160_verdict(found: Findings) -> Verdict:
    """Return EN 50160's verdict on all low- and medium-voltage buses."""
    by_bus = en_50160_by_bus(found)
    failed = by_bus.count(FAIL)
    if failed:
        return Verdict("en_50160", FAIL, f"{failed} buses outside")
    reason = found.voltage.weeks.reason
    single = found.context.single_phase_connections
    if not reason and single and found.phases == 1:
        reason = f"balanced power flow with {single} connections on fewer than three phases"
    if not reason and PASS not in by_bus:
        reason = "no bus with weekly shares of EN 50160's band"
    if reason:
        return Verdict("en_50160", NOT_ASSESSED, reason)
    weeks = len(found.voltage.weeks.begin)
    return Verdict("en_50160", PASS, f"{by_bus.count(PASS)} buses over {weeks} whole weeks")


def _loading(found: Findings, what: str, events: int) -> Verdict:
    part = found.lines if what == "line" else found.transformers
    limits = found.context.limits
    limit = limits.line_loading_percent if what == "line" else limits.transformer_loading_percent
    subject = f"{what}_loading"
    rated = part.rated.any()
    if what == "transformer":
        rated = rated or found.transformers3w.rated.any()
    if limit is None or not rated:
        reason = f"no limit or no rated {what}"
        return Verdict(subject, NOT_ASSESSED, reason)
    if events:
        return Verdict(subject, FAIL, f"{events} times over {limit:g} %")
    unrated = int((part.in_service & ~part.rated).sum())
    if unrated:
        reason = f"{unrated} of {int(part.in_service.sum())} {what}s have no rating"
        return Verdict(subject, NOT_ASSESSED, reason)
    return Verdict(subject, PASS, f"never over {limit:g} %")


def _hot_spot(found: Findings, events: int) -> Verdict:
    limit = found.context.limits.hot_spot_c
    if limit is None or found.thermal is None or not found.thermal.known_any:
        return Verdict("hot_spot", NOT_ASSESSED, "no limit or no temperatures")
    if events:
        return Verdict("hot_spot", FAIL, f"{events} times over {limit:g} degC")
    return Verdict("hot_spot", PASS, f"never over {limit:g} degC")


def _life(found: Findings, events: int) -> Verdict:
    limit = found.context.limits.ageing_equivalent
    if limit is None or found.thermal is None or not found.thermal.known_any:
        return Verdict("ageing", NOT_ASSESSED, "no limit or no temperatures")
    if not found.is_year:
        return Verdict("ageing", NOT_ASSESSED, "the limit is for a year, less is assessed")
    if events:
        return Verdict("ageing", FAIL, f"{events} transformers age faster than {limit:g} of normal")
    return Verdict("ageing", PASS, f"no transformer ages faster than {limit:g} of normal")


def _flow(found: Findings) -> Verdict:
    failed, lanes = int(found.energy.lanes_failed[0]), int(found.energy.lanes[0])
    if failed:
        return Verdict("power_flow", FAIL, f"{failed} of {lanes} power flows failed")
    dark = int(found.energy.lanes_unsupplied[0])
    if dark:
        reason = f"{dark} of {lanes} power flows leave demand at buses without supply"
        return Verdict("power_flow", FAIL, reason)
    return Verdict("power_flow", PASS, f"all {lanes} power flows are sound")
