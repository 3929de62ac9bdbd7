"""Make the packaged networks from pandapower's own, with every correction and choice in the open.

Run ``python networks/build.py`` in the checkout; it rewrites ``networks/<name>/``. It needs only
pandapower. The corrections of the European low-voltage feeder follow the published description
(IEEE PES Distribution Test Feeders, "The IEEE European Low Voltage Test Feeder", May 2015).
"""

from __future__ import annotations

import copy
import json
import math
import random
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.network.assemble import write_net
from gridimpact.network.layout import points_of
from gridimpact.network.reader import read_net
from gridimpact.network.sites import derive_sites

SEED = 2011
"""Seed of the house connections of the Kerber village and suburb."""
FOLDER = Path(__file__).resolve().parent
BSD = "BSD-3-Clause, pandapower (University of Kassel and Fraunhofer IEE)"
KERBER = (
    "G. Kerber, Aufnahmefaehigkeit von Niederspannungsverteilnetzen fuer die Einspeisung aus "
    "Photovoltaikkleinanlagen, dissertation, TU Muenchen 2011"
)
CIGRE = (
    "CIGRE Task Force C6.04.02, Benchmark Systems for Network Integration of Renewable and "
    "Distributed Energy Resources, Technical Brochure 575, 2014"
)
FEEDER = "IEEE PES Distribution Test Feeder Working Group, The IEEE European Low Voltage Test Feeder, May 2015"
SCHUTTERWALD = "14 low-voltage areas of Schutterwald, Germany, generated from open data; doi:10.3390/en13164052"


@dataclass(frozen=True)
class Recipe:
    """One packaged network: how it is made and what its reader must know."""

    name: str
    title: str
    make: Callable[[], Any]
    origin: str
    suits: str
    remarks: tuple[str, ...]
    licence: str = BSD


def clean(net: Any, keep: dict[str, tuple[str, ...]] | None = None) -> Any:
    """Return a net of known columns; extra columns only where named."""
    from gridimpact.network.tables import known_dtypes

    own, _ = read_net(net)
    for table, dtypes in known_dtypes().items():
        wanted = {*dtypes, *(keep or {}).get(table, ())} - ({"geo"} if table == "line" else set())
        own[table] = own[table][[c for c in own[table] if c in wanted]]
    _round_places(own)
    return own


def _round_places(net: Any, digits: int = 7) -> None:
    """Round coordinates to about a centimetre."""
    points = points_of(net.bus["geo"])
    net.bus["geo"] = [
        None
        if np.isnan(point).any()
        else json.dumps({"type": "Point", "coordinates": np.round(point, digits).tolist()})
        for point in points
    ]


def _homes(net: Any) -> Any:
    """Name the customers, which the source leaves without names."""
    net.load["name"] = [f"Home {number}" for number in range(1, len(net.load) + 1)]
    net.load["site_kind"] = "home"
    return net


def kerber(maker: str) -> Callable[[], Any]:
    """Return the maker of a Kerber network."""

    def make() -> Any:
        import pandapower.networks as source

        random.seed(SEED)  # pandapower draws the type of each house connection at random
        return _homes(clean(getattr(source, maker)(), {"trafo": ("vector_group",)}))

    return make


def village_250kva() -> Any:
    """Return the Kerber village behind the next smaller transformer of the library."""
    import pandapower

    net = kerber("create_kerber_dorfnetz")()
    pandapower.change_std_type(net, 0, "0.25 MVA 10/0.4 kV", "trafo")
    return clean(net, {"trafo": ("vector_group",), "load": ("site_kind",)})


def cigre_lv() -> Any:
    """Return the CIGRE low-voltage benchmark; kinds follow its three sub-networks."""
    import pandapower.networks as source

    net = clean(source.create_cigre_network_lv())
    kinds = {"R": "home", "I": "building", "C": "building"}
    net.load["site_kind"] = [kinds[name.removeprefix("Load ")[0]] for name in net.load["name"]]
    # 190 kW at the busbar stand for all further residential feeders, not for one customer.
    net.load.loc[net.load["name"] == "Load R1", "site_kind"] = "public"
    return net


def cigre_mv() -> Any:
    """Return the CIGRE medium-voltage benchmark without distributed generation."""
    import pandapower.networks as source

    return clean(source.create_cigre_network_mv(with_der=False))


