"""Networks: the strict reader, the checks, the sites, the catalogue and the immutable grid."""

from gridimpact.network.catalogue import list_networks
from gridimpact.network.check import check_net
from gridimpact.network.grid import extract_grid
from gridimpact.network.open import open_network
from gridimpact.network.phase_model import with_phases
from gridimpact.network.reader import read_net
from gridimpact.network.sites import derive_sites
from gridimpact.network.tap_control import with_tap_control, with_tap_controls

__all__ = [
    "check_net",
    "derive_sites",
    "extract_grid",
    "list_networks",
    "open_network",
    "read_net",
    "with_phases",
    "with_tap_control",
    "with_tap_controls",
]
