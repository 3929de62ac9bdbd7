"""What a scan that can be run warns of all the same: few cars to draw from, limits nobody can judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridimpact.hosting.options_check import given_cars, listed
from gridimpact.records import Note
from gridimpact.study.spec import StudySpec

if TYPE_CHECKING:
    from gridimpact.hosting.options import ScanRequest

SMALL_POOL = 30
"""Fewer cars than these are too few to draw others from without repeating their coincidences; an own choice."""


def pool_notes(spec: StudySpec, request: ScanRequest) -> tuple[Note, ...]:
    """Return the warnings a scan carries though it can be run."""
    notes = []
    pool = given_cars(spec)
    drawn = request.method == "stochastic" and request.behaviour in (None, "resample")
    if drawn and pool < SMALL_POOL:
        text = (
            f"The cars of every draw are drawn from only {pool} cars of the study; their coincidences repeat. "
            f"Give the study {SMALL_POOL} cars or more, or behaviour={{...}} to make new ones."
        )
        notes.append(Note("warning", "behaviour", text))
    asked = () if request.limits is None else tuple(listed(request.limits))
    if spec.ambient is None and {"hot_spot", "ageing"} & set(asked):
        text = "Hot spot and ageing are to count, but the study has no ambient temperature: not assessed."
        notes.append(Note("warning", "limits", text))
    if request.export_percent is None and "export" in asked:
        text = "Export is to count, but export_percent is not given: not assessed."
        notes.append(Note("warning", "limits", text))
    return tuple(notes)
