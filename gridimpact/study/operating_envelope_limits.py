"""Which limits of a network a power flow passes, lane by lane, and which element passes its limit most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridimpact.assess.context import AssessContext
from gridimpact.assess.voltage import busbars
from gridimpact.records import BoolArray, FloatArray, FlowResult
from gridimpact.study.spec import StudySpec

FUSES = "main fuses"
"""What binds where no limit of the network does."""
NO_FLOW = "no power flow"
"""What binds where the power flow has no solution."""
_LOW, _HIGH = -1.0, 1.0


class FlowLimits:
    """Voltage and loading limits of a study's profile on its network.

    Parameters
    ----------
    spec : StudySpec
        Network and limit profile.
    phases : int
        1 or 3, as the power flows that are judged.
    """

    def __init__(self, spec: StudySpec, phases: int) -> None:
        grid, limits = spec.network.grid, spec.limits
        context = AssessContext(grid=grid, sites=spec.network.sites, limits=limits)
        self._limits, self._lv, self._mv, self._phases = limits, context.lv, context.mv, phases
        self._busbar, self._fixed = busbars(grid)
        self._bus = [f"bus {n or i}" for n, i in zip(grid.bus_name, grid.bus_index, strict=True)]
        self._line = [
            f"line {n or i}" for n, i in zip(grid.line_name, grid.line_index, strict=True)
        ]
        self._transformer = [
            f"transformer {n or i}"
            for n, i in zip(grid.transformer_name, grid.transformer_index, strict=True)
        ] + [f"transformer {n}" for n in grid.transformer3w_name]
        self._rated = ~np.isnan(grid.line_i_max_ka)

    def judge(self, flow: FlowResult, way: str) -> tuple[BoolArray, NDArray[np.object_]]:
        """Return whether each lane keeps its limits, and what passes its limit most where it does not.

        Parameters
        ----------
        flow : FlowResult
            Of one scenario.
        way : str
            "import" is held against low voltage, "export" against high voltage; both against loading.

        Returns
        -------
        tuple of ndarray
            (time,) each; the name is "" where all limits are kept.
        """
        passed, names = self._passed(flow, _LOW if way == "import" else _HIGH)
        failed = ~np.isfinite(flow.residual_kva[0])
        worst = passed.argmax(axis=1)
        over = passed[np.arange(len(passed)), worst] > 0.0
        found = np.where(over, np.array(names, dtype=object)[worst], "")
        return ~over & ~failed, np.where(failed, NO_FLOW, found)

    def _passed(self, flow: FlowResult, sign: float) -> tuple[FloatArray, list[str]]:
        """Return by how much each element passes its limit, relative, (time, element), and their names."""
        voltage = sign * (flow.vm_pu - self._bound(flow.vm_pu, sign))
        if flow.phases == 3:
            voltage = voltage.max(axis=3)
        lines = self._over(flow.line_loading_percent, self._limits.line_loading_percent)
        lines = np.where(self._rated, lines, -np.inf)
        loading = [flow.transformer_loading_percent]
        if flow.transformer3w_loading_percent.shape[-1]:
            loading.append(flow.transformer3w_loading_percent)
        transformers = self._over(
            np.concatenate(loading, axis=2), self._limits.transformer_loading_percent
        )
        parts = [np.nan_to_num(v[0], nan=-np.inf) for v in (voltage, lines, transformers)]
        names = [*self._bus, *self._line, *self._transformer[: parts[2].shape[1]]]
        nothing = np.full((len(parts[0]), 1), -np.inf)
        return np.concatenate([*parts, nothing], axis=1), [*names, ""]

    @staticmethod
    def _over(loading: FloatArray, limit: float | None) -> FloatArray:
        if limit is None:
            return np.full(loading.shape, -np.inf)
        return loading / limit - 1.0

    def _bound(self, vm_pu: FloatArray, sign: float) -> FloatArray:
        """Return the limit of every voltage on one side, infinite where there is none [pu]."""
        limits, low = self._limits, sign == _LOW
        bound = np.full(len(self._lv), sign * np.inf)
        fixed = limits.vm_min_pu if low else limits.vm_max_pu
        mv = limits.mv_min_pu if low else limits.mv_max_pu
        away = limits.drop_pu if low else limits.rise_pu
        bound[self._lv] = sign * np.inf if fixed is None else fixed
        bound[self._mv] = sign * np.inf if mv is None else mv
        many = vm_pu.ndim == 4
        wide = bound[:, None] if many else bound
        if away is None:
            return np.broadcast_to(wide, vm_pu.shape)
        lv, busbar, source = self._lv, self._busbar >= 0, self._fixed
        if many:
            lv, busbar, source = lv[:, None], busbar[:, None], source[:, None]
        reference = np.where(busbar, vm_pu[:, :, self._busbar], source)
        moved = np.where(lv, reference + sign * away, sign * np.inf)
        tighter = np.maximum if low else np.minimum
        return np.asarray(tighter(wide, moved))
