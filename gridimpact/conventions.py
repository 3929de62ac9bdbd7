"""Names, dimensions, units and signs of every result variable, and the status of a power-flow lane.

One table: attributes of stored results, the glossary of a report and a test all come from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

POSITIVE_DRAWS = "positive draws from the grid, negative feeds back"


class Status(IntEnum):
    """What became of one lane (strategy x scenario x time) of a power flow."""

    OK = 0
    NOT_CONVERGED = 1
    UNSUPPLIED = 2
    IMPLAUSIBLE = 3


@dataclass(frozen=True, slots=True)
class Variable:
    """One result variable: its dimensions after (strategy, scenario), unit and meaning."""

    name: str
    dims: tuple[str, ...]
    unit: str
    meaning: str
    sign: str = ""

    def attributes(self) -> dict[str, str]:
        """Return the attributes a stored array carries."""
        found = {"units": self.unit, "long_name": self.meaning}
        return found | {"sign": self.sign} if self.sign else found


_TABLE = (
    Variable(
        "load_p_kw", ("time", "site"), "kW", "active power of the site's load", POSITIVE_DRAWS
    ),
    Variable(
        "load_q_kvar", ("time", "site"), "kvar", "reactive power of the site's load", POSITIVE_DRAWS
    ),
    Variable(
        "pv_p_kw", ("time", "site"), "kW", "photovoltaic power, never above zero", POSITIVE_DRAWS
    ),
    Variable(
        "charger_p_kw",
        ("strategy", "time", "charger"),
        "kW",
        "charger's active power at the meter",
        POSITIVE_DRAWS,
    ),
    Variable(
        "charger_q_kvar",
        ("strategy", "time", "charger"),
        "kvar",
        "charger's reactive power",
        POSITIVE_DRAWS,
    ),
    Variable(
        "pv_q_kvar",
        ("strategy", "time", "site"),
        "kvar",
        "reactive power of the site's photovoltaics where it answers to voltage",
        POSITIVE_DRAWS,
    ),
    Variable("soc", ("strategy", "time", "vehicle"), "1", "state of charge at the end of the step"),
    Variable(
        "soc_initial",
        ("period", "vehicle"),
        "1",
        "state of charge before the first step of a period",
    ),
    Variable("inner_loss_kwh", ("strategy", "time", "vehicle"), "kWh", "lost inside the step"),
    Variable(
        "unmet_kwh", ("strategy", "session"), "kWh", "energy missing in the battery at departure"
    ),
    Variable(
        "soc_arrival",
        ("strategy", "session"),
        "1",
        "state of charge at plug-in, the trip booked",
    ),
    Variable(
        "away_kwh",
        ("strategy", "session"),
        "kWh",
        "battery energy charged elsewhere because the trip needed more than the battery held",
    ),
    Variable("vm_pu", ("strategy", "time", "bus"), "1", "voltage magnitude over nominal"),
    Variable(
        "unbalance_percent",
        ("strategy", "time", "bus"),
        "%",
        "negative over positive sequence voltage",
    ),
    Variable(
        "line_loading_percent", ("strategy", "time", "line"), "%", "line current over ampacity"
    ),
    Variable(
        "transformer_loading_percent",
        ("strategy", "time", "transformer"),
        "%",
        "transformer current over rated current",
    ),
    Variable(
        "transformer_phase_loading_percent",
        ("strategy", "time", "transformer", "phase"),
        "%",
        "current of one phase over rated current",
    ),
    Variable(
        "transformer3w_loading_percent",
        ("strategy", "time", "transformer3w"),
        "%",
        "current over rated current of a three-winding transformer's worst winding",
    ),
    Variable(
        "tap_pos", ("strategy", "time", "tap_control"), "1", "tap position the control settled on"
    ),
    Variable(
        "transformer_p_kw",
        ("strategy", "time", "transformer"),
        "kW",
        "active power into the high-voltage side",
        POSITIVE_DRAWS,
    ),
    Variable(
        "transformer_q_kvar",
        ("strategy", "time", "transformer"),
        "kvar",
        "reactive power into the high-voltage side",
        POSITIVE_DRAWS,
    ),
    Variable(
        "top_oil_c",
        ("strategy", "time", "transformer"),
        "degC",
        "top-oil temperature at the end of the step",
    ),
    Variable(
        "hot_spot_c",
        ("strategy", "time", "transformer"),
        "degC",
        "winding hot-spot temperature at the end of the step",
    ),
    Variable(
        "ageing_rate",
        ("strategy", "time", "transformer"),
        "1",
        "ageing acceleration factor, 1 is normal ageing",
    ),
    Variable("losses_kw", ("strategy", "time"), "kW", "active losses of the network"),
    Variable(
        "status", ("strategy", "time"), "1", "0 ok, 1 not_converged, 2 unsupplied, 3 implausible"
    ),
    Variable("temp_air_c", ("time",), "degC", "ambient air temperature"),
    Variable("price", ("time",), "EUR/kWh", "energy price seen by a home that draws"),
)

VARIABLES: Mapping[str, Variable] = MappingProxyType({v.name: v for v in _TABLE})
"""Every result variable by name; what a study does not hold is left out of its results."""

BY_PHASE = frozenset({"vm_pu"})
"""Variables with a last dimension ``phase`` (a, b, c) where the power flow was in three phases."""


def attributes(name: str) -> dict[str, str]:
    """Return unit, meaning and sign of a result variable.

    Examples
    --------
    >>> attributes("vm_pu")
    {'units': '1', 'long_name': 'voltage magnitude over nominal'}
    """
    return VARIABLES[name].attributes()


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a comparison: unit, meaning and which way is better."""

    name: str
    unit: str
    meaning: str
    better: str = "low"


