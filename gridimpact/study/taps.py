"""Tap changers that hold a voltage, as a study file names them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.records import Grid, TapControl


def tap_settings(grid: Grid) -> dict[int, dict[str, Any]]:
    """Return the settings behind a grid's tap controls, by index of the transformer.

    `open_network` given these makes the same controls again.
    """
    return {
        int(grid.transformer_index[control.transformer]): _settings(grid, control)
        for control in grid.tap_controls
    }


def _settings(grid: Grid, control: TapControl) -> dict[str, Any]:
    found: dict[str, Any] = {
        "vm_set_pu": round((control.vm_low_pu + control.vm_high_pu) / 2, 12),
        "deadband_pu": round(control.vm_high_pu - control.vm_low_pu, 12),
        "bus": int(grid.bus_index[control.bus]),
    }
    if control.drop_r_pu or control.drop_x_pu:
        low = grid.bus_vn_kv[grid.transformer_lv[control.transformer]]
        rated = grid.transformer_i_rated_ka[control.transformer, 1]
        ohm = float(low / np.sqrt(3.0) / rated)
        found["line_drop"] = [control.drop_r_pu * ohm, control.drop_x_pu * ohm]
    return found
