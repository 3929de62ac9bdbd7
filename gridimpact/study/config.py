"""The study file: what may stand in `study.yaml`, checked before anything is read or built."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.study.config_hosting import HostingConfig
from gridimpact.study.config_keys import key_remedy

MAX_BYTES = 1_000_000
MAX_ALIASES = 50


class _Section(BaseModel):
    """A section of the file: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TapControlConfig(_Section):
    """A tap changer under load."""

    vm_set_pu: float
    """Middle of the band [pu]."""
    deadband_pu: float
    """Whole width of the band [pu]."""
    bus: int | None = None
    """Index of the bus held; the transformer's own on `side` if left out."""
    side: Literal["lv", "hv"] = "lv"
    line_drop: tuple[float, float] | None = None
    """Resistance and reactance to the point held [ohm, low-voltage side]."""


class NetworkConfig(_Section):
    """Which network is studied."""

    source: str
    """Name of a packaged network, `simbench:CODE`, or a file under the study folder."""
    site_kinds: dict[str, Literal["home", "building", "public"]] = Field(default_factory=dict)
    """Kind of a site by its id, where it is not a home."""
    busbar_vm_pu: float | None = Field(default=None, ge=0.8, le=1.2)
    """Voltage set-point of the external grid [pu]; the network's own where left out."""
    name: str | None = None
    """Name in the report; the packaged name or the file's where left out."""
    derating: float | None = Field(default=None, gt=0, le=1)
    """Factor on the ampacity of buried cables that have none of their own; 0.8 where left out."""
    tap_control: dict[int, TapControlConfig] = Field(default_factory=dict)
    """Tap changers that hold a voltage, by index of the transformer."""


class TimelineConfig(_Section):
    """The time axis."""

    first: str
    """First local day, ISO."""
    last: str
    """Last local day, ISO, included."""
    step: str = "15min"
    zone: str
    """IANA name of the local zone."""


class HouseholdsConfig(_Section):
    """Synthetic demand for every site."""

    annual_kwh: float | dict[str, float] = 3500.0
    peak_kva: float | None = Field(default=None, gt=0)
    """Measured maximum of the transformer without EVs [kVA]."""
    heat_pump_share: float = Field(default=0.0, ge=0, le=1)
    pv_share: float = Field(default=0.0, ge=0, le=1)
    buildings: dict[str, float] = Field(default_factory=dict)
    """Annual energy of buildings by site id [kWh]."""


class ProfilesConfig(_Section):
    """Measured demand from a file, or what an earlier study stored."""

    file: str
    quantity: Literal["energy_kwh", "p_kw", "stored"]
    stamp: Literal["start", "end"] | None = None
    """Whether a time stands at the start or the end of its interval; must be said for measured data."""
    zone: str | None = None
    """Local zone of times without an offset; must be said for those."""


class FleetConfig(_Section):
    """A synthetic fleet."""

    count: int = Field(ge=0)
    kind: Literal["home", "fleet", "work"] = "home"
    charger: str = "ac_11kw"
    vehicles: str | list[str] | dict[str, float] | None = None
    """A model, several, or models with weights; the registered mix if left out."""
    daily_kwh: float | None = Field(default=None, gt=0)
    soc_target: float = Field(default=0.9, gt=0, le=1)
    at: str | dict[str, str] | None = None
    """Site id, site kind, a CSV of charger and site, or a mapping; homes by seeded choice if left out."""
    cars_per_home: float | None = Field(default=None, gt=0)


class SessionsConfig(_Section):
    """Logged sessions from a file, or the tables an earlier study stored."""

    sessions: str
    zone: str
    """Local zone of times without an offset."""
    columns: dict[str, str] | None = None
    format: str | None = None
    charger: str = "ac_11kw"
    at: str | dict[str, str] | None = None


class StoredFleetConfig(_Section):
    """Vehicles, chargers and sessions as tables under the study folder."""

    stored: str


def _fleet_kind(entry: Any) -> str:
    """Return which kind of fleet an entry is, by the key that tells them apart."""
    keys = entry if isinstance(entry, dict) else vars(entry)
    return next((kind for kind in ("sessions", "stored") if kind in keys), "synthetic")


AnyFleet = Annotated[
    Annotated[FleetConfig, Tag("synthetic")]
    | Annotated[SessionsConfig, Tag("sessions")]
    | Annotated[StoredFleetConfig, Tag("stored")],
    Discriminator(_fleet_kind),
]


class CurveConfig(_Section):
    """A Volt-VAr curve of one's own; reactive power is positive where it is drawn."""

    v_pu: list[float] = Field(min_length=1)
    """Voltages, rising [pu]."""
    q_share: list[float] = Field(min_length=1)
    """Reactive over rated apparent power at each voltage, not falling."""
    s_max_per_kw: float | None = Field(default=None, ge=1)
    """Apparent over rated active power of PV, e.g. 1.1; must be said where a share passes 0.8."""