def schutterwald() -> Any:
    """Return the whole low-voltage network of Schutterwald."""
    import pandapower.networks as source

    return clean(source.lv_schutterwald())


def schutterwald_area() -> Any:
    """Return the one area with 177 customers behind a 400 kVA transformer."""
    import pandapower.networks as source

    areas = source.lv_schutterwald(separation_by_sub=True)
    net = clean(next(area for area in areas if len(area.load) == 177))
    assert net.trafo.sn_mva.tolist() == [0.4]
    return net


def european_lv() -> Any:
    """Return the IEEE European low-voltage feeder with pandapower's copy corrected."""
    import pandapower.networks as source

    zero = {
        "line": ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"),
        "trafo": (
            "vector_group",
            "vk0_percent",
            "vkr0_percent",
            "mag0_percent",
            "mag0_rx",
            "si0_hv_partial",
        ),
        "ext_grid": ("s_sc_max_mva", "rx_max", "r0x0_max", "x0x_max"),
    }
    net = clean(source.ieee_european_lv_asymmetric("on_peak_566"), zero)
    _single_precision(net)
    _loads_as_published(net)
    _transformer_as_published(net)
    _source_as_published(net)
    net["sn_mva"] = 1.0  # the copy's 100 MVA blunts the solver's tolerance on a feeder of 100 kW
    net.line["max_i_ka"] = np.nan  # the copy has 0.421 kA on every line; the description has none
    return clean(net, zero | {"asymmetric_load": ("site_kind", "fuse_a")})


def _single_precision(net: Any) -> None:
    """Round line data, which the copy holds in single precision, to the published digits."""
    for column in ("r_ohm_per_km", "x_ohm_per_km", "r0_ohm_per_km", "x0_ohm_per_km"):
        net.line[column] = net.line[column].astype(float).round(6)
    net.line["length_km"] = net.line["length_km"].round(9)
    net.line["c0_nf_per_km"] = 0.0
    net.line["name"] = [f"Line {name.removeprefix('LINE')}" for name in net.line["name"]]


def _loads_as_published(net: Any) -> None:
    """Give all 55 loads the published 1 kW at power factor 0.95 lagging on their phase.

    The copy has power factor 1 on 34 of them, and the powers of one minute.
    """
    table = net.asymmetric_load
    power = table[["p_a_mw", "p_b_mw", "p_c_mw"]].to_numpy()
    phase = np.argmax(power, axis=1)
    assert ((power > 0.0).sum(axis=1) == 1).all()
    for number, letter in enumerate("abc"):
        p_mw = np.where(phase == number, 0.001, 0.0)
        table[f"p_{letter}_mw"] = p_mw
        table[f"q_{letter}_mvar"] = p_mw * math.tan(math.acos(0.95))
    table["name"] = [f"Home {number}" for number in range(1, len(table) + 1)]
    table["site_kind"] = "home"
    table["fuse_a"] = 80.0


def _transformer_as_published(net: Any) -> None:
    """Set Dyn1 of 0.8 MVA, X = 4 %, R = 0.4 %, without magnetising path.

    The copy's mag0_percent of 100 lowers voltages by 0.1 V and more; the published model has no
    zero-sequence magnetising branch, which a very large value stands for.
    """
    net.trafo["vk_percent"] = net.trafo["vk0_percent"] = math.hypot(4.0, 0.4)
    net.trafo["vkr_percent"] = net.trafo["vkr0_percent"] = 0.4
    net.trafo["mag0_percent"] = 1e6
    net.trafo["mag0_rx"] = 0.0
    net.trafo["si0_hv_partial"] = 0.9
    net.trafo["name"] = "Transformer"
    net.trafo["std_type"] = None


