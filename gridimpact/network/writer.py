"""A studied network written back as pandapower JSON, with or without its own loads and generators."""

from __future__ import annotations

import copy
from pathlib import Path

from gridimpact.records import Network

_INJECTIONS = ("load", "sgen", "storage", "asymmetric_load", "asymmetric_sgen")


def write_network(network: Network, path: Path, *, keep_loads: bool = False) -> None:
    """Write the network that is solved to a pandapower JSON file.

    Parameters
    ----------
    network : Network
        As opened; it is not written to.
    path : Path
        File to make.
    keep_loads : bool
        Keep the network's own loads and generators. They are left out by default, because the
        profiles of a study take their place.
    """
    import pandapower

    net = copy.deepcopy(network.net)
    if not keep_loads:
        for table in _INJECTIONS:
            net[table] = net[table].iloc[:0]
    for table in [name for name in net if name.startswith("res_")]:
        net[table] = net[table].iloc[:0]
    pandapower.to_json(net, str(path))
