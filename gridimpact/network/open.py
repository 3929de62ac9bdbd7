"""Open a network for study: read, check, mend, place, derive sites, extract."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridimpact.errors import GridError, InputError, Problem, raise_problems
from gridimpact.network.catalogue import about_network, network_file
from gridimpact.network.check import check_net
from gridimpact.network.check_base import check_base_case
from gridimpact.network.grid import extract_grid
from gridimpact.network.layout import place_buses
from gridimpact.network.mend import mend_net
from gridimpact.network.reader import read_net
from gridimpact.network.simbench_source import (
    LICENCE,
    PREFIX,
    SimbenchSource,
    fetch_simbench,
    simbench_profiles,
)
from gridimpact.network.sites import derive_sites
from gridimpact.network.tap_control import with_tap_controls
from gridimpact.records import Network

UNKNOWN_LICENCE = "the user's own"


def open_network(
    source: Any,
    *,
    name: str | None = None,
    site_kinds: Mapping[str, str] | None = None,
    busbar_vm_pu: float | None = None,
    derating: float | None = None,
    tap_control: Mapping[int, Mapping[str, Any]] | None = None,
) -> Network:
    """Open a network for study.

    Parameters
    ----------
    source : str, path or pandapowerNet
        Name of a packaged network (see `list_networks`), ``"simbench:<code>"``, a file
        (``.json`` of ``pandapower.to_json``, ``.xlsx`` of ``pandapower.to_excel``) or a net.
        A net is copied and never written to.
    name : str, optional
        Name in reports; by default the packaged name, the file's stem or the net's name.
    site_kinds : mapping of str to str, optional
        "home", "building" or "public" by site id, over what names and size tell.
    busbar_vm_pu : float, optional
        Voltage of the source busbars (every ``ext_grid``), 0.8 to 1.2 [pu]; None keeps the
        network's own, stated as an assumption.
    derating : float, optional
        Factor on the ampacity of buried cables (line type "cs") that have none of their own, above
        0 up to 1; None takes 0.8 for grouping.
    tap_control : mapping, optional
        Transformers whose tap changer holds a voltage: by row of table ``trafo`` the settings of
        `gridimpact.network.tap_control.with_tap_control`, e.g.
        ``{0: {"vm_set_pu": 1.02, "deadband_pu": 0.02}}``.

    Returns
    -------
    Network
        With every assumption, dropped entry and warning among its notes.

    Raises
    ------
    GridError
        If the source is unknown, unreadable, unsafe or unusable; all problems at once.
    MissingExtra
        If SimBench or Excel is asked for and its extra is not installed.

    Examples
    --------
    >>> village = open_network("kerber_village")
    >>> len(village.sites), village.grid.transformer_sn_kva.tolist()
    (57, [400.0])
    """
    _check_arguments(busbar_vm_pu, derating)
    plain, label, licence, bench = _resolve(source)
    net, notes = read_net(plain)
    problems, warned = check_net(net)
    raise_problems(problems, f"network {label or 'given'}", GridError)
    notes += [*warned, *mend_net(net, busbar_vm_pu=busbar_vm_pu, derating=derating)]
    if licence == UNKNOWN_LICENCE:
        raise_problems(check_base_case(net), f"network {label or 'given'}", GridError)
    bus_xy, geographic, drawn = place_buses(net)
    table = derive_sites(net, site_kinds)
    notes += [*drawn, *table.notes]
    profiles = None
    if bench is not None:
        profiles = simbench_profiles(bench, net, table)
        notes += [*bench.notes, *profiles.notes]
    network = Network(
        name=name or label or str(net.name) or "network",
        source=_origin(source),
        licence=licence,
        net=net,
        grid=extract_grid(net, bus_xy, geographic),
        sites=table.frame,
        notes=tuple(dict.fromkeys(notes)),
        profiles=profiles,
    )
    return with_tap_controls(network, tap_control) if tap_control else network


def _origin(source: Any) -> str:
    """Return a source in words, without the folder a file lies in."""
    if isinstance(source, Mapping):
        return "pandapower net"
    text = str(source)
    return text if text.startswith(PREFIX) else Path(text).name


def _check_arguments(busbar_vm_pu: float | None, derating: float | None) -> None:
    """Refuse settings outside their range, both at once."""
    problems = []
    if busbar_vm_pu is not None and not 0.8 <= busbar_vm_pu <= 1.2:
        what = f"is {busbar_vm_pu!r}, must lie in 0.8 to 1.2 pu"
        problems.append(Problem("busbar_vm_pu", what, "give it per unit, e.g. 1.02"))
    if derating is not None and not (0.0 < derating <= 1.0 and math.isfinite(derating)):
        what = f"is {derating!r}, must be above 0 and at most 1"
        problems.append(Problem("derating", what, "1 for no derating, 0.8 for grouped cables"))
    raise_problems(problems, "open_network")


def _resolve(source: Any) -> tuple[Any, str, str, SimbenchSource | None]:
    """Return what to read, its name, its licence and what SimBench brought."""
    if isinstance(source, Mapping):
        return source, str(source.get("name") or ""), UNKNOWN_LICENCE, None
    if not isinstance(source, str | Path):
        message = f"cannot open {type(source).__name__} as a network; give a name, a file or a net"
        raise InputError(message)
    text = str(source)
    if text.startswith(PREFIX):
        bench = fetch_simbench(text[len(PREFIX) :])
        return bench.net, text[len(PREFIX) :], LICENCE, bench
    if isinstance(source, Path) or Path(text).suffix or Path(text).is_file():
        return Path(text), Path(text).stem, UNKNOWN_LICENCE, None
    return network_file(text), text, str(about_network(text)["licence"]), None
