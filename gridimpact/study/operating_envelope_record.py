"""The record of dynamic operating envelopes, with its views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.errors import InputError
from gridimpact.records import BoolArray, FloatArray

if TYPE_CHECKING:
    import xarray as xr

WAYS = ("import", "export")


@dataclass(frozen=True)
class OperatingEnvelopes:
    """Limits of every connection and step.

    Attributes
    ----------
    times : ndarray
        (time,) begin of each step, naive UTC.
    site_id : tuple of str
        Connections.
    active : ndarray of bool
        (site,) connections that take part; the others keep to their demand.
    import_kw, export_kw : ndarray
        (time, site) highest draw and highest feed at the meter, magnitudes [kW]; where demand or generation of
        a connection is beyond its level it is that demand: it is not flexible.
    import_level, export_level : ndarray
        (time,) level found: [kW] the same for all, or the share of the main fuse.
    import_binding, export_binding : tuple of str
        (time,) what binds just above the level.
    import_kept, export_kept : ndarray of bool
        (time,) False where a limit is passed already at level zero.
    allocation : str
        "equal" or "proportional".
    limits : str
        Name of the limit profile.
    """

    times: NDArray[np.datetime64]
    site_id: tuple[str, ...]
    active: BoolArray
    import_kw: FloatArray
    export_kw: FloatArray
    import_level: FloatArray
    export_level: FloatArray
    import_binding: tuple[str, ...]
    export_binding: tuple[str, ...]
    import_kept: BoolArray
    export_kept: BoolArray
    allocation: str
    limits: str

    def frame(self, way: str = "import") -> pd.DataFrame:
        """Return the limits of one way, one row a step and one column a connection [kW].

        Raises
        ------
        InputError
            If `way` is neither "import" nor "export".
        """
        if way not in WAYS:
            message = f"way {way!r} is unknown; use one of {', '.join(WAYS)}"
            raise InputError(message)
        values = self.import_kw if way == "import" else self.export_kw
        return pd.DataFrame(values, index=pd.DatetimeIndex(self.times), columns=list(self.site_id))

    def binding(self) -> pd.DataFrame:
        """Return what binds at every step, with the levels."""
        return pd.DataFrame(
            {
                "import_level": self.import_level,
                "import_binding": list(self.import_binding),
                "import_kept": self.import_kept,
                "export_level": self.export_level,
                "export_binding": list(self.export_binding),
                "export_kept": self.export_kept,
            },
            index=pd.DatetimeIndex(self.times),
        )

    def to_xarray(self) -> xr.Dataset:
        """Return the limits as a labelled dataset over (time, site)."""
        import xarray as xr

        names = {"import_limit_kw": self.import_kw, "export_limit_kw": self.export_kw}
        return xr.Dataset(
            {
                name: (("time", "site"), values, {"unit": "kW", "sign": "a magnitude"})
                for name, values in names.items()
            },
            coords={"time": self.times, "site": list(self.site_id)},
            attrs={"allocation": self.allocation, "limits": self.limits},
        )
