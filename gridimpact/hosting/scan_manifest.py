"""What identifies a scan: versions, inputs by hash, settings; and what its reader must know of its rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridimpact.dispatch.strategy import Strategy
from gridimpact.hosting.capacity import look_confidence, planned_looks
from gridimpact.hosting.inputs_hash import content_hash, scan_inputs, strategy_hashes
from gridimpact.hosting.random_days import RANDOM_DAYS
from gridimpact.records import Note, ScanSettings
from gridimpact.study.manifest import manifest_of
from gridimpact.study.power_flow import flow_setup
from gridimpact.study.run import power_flow_of
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec

_OF_DRAWS = (
    "cars",
    "labels",
    "days",
    "placement",
    "phases",
    "preexisting",
    "limits",
    "unmet_percent",
    "export_percent",
    "refine",
    "seed",
)
"""Settings that decide what a draw finds; the others decide what is made of the draws."""
_RULES = {
    "worse": "What was violated without added cars counts only where it gets worse: an element that kept its limit "
    "before, lies further beyond it, or is beyond it for more than one hour longer.",
    "ignore": "Elements that were violated without added cars never count.",
    "count": "Every violation counts, those without added cars too.",
}


def scan_manifest(
    spec: StudySpec,
    settings: ScanSettings,
    strategies: Mapping[str, Strategy],
    segments: Sequence[Segment],
) -> dict[str, Any]:
    """Return what identifies a scan; nothing in it differs between runs of the same scan.

    Parameters
    ----------
    spec : StudySpec
        Decided.
    strategies : mapping of str to Strategy
        By label of the rows solved.
    segments : sequence of Segment
        Of the first draw.
    """
    found = manifest_of(spec, segments, strategies, {})
    for entry in found["strategies"].values():
        entry.pop("cars_controlled")
    found["inputs"] = scan_inputs(spec)
    days = settings.days
    if isinstance(days, str) and days in RANDOM_DAYS:
        steps = sum(int(s.counted.sum()) for s in segments)
        found["days"] = [{"name": f"{days}, another for each draw", "steps": steps}]
    setup = flow_setup(spec)
    looks = planned_looks(settings.draws)
    return found | {
        "engine": setup.engine.name,
        "engine_options": dict(setup.options.as_mapping()),
        "power_flow": power_flow_of(spec),
        "looks": list(looks),
        "look_confidence": look_confidence(settings),
    }


def scan_key(
    spec: StudySpec, settings: ScanSettings, strategies: Mapping[str, Strategy]
) -> dict[str, Any]:
    """Return all that decides what a draw finds, for the journal of draws.

    Neither the number of draws nor risk, confidence and precision are in it: a scan may go on with more.
    """
    options = {name: getattr(settings, name) for name in _OF_DRAWS}
    behaviour = settings.behaviour
    options["behaviour"] = behaviour if isinstance(behaviour, str) else content_hash(behaviour)
    return {
        "versions": manifest_of(spec, (), {}, {})["versions"],
        "inputs": scan_inputs(spec),
        "strategies": strategy_hashes(strategies),
        "settings": options,
    }


def rule_notes(spec: StudySpec, settings: ScanSettings, method: str) -> Iterator[Note]:
    """Yield the assumptions a reader of the scan must know."""
    yield Note("assumption", "hosting, preexisting", _RULES[settings.preexisting])
    yield from flow_setup(spec).notes
    if method == "time_series":
        text = (
            "One draw, the study's own cars at their own places: the numbers are those of this one course of "
            "events. No probability and no interval can be told from it."
        )
        yield Note("warning", "hosting, method", text)
    days = settings.days if isinstance(settings.days, str) else ", ".join(settings.days)
    if days in RANDOM_DAYS:
        text = (
            f"Judged over days {days!r}, one for each draw and compared with the same days without cars; what is told "
            "to be violated before is of the first draw's."
        )
        yield Note("assumption", "hosting, days", text)
    elif days != "all" or not spec.timeline.is_year:
        text = (
            f"Judged over the counted steps of days {days!r}, all of them inside each draw; a limit that is kept "
            "there may be broken on another day."
        )
        yield Note("assumption", "hosting, days", text)
    changed = [label for label, row in settings.firm.items() if row != label]
    if changed:
        text = (
            "Firm capacity is that with control lost from the start: uncontrolled charging, or the declared "
            "fallback of a grid-aware strategy."
        )
        yield Note("assumption", "hosting, firm", text)