def _source_as_published(net: Any) -> None:
    """Put the published source impedance as a line behind an ideal 1.05 pu source.

    11 kV, three-phase short-circuit current 3000 A, X/R = 4 (the default of the program that
    published it). pandapower's three-phase source is ideal in positive sequence, so a short-circuit
    power in ext_grid would not act.
    """
    z_ohm = 11_000.0 / math.sqrt(3.0) / 3000.0
    r_ohm = z_ohm / math.hypot(1.0, 4.0)
    bus, line = int(net.bus.index.max()) + 1, int(net.line.index.max()) + 1
    feed = int(net.ext_grid.bus.iloc[0])
    net.bus.loc[bus] = net.bus.loc[feed]
    net.bus.loc[bus, "name"] = "Upstream source"
    net.bus.loc[feed, "name"] = "Source bus"
    last = net.line.iloc[[-1]].copy()
    last.index = pd.Index([line])
    values = {
        "name": "Source impedance",
        "std_type": None,
        "from_bus": bus,
        "to_bus": feed,
        "length_km": 1.0,
        "r_ohm_per_km": r_ohm,
        "x_ohm_per_km": 4.0 * r_ohm,
        # No zero-sequence current passes the delta winding, so these carry none.
        "r0_ohm_per_km": r_ohm,
        "x0_ohm_per_km": 4.0 * r_ohm,
        "type": None,
    }
    for column, value in values.items():
        last[column] = value
    net["line"] = pd.concat([net.line, last.astype(net.line.dtypes.to_dict())])
    net.ext_grid["bus"] = np.uint32(bus)
    net.ext_grid["s_sc_max_mva"] = 1e8
    net.ext_grid["rx_max"] = 0.1
    net.ext_grid["r0x0_max"] = 0.1
    net.ext_grid["x0x_max"] = 1.0


RECIPES = (
    Recipe(
        "kerber_village", "Kerber village", kerber("create_kerber_dorfnetz"), KERBER,
        "first studies; 57 homes, strong 400 kVA transformer that rarely binds",
        ("Made by pandapower.networks.create_kerber_dorfnetz.",
         "Customers are named Home 1 to Home 57; the source gives 6 kW each and no reactive power.",
            "House connections are one of two cable types with even chance; pandapower draws them, and the "
            "draw is fixed here.",
         "No coordinates in the source: drawn by a radial layout when opened."),
    ),
    Recipe(
        "kerber_village_250kva", "Kerber village on 250 kVA", village_250kva, KERBER,
        "studies that bind: 57 homes on a 250 kVA transformer",
        ("The Kerber village with pandapower's standard transformer of 0.25 MVA 10/0.4 kV in place "
         "of 0.4 MVA; a variant of our own, not of the dissertation.",
         "No coordinates in the source: drawn by a radial layout when opened."),
    ),
    Recipe(
        "kerber_suburb", "Kerber suburb", kerber("create_kerber_vorstadtnetz_kabel_1"), KERBER,
        "many homes on short cables; the 630 kVA transformer binds before voltage",
        ("Made by pandapower.networks.create_kerber_vorstadtnetz_kabel_1.",
         "Customers are named Home 1 to Home 146; the source gives 2 kW each and no reactive power.",
            "House connections are one of two cable types with even chance; pandapower draws them, and the "
            "draw is fixed here.",
         "No coordinates in the source: drawn by a radial layout when opened."),
    ),
    Recipe(
        "kerber_rural", "Kerber rural overhead lines",
        kerber("create_kerber_landnetz_freileitung_1"), KERBER,
        "few customers on long overhead lines; voltage binds first",
        ("Made by pandapower.networks.create_kerber_landnetz_freileitung_1.",
         "No coordinates in the source: drawn by a radial layout when opened."),
    ),
    Recipe(
        "cigre_lv", "CIGRE European low-voltage benchmark", cigre_lv, CIGRE,
        "residential, industrial and commercial feeders side by side; cables and overhead lines",
        ("Made by pandapower.networks.create_cigre_network_lv.",
         "Each load is an aggregate: R is residential (home), I and C are industrial and commercial "
         "(building), R1 stands for further feeders (public).",
         "The ampacity of 1 kA on every line is a placeholder: lines count as unrated when opened.",
         "No iron losses in the data. Coordinates are schematic and scaled when opened."),
    ),
    Recipe(
        "cigre_mv", "CIGRE European medium-voltage benchmark", cigre_mv, CIGRE,
        "medium-voltage studies with aggregated demand and meshes to close",
        ("Made by pandapower.networks.create_cigre_network_mv(with_der=False).",
         "Each load is a whole low-voltage area, so its kind is public.",
         "No iron losses in the data. Coordinates are schematic and scaled when opened."),
    ),
    Recipe(
        "lv_schutterwald", "Schutterwald, 14 low-voltage areas", schutterwald, SCHUTTERWALD,
        "scale: 1,506 customers, 14 transformers, several sources and open switches",
        ("Made by pandapower.networks.lv_schutterwald() without heat pumps.",
         "Real coordinates (longitude, latitude); line routes left out.",
         "The sources hold 0.965 pu and the taps stand at +1, the worst case of the study behind it: "
         "give busbar_vm_pu for an ordinary day.",
         "Nearly all customers draw 2.1 kW at power factor 0.999: placeholders, not measurements."),
    ),
    Recipe(
        "lv_schutterwald_area", "Schutterwald, the area with 177 homes", schutterwald_area,
        SCHUTTERWALD,
        "the binding case: 177 homes with real coordinates on a 400 kVA transformer",
        ("The area of station T_idx_35, cut out of pandapower.networks.lv_schutterwald(); its "
         "source sits at the transformer's high-voltage bus, as in the whole network.",
         "Real coordinates (longitude, latitude); line routes left out.",
         "All 177 customers are households of 2.1 kW in the source; nothing in the data tells a "
         "building apart, so none is marked. Name one with site_kinds when opening.",
         "The source holds 0.965 pu and the tap stands at +1: give busbar_vm_pu for an ordinary "
         "day (1.025 puts the low-voltage busbar near 1.0 at no load)."),
    ),
    Recipe(
        "ieee_european_lv", "IEEE European low-voltage feeder, corrected", european_lv, FEEDER,
        "three-phase and validation studies: 55 single-phase homes with complete zero-sequence data",
        ("Made from pandapower.networks.ieee_european_lv_asymmetric(), which differs from the "
         "published feeder: power factor 1 on 34 of 55 loads, an ideal source, and a "
         "zero-sequence magnetising branch of the transformer.",
         "Corrected: 1 kW at power factor 0.95 on all 55 loads, each on its published phase; source "
         "impedance of 3000 A and X/R = 4 as a line behind an ideal source of 1.05 pu; Dyn "
         "transformer with X = 4 %, R = 0.4 % in all sequences and no magnetising branch.",
         "Solved three-phase it agrees with the published voltages of the minutes 1, 566 and 1440 "
         "within 1 mV.",
         "The ampacity of 0.421 kA on every line was a placeholder and is removed: lines are unrated.",
         "Main fuses of 80 A are an assumption for single-phase homes of this kind.",
         "No iron losses in the data. Coordinates are metres."),
        BSD + "; published benchmark data of the IEEE PES",
    ),
)  # fmt: skip


