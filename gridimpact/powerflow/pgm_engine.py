"""The independent check: power-grid-model, whole batches at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from typing import Any

from gridimpact.errors import MissingExtra
from gridimpact.powerflow.engine import FlowOptions, check_injections
from gridimpact.powerflow.pgm_model import PgmModel, build_pgm_model
from gridimpact.powerflow.pgm_run import solve_batches
from gridimpact.powerflow.reference_result import check_net, finish, net_at_taps, refuse_phases
from gridimpact.records import FlowResult, Grid, Injections


class PgmEngine:
    """power-grid-model: all lanes as one batch, by iterated currents, then Newton where that fails.

    Parameters
    ----------
    net : pandapowerNet
        The network the grid was extracted from; never written to. Its own loads, generators,
        storages and controllers play no part.

    Raises
    ------
    MissingExtra
        If power-grid-model is not installed.

    Notes
    -----
    The input is converted from the tables of the net, apart from the pi-models of this package; the
    arithmetic is that of power-grid-model. The two models differ in one thing: a transformer's
    magnetising branch stands half at each side (pi) where pandapower and this package put it in the
    middle (T). With iron losses that moves voltages by 1e-7 to 1e-6 pu, without them by nothing.

    In three phases the magnetising branch of an earthed star-star transformer stands half at each
    side in zero sequence too; every other vector group's zero sequence is met exactly. Each winding
    cut off from zero sequence is tied to earth by 1e-8 of its short-circuit admittance.

    Balanced, sources are stiff; in three phases they stand behind their short-circuit impedance, the
    same in positive and negative sequence, unless ``s_sc_max_mva`` is 1e6 or more.
    `FlowOptions.tolerance_pu` is passed on as the largest voltage step. Tap changers and reactive
    power that answer to voltage are followed around whole solves.
    """

    def __init__(self, net: Any) -> None:
        try:
            import power_grid_model  # noqa: F401
        except ImportError as error:
            message = "power-grid-model is not installed; run: pip install 'gridimpact[crosscheck]'"
            raise MissingExtra(message) from error
        self._net = net

    @cached_property
    def _balanced(self) -> PgmModel:
        return build_pgm_model(self._net)

    @cached_property
    def _by_phase(self) -> PgmModel:
        return build_pgm_model(self._net, 3)

    @property
    def name(self) -> str:
        """Name and version."""
        return f"power-grid-model {version('power-grid-model')}"

    def solve(
        self, grid: Grid, injections: Injections, options: FlowOptions | None = None
    ) -> FlowResult:
        """Return the flow of every lane; see `gridimpact.powerflow.engine.Engine`.

        Raises
        ------
        InputError
            Also where the grid is not that of the engine's net, or three phases hold elements in
            delta, lines given by full matrices or sources ideal in one sequence only.
        GridError
            Where the net holds something power-grid-model has no counterpart to.
        """
        chosen = options or FlowOptions()
        check_injections(grid, injections)
        check_net(self._net, grid)
        if grid.tap_controls:
            from gridimpact.powerflow.tap_control import solve_with_taps

            return solve_with_taps(self, grid, injections, chosen)
        if injections.volt_var is not None:
            from gridimpact.powerflow.volt_var_outside import answer_outside

            return answer_outside(self, grid, injections, chosen)
        if chosen.phases == 3:
            refuse_phases(grid, injections, "power-grid-model", delta=False, impedance=True)
        model = self._by_phase if chosen.phases == 3 else self._balanced
        found = solve_batches(model, injections, chosen)
        return finish(self.name, grid, injections, chosen, found)

    def at_taps(self, positions: Mapping[int, int]) -> PgmEngine:
        """Return this engine with transformers at other tap positions.

        Parameters
        ----------
        positions : mapping of int to int
            Tap position by position in the transformer axis.
        """
        return PgmEngine(net_at_taps(self._net, positions))