class VoltVarConfig(_Section):
    """Reactive power that answers to voltage; a named curve or one's own."""

    pv: str | CurveConfig | None = None
    chargers: str | CurveConfig | None = None


class StudyConfig(_Section):
    """A whole study."""

    name: str = "study"
    network: NetworkConfig
    timeline: TimelineConfig
    households: HouseholdsConfig | None = None
    profiles: ProfilesConfig | None = None
    fleet: list[AnyFleet] = Field(default_factory=list)
    prices: str | dict[str, str] | None = None
    """A tariff for every site, or one by site kind."""
    ambient: str | None = None
    limits: str | dict[str, Any] = "eu_lv_planning"
    strategies: list[str | dict[str, Any]] = Field(min_length=1)
    power_flow: Literal["auto", "balanced", "three_phase"] = "auto"
    """auto solves in three phases where a connection has fewer and the network's data allow it."""
    zero_sequence: Literal["require", "assume"] = "require"
    """Whether zero-sequence data the network lacks are refused or taken from stated ratios."""
    pv_single_phase_kva: float | None = Field(default=None, gt=0)
    """PV up to this power feeds one phase (4.6 in VDE-AR-N 4105); all phases of its site if left out."""
    volt_var: VoltVarConfig = VoltVarConfig()
    cold_batteries: bool = False
    """Whether batteries as cold as the air take and give less; needs `ambient`."""
    transformer: dict[str, Any] = Field(default_factory=dict)
    """Thermal model, data, life and money; its keys are those of `TransformerOptions`."""
    days: str | list[str] = "design"
    hosting: HostingConfig | None = None
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_source_of_demand(self) -> StudyConfig:
        if (self.households is None) == (self.profiles is None):
            message = "give either 'households' or 'profiles', not both and not neither"
            raise ValueError(message)
        return self


def read_config(path: Path) -> StudyConfig:
    """Read a study file.

    Parameters
    ----------
    path : Path
        `study.yaml`, or the folder that holds it.

    Raises
    ------
    InputError
        Unreadable, too large, duplicate or unknown keys, wrong values: all at once, each with its
        place in the file.
    """
    file = path / "study.yaml" if path.is_dir() else path
    if not file.is_file():
        message = f"{file.name}: no study file there; `gridimpact new FOLDER` makes one"
        raise InputError(message)
    if file.stat().st_size > MAX_BYTES:
        message = f"{file.name}: larger than {MAX_BYTES} bytes; a study file names its data, it does not hold them"
        raise InputError(message)
    return parse_config(file.read_text(encoding="utf-8-sig"), file.name)


def parse_config(text: str, name: str = "study.yaml") -> StudyConfig:
    """Return the checked content of a study file."""
    if text.count("*") > MAX_ALIASES and text.count("&") > 0:
        message = f"{name}: more than {MAX_ALIASES} YAML aliases; write the values out"
        raise InputError(message)
    try:
        data = yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        message = f"{name}: {' '.join(str(error).split())}"
        raise InputError(message) from error
    if not isinstance(data, dict):
        message = f"{name}: must hold keys and values such as 'network:' and 'strategies:'"
        raise InputError(message)
    try:
        return StudyConfig.model_validate(data)
    except ValidationError as error:
        problems = [_problem(entry, name) for entry in error.errors()]
        raise_problems(problems, name)
        raise


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice and leaves dates as text."""


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if not tag.endswith(":timestamp")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _strict_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            message = f"the key {key!r} stands twice"
            raise yaml.constructor.ConstructorError(None, None, message, key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _strict_mapping)


def _problem(entry: Any, name: str) -> Problem:
    """Return one finding of pydantic in our words."""
    place = ".".join(str(part) for part in entry["loc"]) or "study"
    if entry["type"] == "extra_forbidden":
        return Problem(f"{name}, {place}", "unknown key", key_remedy(entry["loc"], _keys()))
    found = entry.get("input")
    shown = f", found {found!r}" if not isinstance(found, dict | list) else ""
    return Problem(f"{name}, {place}", f"{entry['msg']}{shown}")


_SECTIONS: dict[str, type[BaseModel]] = {
    "": StudyConfig,
    "network": NetworkConfig,
    "network.tap_control": TapControlConfig,
    "timeline": TimelineConfig,
    "households": HouseholdsConfig,
    "profiles": ProfilesConfig,
    "fleet.synthetic": FleetConfig,
    "fleet.sessions": SessionsConfig,
    "fleet.stored": StoredFleetConfig,
    "volt_var": VoltVarConfig,
    "hosting": HostingConfig,
    "volt_var.pv.CurveConfig": CurveConfig,
    "volt_var.chargers.CurveConfig": CurveConfig,
}
"""Sections by their place in the file, as findings name it."""


def _keys() -> dict[str, list[str]]:
    return {place: list(section.model_fields) for place, section in _SECTIONS.items()}