def facts(net: Any) -> dict[str, Any]:
    """Return what the list of networks shows."""
    levels = sorted({float(v) for v in net.bus.vn_kv}, reverse=True)
    return {
        "kv": " / ".join(f"{level:g}" for level in levels),
        "buses": len(net.bus),
        "customers": len(derive_sites(net).frame),
        "transformers": len(net.trafo),
        "transformer_kva": [round(1000.0 * float(s), 3) for s in net.trafo.sn_mva],
    }


def write(recipe: Recipe) -> None:
    """Write one folder: grid, facts and README."""
    import pandapower

    net = recipe.make()
    net["name"] = recipe.title
    net["converged"] = False
    folder = FOLDER / recipe.name
    folder.mkdir(exist_ok=True)
    write_net(net, folder / "grid.json")
    told = {k: v for k, v in asdict(recipe).items() if k in ("title", "origin", "licence", "suits")}
    about = told | facts(net) | {"made_with": f"pandapower {pandapower.__version__}"}
    (folder / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(readme(recipe, about), encoding="utf-8")


def readme(recipe: Recipe, about: dict[str, Any]) -> str:
    """Return the README of a network."""
    sizes = ", ".join(f"{size:g}" for size in sorted(set(about["transformer_kva"])))
    lines = [
        f"# {recipe.title}",
        "",
        f'`open_network("{recipe.name}")`',
        "",
        f"- Origin: {recipe.origin}.",
        f"- Licence: {recipe.licence}.",
        f"- Voltage: {about['kv']} kV. Buses: {about['buses']}. Customers: {about['customers']}. "
        f"Transformers: {about['transformers']} ({sizes} kVA).",
        f"- Suits: {recipe.suits}.",
        *(f"- {remark}" for remark in recipe.remarks),
        "",
        f"`grid.json` is pandapower JSON, made with {about['made_with']} by `networks/build.py`.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Write every network, or those named on the command line."""
    wanted = set(sys.argv[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for recipe in RECIPES:
            if not wanted or recipe.name in wanted:
                write(copy.copy(recipe))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
