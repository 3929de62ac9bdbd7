"""Power of many scenarios of one draw over one segment, side by side: sites alike, chargers of their own."""

from __future__ import annotations

import numpy as np

from gridimpact.dispatch.execute import add_power_at
from gridimpact.records import Dispatch, FloatArray, Injections, PlanRequest
from gridimpact.study.asymmetry import PhaseMeter
from gridimpact.study.inject import Frame
from gridimpact.study.requests import site_power
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


class Stack:
    """Injections and meters of some scenarios, filled one plan after the other.

    Parameters
    ----------
    spec : StudySpec
        The study; its profiles are those of all scenarios.
    segment : Segment
        Steps.
    frame : Frame
        Elements all scenarios share.
    scenarios : int
    meter : PhaseMeter or None
        Reads the asymmetry of connections from the injections; None where it is not judged.
    """

    def __init__(
        self,
        spec: StudySpec,
        segment: Segment,
        frame: Frame,
        scenarios: int,
        meter: PhaseMeter | None = None,
    ) -> None:
        load, pv, reactive = site_power(spec, segment)
        active, passive = frame.of_sites(load, pv, reactive)
        self.meter, self._frame, self._segment = meter, frame, segment
        self._active, self._reactive = (_repeated(part, scenarios) for part in (active, passive))
        self.site_p_kw: FloatArray = _repeated(load + pv, scenarios)
        """(scenario, time, site) power at each meter [kW], positive draws."""

    def put(self, scenario: int, request: PlanRequest, dispatch: Dispatch) -> None:
        """Add the cars of one scenario."""
        active, reactive = self._active[scenario], self._reactive[scenario]
        self._frame.put_cars(request, dispatch, active, reactive)
        add_power_at(request, dispatch.p_kw, request.stays.site, self.site_p_kw[scenario])

    @property
    def injections(self) -> Injections:
        """Of all scenarios."""
        return self._frame.injections(self._segment.timeline, self._active, self._reactive)


def _repeated(values: FloatArray, scenarios: int) -> FloatArray:
    """Return (time, element) values once for every scenario, each a copy."""
    return np.repeat(values[None], scenarios, axis=0)
