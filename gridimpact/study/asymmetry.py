"""How unevenly each connection point loads its phases, from what a three-phase power flow is given."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.sparse import csr_array

from gridimpact.records import FloatArray, Injections, PlanRequest
from gridimpact.study.elements import CHARGER, ONE_PHASE_CARS, elements_of
from gridimpact.study.spec import StudySpec


class PhaseMeter:
    """Reads the power of each phase at every site's meter.

    Asymmetry is the largest magnitude of the difference of two phases' complex power: of one phase alone
    its own power, of one phase that draws while another feeds their sum. VDE-AR-N 4100:2019-04, 5.5, bounds
    it to 4.6 kVA; that feeding counts against drawing is an own reading. Reactive power that answers to
    voltage is left out; sites with an element in delta are not known.
    """

    def __init__(self, spec: StudySpec, request: PlanRequest, *, with_cars: bool) -> None:
        found = elements_of(spec, with_cars=with_cars)
        site = found.owner.copy()
        chargers = found.places(CHARGER, ONE_PHASE_CARS)
        site[chargers] = request.charger_site[found.owner[chargers]]
        self._site, self._count = site, len(spec.network.sites)

    def __call__(self, injections: Injections) -> FloatArray:
        """Return the asymmetry of every site, (scenario, time, site) [kVA], NaN where not known."""
        scenarios, steps, elements = injections.p_kw.shape
        power = (injections.p_kw + 1j * injections.q_kvar).reshape(-1, elements)
        columns = (np.arange(elements), self._site)
        shape = (elements, self._count)
        phases = [
            power @ csr_array((injections.phase_share[:, k], columns), shape).astype(np.complex128)
            for k in range(3)
        ]
        uneven = np.zeros((power.shape[0], self._count))
        for one, other in combinations(phases, 2):
            np.maximum(uneven, np.abs(one - other), out=uneven)
        if injections.connection is not None:
            uneven[:, self._site[injections.connection == 1]] = np.nan
        return uneven.reshape(scenarios, steps, self._count)
