"""Which tables and columns of a pandapower net a study uses, which it drops, and their defaults.

The known columns come from pandapower's own empty network; nothing here reads a user's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

MAX_BYTES = 200_000_000
"""Largest file read [byte]."""
MAX_ROWS = 500_000
"""Most rows of one table."""
MAX_BUSES = 100_000
MAX_COLUMNS = 200
MAX_DEPTH = 40
"""Deepest nesting of a file."""
MAX_TEXT = 20_000
"""Longest text in a cell."""

STUDIED = (
    "bus",
    "load",
    "asymmetric_load",
    "sgen",
    "asymmetric_sgen",
    "storage",
    "gen",
    "ext_grid",
    "line",
    "trafo",
    "trafo3w",
    "impedance",
    "shunt",
    "switch",
    "motor",
    "ward",
    "xward",
    "dcline",
    "svc",
    "ssc",
    "tcsc",
    "vsc",
    "bus_dc",
    "line_dc",
    "source_dc",
    "load_dc",
)
UNSUPPORTED: Mapping[str, str] = {
    "vsc_stacked": "give its AC power as a static generator",
    "vsc_bipolar": "give its AC power as a static generator",
}
"""Elements a study cannot represent, and what to do instead."""
LEGACY = ("bus_geodata", "line_geodata")
"""Tables of coordinates of format 2, turned into column ``geo``."""
SCALARS = ("name", "f_hz", "sn_mva", "version", "format_version")

BUS_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "load": ("bus",),
    "asymmetric_load": ("bus",),
    "sgen": ("bus",),
    "asymmetric_sgen": ("bus",),
    "storage": ("bus",),
    "gen": ("bus",),
    "ext_grid": ("bus",),
    "shunt": ("bus",),
    "switch": ("bus",),
    "motor": ("bus",),
    "ward": ("bus",),
    "xward": ("bus",),
    "svc": ("bus",),
    "ssc": ("bus",),
    "vsc": ("bus",),
    "dcline": ("from_bus", "to_bus"),
    "tcsc": ("from_bus", "to_bus"),
    "line": ("from_bus", "to_bus"),
    "impedance": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
}
"""Columns that name a bus."""
DC_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "vsc": ("bus_dc",),
    "line_dc": ("from_bus_dc", "to_bus_dc"),
    "source_dc": ("bus_dc",),
    "load_dc": ("bus_dc",),
}
"""Columns that name a bus of direct current."""

_PHASES = ("p_a_mw", "q_a_mvar", "p_b_mw", "q_b_mvar", "p_c_mw", "q_c_mvar")
_WINDINGS = ("sn_{}_mva", "vn_{}_kv", "vk_{}_percent", "vkr_{}_percent")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "bus": ("vn_kv",),
    "load": ("bus", "p_mw"),
    "asymmetric_load": ("bus", *_PHASES),
    "sgen": ("bus", "p_mw"),
    "asymmetric_sgen": ("bus", *_PHASES),
    "storage": ("bus", "p_mw"),
    "gen": ("bus", "p_mw", "vm_pu"),
    "ext_grid": ("bus", "vm_pu"),
    "line": ("from_bus", "to_bus", "length_km", "r_ohm_per_km", "x_ohm_per_km"),
    "trafo": (
        "hv_bus",
        "lv_bus",
        "sn_mva",
        "vn_hv_kv",
        "vn_lv_kv",
        "vk_percent",
        "vkr_percent",
    ),
    "trafo3w": (
        "hv_bus",
        "mv_bus",
        "lv_bus",
        *(text.format(side) for text in _WINDINGS for side in ("hv", "mv", "lv")),
    ),
    "impedance": ("from_bus", "to_bus", "rft_pu", "xft_pu", "rtf_pu", "xtf_pu", "sn_mva"),
    "shunt": ("bus", "p_mw", "q_mvar"),
    "switch": ("bus", "element", "et", "closed"),
    "motor": ("bus", "pn_mech_mw", "cos_phi"),
    "ward": ("bus", "ps_mw", "qs_mvar", "pz_mw", "qz_mvar"),
    "xward": ("bus", "ps_mw", "qs_mvar", "pz_mw", "qz_mvar", "r_ohm", "x_ohm", "vm_pu"),
    "dcline": (
        "from_bus",
        "to_bus",
        "p_mw",
        "loss_percent",
        "loss_mw",
        "vm_from_pu",
        "vm_to_pu",
    ),
    "svc": ("bus", "x_l_ohm", "x_cvar_ohm", "set_vm_pu", "controllable"),
    "ssc": ("bus", "r_ohm", "x_ohm", "set_vm_pu", "controllable"),
    "tcsc": ("from_bus", "to_bus", "x_l_ohm", "x_cvar_ohm", "set_p_to_mw", "controllable"),
    "vsc": ("bus", "bus_dc", "r_ohm", "x_ohm", "control_mode_ac", "control_value_ac"),
    "bus_dc": ("vn_kv",),
    "line_dc": ("from_bus_dc", "to_bus_dc", "length_km", "r_ohm_per_km"),
    "source_dc": ("bus_dc", "vm_pu"),
    "load_dc": ("bus_dc", "p_dc_mw"),
}
"""Columns a table must bring; the rest has a default or may be missing."""

DEFAULTS: Mapping[str, Any] = {
    "in_service": True,
    "closed": True,
    "scaling": 1.0,
    "parallel": 1,
    "df": 1.0,
    "c_nf_per_km": 0.0,
    "g_us_per_km": 0.0,
    "q_mvar": 0.0,
    "const_z_p_percent": 0.0,
    "const_i_p_percent": 0.0,
    "const_z_q_percent": 0.0,
    "const_i_q_percent": 0.0,
    "va_degree": 0.0,
    "slack_weight": 1.0,
    "loading_percent": 100.0,
    "efficiency_percent": 100.0,
    "thyristor_firing_angle_degree": 90.0,
    "vm_internal_pu": 1.0,
    "va_internal_degree": 0.0,
    "pfe_kw": 0.0,
    "i0_percent": 0.0,
    "shift_degree": 0.0,
    "shift_mv_degree": 0.0,
    "shift_lv_degree": 0.0,
    "z_ohm": 0.0,
    "step": 1.0,
    "max_step": 1,
    "gf_pu": 0.0,
    "bf_pu": 0.0,
    "gt_pu": 0.0,
    "bt_pu": 0.0,
}
"""Values of columns a file may leave out."""


@dataclass
class RawTable:
    """One table as plain values, before any dtype is believed."""

    index: list[Any]
    columns: dict[str, list[Any]]


@dataclass
class RawNet:
    """A net as plain values; what the gates for JSON, Excel and live objects hand on."""

    tables: dict[str, RawTable] = field(default_factory=dict)
    scalars: dict[str, Any] = field(default_factory=dict)
    line_types: dict[str, dict[str, Any]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def known_dtypes() -> Mapping[str, Mapping[str, str]]:
    """Return the dtype of every known column by table, from pandapower's empty network."""
    from pandapower import create_empty_network

    empty = create_empty_network()
    names = (*STUDIED, *UNSUPPORTED)
    return {
        name: {str(column): str(dtype) for column, dtype in empty[name].dtypes.items()}
        for name in names
        if name in empty
    }


def why_dropped(key: str) -> str | None:
    """Return why an entry of a net is never read, or None where it is read.

    Examples
    --------
    >>> why_dropped("controller")
    'controllers are code that a file may not bring'
    >>> why_dropped("load") is None
    True
    """
    special = {
        "controller": "controllers are code that a file may not bring",
        "output_writer": "an output writer writes files to a place the network chooses",
        "user_pf_options": "stored power-flow options would change results silently",
        "characteristic": "characteristics are objects that a file may not bring",
        "profiles": "profiles inside a network are not read; give them as a file",
    }
    if key in special:
        return special[key]
    if key.startswith("_"):
        return "private entries are internal to pandapower"
    if key.startswith("res_"):
        return "stored results are not trusted"
    if "characteristic" in key:
        return "tap and capability tables are not used; taps act by their step"
    return None
