"""The packaged networks by name, and what each of them suits."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from gridimpact.errors import GridError
from gridimpact.paths import data_folder

ABOUT = "about.json"
GRID = "grid.json"


def list_networks() -> pd.DataFrame:
    """Return the packaged networks.

    Returns
    -------
    pandas.DataFrame
        Indexed by name, with ``title``, ``kv`` (voltage levels [kV], text), ``buses``,
        ``customers``, ``transformers``, ``suits`` and ``licence``. SimBench networks are opened
        by code, e.g. ``"simbench:1-LV-rural1--0-sw"``, and not listed.

    Examples
    --------
    >>> int(list_networks().loc["kerber_village", "customers"])
    57
    """
    names = network_names()
    rows = [about_network(name) for name in names]
    columns = ["title", "kv", "buses", "customers", "transformers", "suits", "licence"]
    return pd.DataFrame(rows, index=pd.Index(names, name="name"), columns=columns)


def network_names() -> list[str]:
    """Return the names of the packaged networks, sorted."""
    folder = data_folder("networks")
    return sorted(path.parent.name for path in folder.glob(f"*/{GRID}"))


def about_network(name: str) -> dict[str, Any]:
    """Return origin, licence and size of a packaged network."""
    found: dict[str, Any] = json.loads(
        (network_file(name).parent / ABOUT).read_text(encoding="utf-8")
    )
    return found


def network_file(name: str) -> Path:
    """Return the file of a packaged network.

    Raises
    ------
    GridError
        If there is none of that name; the message names the nearest.
    """
    names = network_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}? " if near else ""
        message = (
            f"no network {str(name)[:80]!r}: {hint}packaged are {', '.join(names)}; a file needs its ending "
            "(.json, .xlsx), a SimBench code the prefix 'simbench:'"
        )
        raise GridError(message)
    return data_folder("networks") / name / GRID
