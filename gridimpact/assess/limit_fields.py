"""What a limit profile may ask for, and which numbers are plausible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gridimpact.errors import Problem, raise_problems

LV_MAX_KV = 1.0
"""Low voltage ends here (EN 50160) [kV]."""
MV_MAX_KV = 36.0
"""Medium voltage ends here (EN 50160) [kV]."""
MEAN_H = 2.0
"""Length of the means of loading told unless another is set [h]: about the oil time constant of a
distribution transformer; an own choice."""
GUIDES = ("iec", "ieee")
"""Families of `gridimpact.ageing.LOADING_GUIDES`."""


@dataclass(frozen=True, slots=True)
class LimitProfile:
    """What a network must keep; None where nothing is asked.

    Attributes
    ----------
    name, title, edition, source : str
        What it is called, and which text says so.
    vm_min_pu, vm_max_pu : float or None
        Voltage of low-voltage buses at every step, over nominal.
    drop_pu, rise_pu : float or None
        Departure of low-voltage buses from the busbar that supplies them, at the same step.
    mv_min_pu, mv_max_pu : float or None
        Voltage of medium-voltage buses; None leaves them unjudged, limits for low voltage are
        never applied to them.
    week_min_pu, week_max_pu, week_share : float or None
        Band to be kept in this share of every whole week, by means over ten minutes.
    unbalance_percent : float or None
        Negative over positive sequence voltage, in `unbalance_share` of the ten-minute means of
        every whole week; three-phase power flows only.
    unbalance_share : float or None
        Share asked for; None asks for it at every step.
    unbalance_nema_percent : float or None
        Largest deviation of a phase-to-phase voltage from their mean over it, at every step.
    step_change_pu, step_change_mv_pu : float or None
        Step of the voltage at a connection when its largest charger goes from rest (from full feed, where
        it may feed) to full draw, over nominal; at low and at medium voltage.
    single_phase_kva : float or None
        Difference of the power of any two phases at one connection point [kVA]; three-phase power flows
        only.
    fuse_percent : float or None
        Draw at a connection point over what its main fuse carries [%].
    transformer_loading_percent, line_loading_percent : float or None
        Current over rated current at every step [%].
    transformer_mean_percent, line_mean_percent : float or None
        Mean of the same over any `transformer_mean_h`, `line_mean_h` hours on end [%].
    transformer_mean_h, line_mean_h : float or None
        Length of the means [h]; they are told even where nothing is asked of them. None: no means.
    hot_spot_c : float or None
        Hot-spot temperature [degC].
    ageing_equivalent : float or None
        Equivalent ageing over a year, 1 is normal; judged only where a year is assessed.
    loading_guide : str
        ``"iec"`` or ``"ieee"``: whose limits of normal and emergency loading the hours of each transformer
        are counted over.
    """

    name: str
    title: str = ""
    edition: str = ""
    source: str = ""
    vm_min_pu: float | None = None
    vm_max_pu: float | None = None
    drop_pu: float | None = None
    rise_pu: float | None = None
    mv_min_pu: float | None = None
    mv_max_pu: float | None = None
    week_min_pu: float | None = None
    week_max_pu: float | None = None
    week_share: float | None = None
    unbalance_percent: float | None = None
    unbalance_share: float | None = None
    unbalance_nema_percent: float | None = None
    step_change_pu: float | None = None
    step_change_mv_pu: float | None = None
    single_phase_kva: float | None = None
    fuse_percent: float | None = None
    transformer_loading_percent: float | None = 150.0
    line_loading_percent: float | None = 100.0
    hot_spot_c: float | None = 120.0
    ageing_equivalent: float | None = 1.0
    transformer_mean_percent: float | None = None
    transformer_mean_h: float | None = MEAN_H
    line_mean_percent: float | None = None
    line_mean_h: float | None = MEAN_H
    loading_guide: str = "iec"

    def __post_init__(self) -> None:
        """Check ranges and order of every number, all problems at once."""
        raise_problems(_problems(self), f"limit profile {self.name!r}")

    @property
    def week(self) -> tuple[float, float, float] | None:
        """Lower and upper end of the weekly band and the share asked for, None without one."""
        low, high, share = self.week_min_pu, self.week_max_pu, self.week_share
        if low is None or high is None or share is None:
            return None
        return low, high, share

    @property
    def judges_mv(self) -> bool:
        """Whether medium-voltage buses have limits."""
        return self.mv_min_pu is not None or self.mv_max_pu is not None

    @property
    def judges_lv(self) -> bool:
        """Whether low-voltage buses have limits at every step."""
        limits = (self.vm_min_pu, self.vm_max_pu, self.drop_pu, self.rise_pu)
        return any(limit is not None for limit in limits)


RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "vm_min_pu": (0.5, 1.0),
        "vm_max_pu": (1.0, 1.5),
        "drop_pu": (0.0, 0.5),
        "rise_pu": (0.0, 0.5),
        "mv_min_pu": (0.5, 1.0),
        "mv_max_pu": (1.0, 1.5),
        "week_min_pu": (0.5, 1.0),
        "week_max_pu": (1.0, 1.5),
        "week_share": (0.0, 1.0),
        "unbalance_percent": (0.1, 50.0),
        "unbalance_share": (0.0, 1.0),
        "unbalance_nema_percent": (0.1, 50.0),
        "step_change_pu": (0.001, 0.5),
        "step_change_mv_pu": (0.001, 0.5),
        "single_phase_kva": (0.1, 1000.0),
        "fuse_percent": (1.0, 400.0),
        "transformer_mean_percent": (1.0, 400.0),
        "transformer_mean_h": (1.0 / 60.0, 168.0),
        "line_mean_percent": (1.0, 400.0),
        "line_mean_h": (1.0 / 60.0, 168.0),
        "transformer_loading_percent": (1.0, 400.0),
        "line_loading_percent": (1.0, 400.0),
        "hot_spot_c": (60.0, 250.0),
        "ageing_equivalent": (0.0, 1000.0),
    }
)
"""Least and highest value of each number."""


def _problems(profile: LimitProfile) -> list[Problem]:
    """Return every number that lies outside its plausible range."""
    found = []
    for field, (low, high) in RANGES.items():
        value = getattr(profile, field)
        if value is not None and not low <= value <= high:
            unit = "per unit, 0.05 is 5 %" if field.endswith("_pu") else "see the field's unit"
            what = f"is {value}, must lie in {low:g} to {high:g}"
            found.append(Problem(f"limits {field}", what, unit))
    week = (profile.week_min_pu, profile.week_max_pu, profile.week_share)
    if any(part is None for part in week) and any(part is not None for part in week):
        remedy = "give week_min_pu, week_max_pu and week_share together"
        found.append(Problem("limits week_*", "is given in part", remedy))
    for what in ("transformer", "line"):
        percent, hours = (getattr(profile, f"{what}_mean_{end}") for end in ("percent", "h"))
        if percent is not None and hours is None:
            remedy = f"give {what}_mean_h as well"
            found.append(Problem(f"limits {what}_mean_percent", "has no length", remedy))
    if profile.loading_guide not in GUIDES:
        what = f"is {profile.loading_guide!r}"
        found.append(Problem("limits loading_guide", what, f"choose one of {', '.join(GUIDES)}"))
    return found
