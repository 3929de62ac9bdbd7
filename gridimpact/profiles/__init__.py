"""Load, generation, tariffs and weather on the timeline of a study."""

from gridimpact.profiles.catalogue import licence_of, list_profiles
from gridimpact.profiles.co2 import load_marginal_co2
from gridimpact.profiles.households import synthesize_households
from gridimpact.profiles.prices import build_tariffs, load_tariff
from gridimpact.profiles.pv import Sky
from gridimpact.profiles.reader import read_profiles
from gridimpact.profiles.tariff_store import store_tariff
from gridimpact.profiles.weather import load_ambient

__all__ = [
    "Sky",
    "build_tariffs",
    "licence_of",
    "list_profiles",
    "load_ambient",
    "load_marginal_co2",
    "load_tariff",
    "read_profiles",
    "store_tariff",
    "synthesize_households",
]
