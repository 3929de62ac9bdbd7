"""Every note of a study once: what was assumed, left out or found odd on the way of the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from gridimpact.records import Assessment, Note
from gridimpact.study.cold import COLD
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