_METRICS = (
    Metric("cars", "1", "cars in the study", "none"),
    Metric(
        "cars_controlled",
        "1",
        "cars this strategy controls; the others charge uncontrolled",
        "none",
    ),
    Metric("hours_assessed", "h", "assessed time, warm-up days not counted", "none"),
    Metric("transformer_loading_max_percent", "%", "highest transformer loading by current"),
    Metric("transformer_hours_over_80", "h", "time with a transformer over 80 %"),
    Metric("transformer_hours_over_100", "h", "time with a transformer over 100 %"),
    Metric("transformer_hours_over_120", "h", "time with a transformer over 120 %"),
    Metric("line_loading_max_percent", "%", "highest line loading by current"),
    Metric("line_hours_over_100", "h", "time with a line over 100 %"),
    Metric("lines_unrated", "1", "lines without ampacity, not assessed", "none"),
    Metric("vm_min_pu", "1", "lowest voltage", "high"),
    Metric("vm_max_pu", "1", "highest voltage"),
    Metric("voltage_hours_outside", "h", "time with a bus outside the limit band"),
    Metric("voltage_buses_outside", "1", "buses ever outside the limit band"),
    Metric("unbalance_max_percent", "%", "highest voltage unbalance"),
    Metric(
        "voltage_step_max_percent",
        "%",
        "largest step of the voltage at a connection when its largest charger switches",
    ),
    Metric("neutral_current_max_a", "A", "highest current of the phases' sum in a line"),
    Metric("top_oil_max_c", "degC", "highest top-oil temperature"),
    Metric("hot_spot_max_c", "degC", "highest hot-spot temperature"),
    Metric("hot_spot_hours_over_limit", "h", "time with a hot spot over the limit"),
    Metric("ageing_equivalent", "1", "equivalent ageing of the worst transformer, 1 is normal"),
    Metric(
        "loss_of_life_percent",
        "%",
        "insulation life used by the worst transformer in the assessed time",
    ),
    Metric("losses_kwh", "kWh", "network losses"),
    Metric("energy_import_kwh", "kWh", "energy drawn from the upstream grid", "none"),
    Metric("energy_export_kwh", "kWh", "energy fed to the upstream grid", "none"),
    Metric("ev_energy_kwh", "kWh", "energy drawn by the chargers less energy fed back", "none"),
    Metric("ev_discharge_kwh", "kWh", "energy fed back by the chargers", "none"),
    Metric(
        "stored_change_kwh",
        "kWh",
        "energy in batteries at the end of the assessed time less at its begin",
        "none",
    ),
    Metric("departures", "1", "departures in the assessed time", "none"),
    Metric("departures_below_target_percent", "%", "share of departures below the target"),
    Metric("unmet_kwh", "kWh", "energy missing at departures"),
    Metric("battery_throughput_kwh", "kWh", "energy charged into and taken from batteries"),
    Metric("equivalent_full_cycles", "1", "mean full cycles per car"),
    Metric(
        "cost_eur",
        "EUR",
        "energy bill of all sites with cars less paid export, demand charges included",
    ),
    Metric("cost_per_home_eur", "EUR", "energy bill per home with a car"),
    Metric(
        "ev_cost_per_car_eur",
        "EUR",
        "bill per car over the same sites without cars, wear not included",
    ),
    Metric("wear_cost_per_car_eur", "EUR", "battery wear priced per car"),
    Metric(
        "battery_loss_low_percent",
        "%",
        "capacity the assessed time takes, mean over cars, of the tested cell that loses least",
    ),
    Metric(
        "battery_loss_high_percent",
        "%",
        "capacity the assessed time takes, mean over cars, of the tested cell that loses most",
    ),
    Metric(
        "battery_years_low",
        "a",
        "years to 80 % of the capacity, mean over cars, of the tested cell that ages fastest",
        "high",
    ),
    Metric(
        "battery_years_high",
        "a",
        "years to 80 % of the capacity, mean over cars, of the tested cell that ages slowest",
        "high",
    ),
    Metric(
        "battery_cost_low_eur",
        "EUR",
        "battery price the assessed time takes by ageing per car, of the cell that loses least",
    ),
    Metric(
        "battery_cost_high_eur",
        "EUR",
        "battery price the assessed time takes by ageing per car, of the cell that loses most",
    ),
    Metric("building_peak_kw", "kW", "highest draw of a building's meter"),
    Metric("lanes", "1", "power flows solved", "none"),
    Metric("lanes_failed", "1", "power flows that failed"),
    Metric("violations", "1", "violations of the limit profile"),
    Metric("violations_ev_caused", "1", "violations absent without added EVs"),
    Metric("violations_aggravated", "1", "violations made worse by added EVs"),
    Metric(
        "violations_relieved",
        "1",
        "violations of the case without added EVs that are gone or milder",
        "high",
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({m.name: m for m in _METRICS})
"""Every figure of a comparison by name, in the order of the table."""
