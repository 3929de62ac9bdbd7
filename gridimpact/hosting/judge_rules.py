"""What a scan judges of its network: bounds of every voltage, rated elements, fuses, and what it cannot judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.assess import AssessContext, LoadingReducer, UnbalanceReducer, VoltageReducer
from gridimpact.assess.findings import YEAR_H
from gridimpact.assess.unbalance import NOT_ASSESSED, unbalance_verdict, voltage_verdict
from gridimpact.assess.voltage import fixed_bounds
from gridimpact.assess.weeks import week_of_step
from gridimpact.hosting.kernels_judge import Band
from gridimpact.hosting.readings import Places, places_of
from gridimpact.records import BoolArray, FloatArray, ScanSettings
from gridimpact.study.elements import phases_of_chargers
from gridimpact.study.inject import bus_positions
from gridimpact.study.power_flow import THREE_PHASE
from gridimpact.study.requests import fuse_limit_kw
from gridimpact.study.segments import choose_segments
from gridimpact.study.spec import StudySpec


@dataclass(frozen=True)
class Rules:
    """Everything of a study its scenarios are judged by; limits are those of `context.limits`."""

    context: AssessContext
    phases: int
    """1 or 3."""
    band: Band
    places: Places
    unbalanced: UnbalanceReducer
    lines: LoadingReducer
    transformers: LoadingReducer
    transformers3w: LoadingReducer
    fuse_kw: FloatArray
    """(site,) what each main fuse carries, NaN where not known."""

    @property
    def voltage_passes(self) -> bool:
        """Whether voltages inside the band are a pass."""
        return self.phases == 3 or not self.context.single_phase_connections


def rules_of(spec: StudySpec) -> Rules:
    """Return what a decided study is judged by; the definitions are those of `gridimpact.assess`."""
    context = AssessContext(
        grid=spec.network.grid,
        sites=spec.network.sites,
        limits=spec.limits,
        charger_phases=tuple(phases_of_chargers(spec)),
        life_h=spec.transformer.life_h,
    )
    phases = 3 if spec.power_flow == THREE_PHASE else 1
    voltage = VoltageReducer.start(context)
    site_bus = bus_positions(spec, spec.network.sites["bus"].to_numpy())
    fuse = fuse_limit_kw(spec.network.sites)
    return Rules(
        context=context,
        phases=phases,
        band=band_of(context, voltage, phases),
        places=places_of(spec.network.grid, voltage.judged, site_bus),
        unbalanced=UnbalanceReducer.start(context),
        lines=LoadingReducer.start(context, "line"),
        transformers=LoadingReducer.start(context, "transformer"),
        transformers3w=LoadingReducer.start(context, "transformer3w"),
        fuse_kw=np.where(np.isfinite(fuse) & (fuse > 0.0), fuse, np.nan),
    )


def band_of(context: AssessContext, voltage: VoltageReducer, phases: int) -> Band:
    """Return the bounds of every bus, or of every phase of every bus.

    Parameters
    ----------
    context : AssessContext
        Limits and grid.
    voltage : VoltageReducer
        Fresh one of this context: it tells busbars.
    phases : int
        1, or 3, where a phase is held against the same phase of its busbar.
    """
    low, high = fixed_bounds(context)
    limits = context.limits
    moving = limits.drop_pu is not None or limits.rise_pu is not None
    phase = np.tile(np.arange(phases), len(low))
    bus = np.repeat(np.arange(len(low)), phases)
    source = np.where(voltage.busbar[bus] >= 0, voltage.busbar[bus] * phases + phase, -1)
    fixed = np.where(source >= 0, 0.0, voltage.fixed[bus])
    pairs = np.stack([source, fixed], axis=1)
    groups, number = np.unique(pairs, axis=0, return_inverse=True)
    return Band(
        floor=np.repeat(low, phases),
        ceiling=np.repeat(high, phases),
        group=np.where(context.lv[bus] & moving, number.reshape(-1) + 1, 0).astype(np.int64),
        source=np.r_[-1, groups[:, 0]].astype(np.int64),
        fixed=np.r_[1.0, groups[:, 1]].astype(np.float64),
        drop=np.inf if limits.drop_pu is None else limits.drop_pu,
        rise=np.inf if limits.rise_pu is None else limits.rise_pu,
    )


def not_assessed(
    rules: Rules, spec: StudySpec, settings: ScanSettings, *, heated: bool
) -> dict[str, str]:
    """Return the kinds of limit that cannot be passed, each with its reason.

    Parameters
    ----------
    heated : bool
        Whether temperatures are studied.

    Notes
    -----
    Such a kind may still be broken where part of it is judged, as in a study: a balanced power flow fails
    single-phase customers but does not pass them, unrated lines do not hide the overload of a rated one.
    """
    hours, weeks = _counted(spec, settings)
    found = {
        "voltage": _voltage(rules, weeks=weeks),
        "unbalance": _unbalance(rules, weeks=weeks),
        "line_loading": _loading(rules.lines, "line"),
        "transformer_loading": _loading(rules.transformers, "transformer", rules.transformers3w),
        "hot_spot": _heat(rules.context.limits.hot_spot_c, heated=heated),
        "ageing": _heat(rules.context.limits.ageing_equivalent, heated=heated),
        "connection": _connection(rules),
        "service": "" if settings.unmet_percent is not None else "no limit on unmet energy is set",
        "export": "" if settings.export_percent is not None else "no limit on export is set",
    }
    if not found["ageing"] and hours < YEAR_H:
        found["ageing"] = "the limit is for a year, less is assessed"
    if not found["export"] and not rules.transformers.rated.any():
        found["export"] = "the network has no transformer to feed through"
    return {kind: reason for kind, reason in found.items() if reason}


def _counted(spec: StudySpec, settings: ScanSettings) -> tuple[float, bool]:
    """Return the counted hours of the longest segment and whether any holds a whole week."""
    if settings.days in ("random_day", "random_week"):
        weekly = settings.days == "random_week"
        return (168.0 if weekly else 24.0), weekly
    pv = spec.profiles.pv_p_kw.sum(axis=1)
    load = spec.profiles.load_p_kw.sum(axis=1)
    segments = choose_segments(spec.timeline, settings.days, load + pv, pv)
    hours = max(np.count_nonzero(s.counted) * s.timeline.dt_h for s in segments)
    return float(hours), any(
        (week_of_step(s.counted, s.timeline.step_s) >= 0).any() for s in segments
    )


def _voltage(rules: Rules, *, weeks: bool) -> str:
    judged = int(rules.places.judged.sum())
    verdict = voltage_verdict(rules.context, judged, 0, rules.phases)
    if verdict.verdict == NOT_ASSESSED:
        return verdict.reason
    if rules.context.limits.week is not None and not weeks:
        return "of the weekly band: no whole week of counted time without a gap"
    return ""


def _unbalance(rules: Rules, *, weeks: bool) -> str:
    if rules.phases == 1:
        return unbalance_verdict(rules.context).reason
    asked = rules.unbalanced
    if asked.limit is None or not asked.judged.any():
        return "no limit, or no bus of low or medium voltage"
    if asked.share is not None and not weeks:
        return "no whole week of counted time without a gap"
    return ""


def _loading(part: LoadingReducer, what: str, other: LoadingReducer | None = None) -> str:
    """Return why loading is not assessed, "" where all of it is; as `gridimpact.assess.verdicts`."""
    rated: BoolArray = part.rated if other is None else np.r_[part.rated, other.rated]
    mean = None if part.mean is None else part.mean.limit
    if (part.limit is None and mean is None) or not rated.any():
        return f"no limit or no rated {what}"
    unrated = int((part.in_service & ~part.rated).sum())
    if unrated:
        return f"{unrated} of {int(part.in_service.sum())} {what}s have no rating"
    return ""


def _heat(limit: float | None, *, heated: bool) -> str:
    return "" if limit is not None and heated else "no limit or no temperatures"


def _connection(rules: Rules) -> str:
    limits, reasons = rules.context.limits, []
    if limits.single_phase_kva is None and limits.fuse_percent is None:
        return f"{limits.name} asks nothing of connections"
    if limits.single_phase_kva is not None and rules.phases == 1:
        reasons.append("no connection's phases are known: the power flow is balanced")
    if limits.fuse_percent is not None and np.isnan(rules.fuse_kw).all():
        reasons.append("no known fuse")
    return "; ".join(reasons)
