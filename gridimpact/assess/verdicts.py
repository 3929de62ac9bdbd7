"""One verdict for each subject: pass, fail or not assessed, with its reason."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from gridimpact.assess.basis import FLOW, HEAT, words
from gridimpact.assess.findings import Findings
from gridimpact.assess.guides import LEVELS, GuideFindings
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

_RESTS_ON = {
    "voltage": FLOW,
    "en_50160": FLOW,
    "line_loading": FLOW,
    "transformer_loading": FLOW,
    "unbalance": FLOW,
    "hot_spot": HEAT,
    "ageing": HEAT,
}


def verdicts_of(found: Findings, violations: pd.DataFrame) -> list[Verdict]:
    """Return the verdicts on voltage, EN 50160, loading, temperature, life, unbalance and flow.

    Connection points have verdicts only where the profile asks about them.
    """
    counts = violations["kind"].value_counts()

    def events(*kinds: str) -> int:
        return int(sum(counts.get(kind, 0) for kind in kinds))

    voltage = found.voltage
    outside = int(((voltage.steps_outside[0] > 0) & voltage.judged).sum())
    if found.context.limits.week is not None:
        # Inside a weekly profile, leaving the band is allowed for the rest of the week.
        broken = violations[violations["kind"].str.startswith("voltage")]
        outside = int(broken["element"].nunique())
    verdicts = [
        voltage_verdict(found.context, int(voltage.judged.sum()), outside, found.phases),
        en_50160_verdict(found),
        _loading(found, "line", events("line_loading"), events("line_loading_mean")),
        _loading(
            found,
            "transformer",
            events("transformer_loading", "transformer3w_loading"),
            events("transformer_loading_mean", "transformer3w_loading_mean"),
        ),
        _hot_spot(found, events("hot_spot")),
        _life(found, events("ageing")),
        unbalance_verdict(found.context, found.unbalance),
        *_connections(found, events("asymmetry"), events("fuse_loading")),
        _flow(found),
    ]
    failed, lanes = int(found.energy.lanes_failed[0]), int(found.energy.lanes[0])
    return [_with_failed(verdict, failed, lanes) for verdict in verdicts]


def _with_failed(verdict: Verdict, failed: int, lanes: int) -> Verdict:
    """Return a verdict that says how many steps it lacks."""
    kind = _RESTS_ON.get(verdict.subject)
    if not failed or kind is None:
        return verdict
    reason = f"{verdict.reason}; {words(kind, failed, lanes)}"
    return dataclasses.replace(verdict, reason=reason)


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


def _loading(found: Findings, what: str, events: int, on_mean: int) -> Verdict:
    """Return the verdict on instants and, where asked for, on means over hours."""
    part = found.lines if what == "line" else found.transformers
    limits = found.context.limits
    limit = limits.line_loading_percent if what == "line" else limits.transformer_loading_percent
    mean = None if part.mean is None else part.mean.limit
    subject = f"{what}_loading"
    rated = part.rated.any()
    if what == "transformer":
        rated = rated or found.transformers3w.rated.any()
    if (limit is None and mean is None) or not rated:
        reason = f"no limit or no rated {what}"
        return Verdict(subject, NOT_ASSESSED, reason)
    asked = [] if limit is None else [(events, f"over {limit:g} %")]
    if part.mean is not None and mean is not None:
        asked.append((on_mean, f"over {mean:g} % on the mean of {part.mean.window_h:g} h"))
    broken = [f"{count} times {text}" for count, text in asked if count]
    if broken:
        return Verdict(subject, FAIL, ", ".join(broken))
    unrated = int((part.in_service & ~part.rated).sum())
    if unrated:
        reason = f"{unrated} of {int(part.in_service.sum())} {what}s have no rating"
        return Verdict(subject, NOT_ASSESSED, reason)
    if mean is not None and part.mean is not None and not part.mean.windows_known.any():
        reason = f"no {part.mean.window_h:g} h on end are known"
        return Verdict(subject, NOT_ASSESSED, reason)
    return Verdict(subject, PASS, ", ".join(f"never {text}" for _, text in asked))


def _hot_spot(found: Findings, events: int) -> Verdict:
    limit = found.context.limits.hot_spot_c
    if limit is None or found.thermal is None or not found.thermal.known_any:
        return Verdict("hot_spot", NOT_ASSESSED, "no limit or no temperatures")
    detail = "".join(f"; {text}" for text in guide_words(found.thermal.guide, found.dt_h))
    if events:
        return Verdict("hot_spot", FAIL, f"{events} times over {limit:g} degC{detail}")
    if found.thermal.guide.steps_outside[0].any():
        return Verdict("hot_spot", NOT_ASSESSED, f"never over {limit:g} degC{detail}")
    return Verdict("hot_spot", PASS, f"never over {limit:g} degC{detail}")


def guide_words(guide: GuideFindings, dt_h: float) -> list[str]:
    """Return the hours of the worst transformer beyond its loading guide, nothing where there are none."""
    found = []
    for level, steps in zip(LEVELS, guide.steps_over[:, 0], strict=True):
        if steps.any():
            worst = int(steps.argmax())
            text = f"{steps[worst] * dt_h:g} h beyond {level.replace('_', ' ')} loading"
            found.append(f"{text} ({guide.names[worst]})")
    for steps, text in (
        (guide.steps_bubble[0], "at which free gas may form"),
        (guide.steps_outside[0], "with a load outside the range of the model"),
    ):
        if steps.any():
            found.append(f"{steps.max() * dt_h:g} h {text}")
    return found


def _connections(found: Findings, uneven: int, blown: int) -> list[Verdict]:
    """Return the verdicts on connection points, none where the profile asks nothing of them."""
    limits, met, verdicts = found.context.limits, found.connections, []
    if limits.single_phase_kva is not None:
        text = f"{limits.single_phase_kva:g} kVA between two phases"
        if uneven:
            verdict = Verdict("asymmetry", FAIL, f"{uneven} times over {text}")
        elif met.phases_known:
            verdict = Verdict("asymmetry", PASS, f"never over {text}")
        else:
            why = ": the power flow is balanced" if found.phases == 1 else ""
            verdict = Verdict("asymmetry", NOT_ASSESSED, f"no connection's phases are known{why}")
        verdicts.append(verdict)
    if limits.fuse_percent is not None:
        text = f"{limits.fuse_percent:g} % of a main fuse"
        if blown:
            verdict = Verdict("fuse_loading", FAIL, f"{blown} times over {text}")
        elif np.isnan(met.fuse_percent).all():
            verdict = Verdict("fuse_loading", NOT_ASSESSED, "no meters or no known fuse")
        else:
            verdict = Verdict("fuse_loading", PASS, f"never over {text}")
        verdicts.append(verdict)
    return verdicts


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
