"""A small scan that tests share: thirteen meters, a transformer limit that binds, one spring day."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import gridimpact as gi
from tests.study.case import parts

DAY = "2016-04-19"
ASKED: dict[str, Any] = {"days": [DAY], "draws": 4, "cars_per_home": [0.5, 1, 3], "workers": 0}
TIGHT = {"base": "eu_lv_planning", "name": "tight", "transformer_loading_percent": 25.0}


def tight_study(strategies: list[Any] | None = None) -> gi.Study:
    """Return the shared homes and cars on a transformer that may carry a quarter of its rating."""
    net, homes, cars, air = parts()
    return gi.Study(
        net, homes, cars, ambient=air, limits=TIGHT, seed=3, name="Rural feeder",
        strategies=[gi.g2v.ValleyFilling()] if strategies is None else strategies,
        prices={"home": "nl_2019", "building": "building_demand"},
    )  # fmt: skip


@lru_cache(maxsize=1)
def scanned() -> gi.Scan:
    """Return the shared scan, solved in this process."""
    return gi.hosting_capacity(tight_study(), **ASKED, progress=False)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every result of a scan's folder but its manifest, which holds times."""
    return {f.name: f.read_bytes() for f in folder.iterdir() if f.name != "manifest.json"}
