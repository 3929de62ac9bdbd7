"""Every scenario of a scan as a table that reads without the program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.hosting.named_elements import element_axes
from gridimpact.records import LIMIT_BIT, SCENARIO_DTYPE, Network, ScanSettings

_AXIS = {
    "voltage_bus": "bus",
    "unbalance_bus": "bus",
    "line": "line",
    "transformer": "transformer",
    "site": "site",
}
_MASKS = ("broken", "broken_any")


def scenario_frame(rows: NDArray[Any], settings: ScanSettings, network: Network) -> pd.DataFrame:
    """Return the scenarios with strategies by label, masks as text and elements by name.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
    settings : ScanSettings
    network : Network

    Returns
    -------
    DataFrame
        Columns of `SCENARIO_DTYPE` in their order; masks read "voltage, line_loading", "" where nothing is
        broken; an element that there is none of is "".
    """
    axes = element_axes(network)
    labels = np.array(settings.labels, dtype=object)
    columns: dict[str, Any] = {}
    for name in SCENARIO_DTYPE.names or ():
        values = rows[name]
        if name == "strategy":
            columns[name] = labels[values]
        elif name in _MASKS:
            columns[name] = _mask_texts(values)
        elif name in _AXIS:
            columns[name] = axes[_AXIS[name]].name[values]
        else:
            columns[name] = values.astype(bool) if name == "refined" else values
    return pd.DataFrame(columns)


def mask_text(mask: int) -> str:
    """Return the kinds of limit in a mask.

    Examples
    --------
    >>> mask_text(5)
    'voltage, line_loading'
    """
    return ", ".join(kind for kind, bit in LIMIT_BIT.items() if mask & bit)


def _mask_texts(masks: NDArray[Any]) -> NDArray[np.object_]:
    """Return the text of each mask; few masks differ, so each is written once."""
    found, at = np.unique(masks, return_inverse=True)
    texts = np.array([mask_text(int(m)) for m in found], dtype=object)
    return texts[at] if len(texts) else np.zeros(0, dtype=object)
