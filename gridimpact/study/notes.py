"""Every note of a study once: what was assumed, left out or found odd on the way of the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from gridimpact.records import Assessment, Note, PlanRequest
from gridimpact.study.cold import COLD
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.study.stored import VALUED


def _notes_of_rows(found: Mapping[str, Assessment]) -> list[Note]:
    """Return the notes of all rows; one that holds for some rows only names them."""
    rows: dict[Note, list[str]] = {}
    for name, assessment in found.items():
        for note in assessment.notes:
            rows.setdefault(note, []).append(name)
    with_cars = len(found) - 1
    return [
        note
        if len(names) >= with_cars
        else dataclasses.replace(note, where=f"{note.where} ({', '.join(names)})")
        for note, names in rows.items()
    ]


def cut_stays(segments: Sequence[Segment], requests: Sequence[PlanRequest]) -> list[Note]:
    """Return a warning where counted time ends while cars are plugged in."""
    notes = []
    for segment, request in zip(segments, requests, strict=True):
        count = int(request.stays.cut.sum())
        if segment.counted[-1] and count:
            text = (
                f"{count} stays go on beyond the last counted step of {segment.name}, and every strategy "
                "must have charged by then what uncontrolled charging would have: those that wait show "
                "a peak at the end that is none; give the study a day more than is assessed"
            )
            notes.append(Note("warning", "days", text))
    return notes


def notes_of(
    spec: StudySpec, while_solving: Sequence[Note], found: Mapping[str, Assessment], bridged: int
) -> tuple[Note, ...]:
    """Return every note once, in the order of the way of the data."""
    notes = [
        *spec.notes,
        *spec.network.notes,
        *spec.profiles.notes,
        *spec.fleet.notes,
        *while_solving,
        *_notes_of_rows(found),
    ]
    if spec.tariffs and len(spec.fleet.vehicles):
        notes.append(VALUED)
    if spec.cold_batteries and len(spec.fleet.vehicles):
        notes.append(COLD)
    if bridged:
        text = (
            f"{bridged} transformer steps without a power flow were aged by injected apparent "
            "power over rating."
        )
        notes.append(Note("warning", "ageing", text))
    return tuple(dict.fromkeys(notes))
