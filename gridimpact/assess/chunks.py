"""A segment cut into chunks, or its parts put beside what belongs to the same steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from gridimpact.assess.context import CHUNK_STEPS, Chunk, SegmentResult
from gridimpact.assess.meters import meter_power_kw
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import FloatArray, FlowResult

_FLOW_ARRAYS = [
    "vm_pu",
    "line_loading_percent",
    "transformer_loading_percent",
    "transformer_p_kw",
    "transformer_q_kvar",
    "losses_kw",
    "status",
    "residual_kva",
    "line_i_ka",
    "transformer3w_loading_percent",
    "tap_pos",
    "volt_var_q_kvar",
    "unbalance_percent",
    "unbalance_nema_percent",
    "transformer_phase_loading_percent",
]


def chunks_of(result: SegmentResult, number: int = 0, steps: int = CHUNK_STEPS) -> Iterator[Chunk]:
    """Cut a solved segment into chunks of at most `steps` steps.

    Parameters
    ----------
    result : SegmentResult
        One segment with its whole power flow.
    number : int
        Its number, so that runs of steps never join across segments.
    steps : int
        Longest chunk.

    Yields
    ------
    Chunk
        In order of time.

    Raises
    ------
    InputError
        If an array does not fit the timeline or the power flow is missing.
    """
    result.check()
    flow = result.flow
    if flow is None:
        raise_problems([Problem("flow", "is missing", "solve the segment first")], "segment")
        return
    cut = Cutter(result, number)
    for first in range(0, result.timeline.count, steps):
        part = slice(first, first + steps)
        arrays = {name: getattr(flow, name)[:, part] for name in _FLOW_ARRAYS}
        yield cut.chunk(first, dataclasses.replace(flow, **arrays))


class Cutter:
    """Puts parts of a segment's power flow beside what belongs to the same steps."""

    def __init__(self, segment: SegmentResult, number: int) -> None:
        self.segment, self.number = segment, number
        self._cars = None if segment.dispatch is None else segment.dispatch.p_kw
        request = segment.request
        self._sites = None if request is None else meter_power_kw(request, segment.dispatch)

    def chunk(
        self, first: int, flow: FlowResult, site_asymmetry_kva: FloatArray | None = None
    ) -> Chunk:
        """Return the chunk that begins with step `first`; asymmetry is of its steps alone."""
        segment, part = self.segment, slice(first, first + flow.status.shape[1])
        heat = {
            name: None if (own := getattr(segment, name)) is None else own[:, part]
            for name in ("top_oil_c", "hot_spot_c", "ageing_rate")
        }
        uneven = site_asymmetry_kva
        if uneven is None and segment.site_asymmetry_kva is not None:
            uneven = segment.site_asymmetry_kva[:, part]
        return Chunk(
            segment=self.number,
            timeline=segment.timeline,
            segment_counted=segment.counted_steps,
            first=first,
            flow=flow,
            request=segment.request,
            dispatch=segment.dispatch,
            vehicle_p_kw=None if self._cars is None else self._cars[None, part],
            site_p_kw=None if self._sites is None else self._sites[None, part],
            temp_air_c=segment.temp_air_c,
            site_asymmetry_kva=uneven,
            **heat,
        )


def unsolved(loading_percent: FloatArray) -> FlowResult:
    """Return a power flow of nothing but transformer loads, for reducers that look at temperatures."""
    scenarios, steps = loading_percent.shape[:2]
    nothing = np.zeros((scenarios, steps, 0))
    zero = np.zeros((scenarios, steps))
    return FlowResult(
        engine="none",
        vm_pu=nothing,
        line_loading_percent=nothing,
        transformer_loading_percent=loading_percent,
        transformer_p_kw=nothing,
        transformer_q_kvar=nothing,
        losses_kw=zero,
        status=zero.astype(np.int8),
        residual_kva=zero,
    )
