"""What was judged, what was not, and why: the verdicts of each assessment as a reader sees them.

"not assessed" is never printed as a pass; a breach stays a fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import NO_EV, display_name

NOT_ASSESSED = "not assessed"
VOLTAGE_METRICS = frozenset({"vm_min_pu", "vm_max_pu", "voltage_hours_outside"})

_HEADS: Mapping[str, str] = {
    "voltage": "Voltage",
    "en_50160": "EN 50160",
    "line_loading": "Lines",
    "transformer_loading": "Transformers",
    "hot_spot": "Hot spot",
    "ageing": "Ageing",
    "unbalance": "Unbalance",
    "voltage_step": "Voltage step",
    "asymmetry": "Asymmetry",
    "fuse_loading": "Main fuses",
    "power_flow": "Power flow",
}


@dataclass(frozen=True, slots=True)
class VerdictCell:
    """One verdict, and why it fails; why it was not assessed stands below the table."""

    text: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class VerdictTable:
    """Strategies by subjects, with the reasons of what was not assessed."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[VerdictCell, ...]], ...]
    reasons: tuple[tuple[str, str], ...]


def verdicts(result: StudyResult, strategy: str) -> dict[str, tuple[str, str]]:
    """Return verdict and reason by subject; empty where the assessment gives none."""
    assessment = result.assessments.get(strategy)
    table = None if assessment is None else assessment.tables.get("verdicts")
    if table is None:
        return {}
    columns = (table[name].astype(str) for name in ("subject", "verdict", "reason"))
    return {subject: (verdict, reason) for subject, verdict, reason in zip(*columns, strict=True)}


def voltage_unassessed(result: StudyResult, strategy: str) -> str:
    """Return why a strategy's voltage was not assessed, "" where it was judged."""
    verdict, reason = verdicts(result, strategy).get("voltage", ("", ""))
    return (reason or "no reason given") if verdict == NOT_ASSESSED else ""


def voltage_reasons(result: StudyResult) -> dict[str, list[str]]:
    """Return the strategies whose voltage was not assessed, by reason."""
    found: dict[str, list[str]] = {}
    for label in view.strategies(result):
        reason = voltage_unassessed(result, label)
        if reason:
            found.setdefault(reason, []).append(label)
    return found


def voltage_reason_words(result: StudyResult) -> str:
    """Return why voltage was not assessed and where, "" where every strategy was judged."""
    labels = view.strategies(result)
    with_cars = [label for label in labels if label != NO_EV]
    parts = []
    for reason, own in voltage_reasons(result).items():
        judged = [label for label in with_cars if label not in own]
        few = len(judged) < len(own)
        named = ", ".join(display_name(label) for label in (judged if few else own))
        parts.append(f"{reason} ({'all but ' if few else ''}{named})" if judged else reason)
    return "; ".join(parts)


def verdict_table(result: StudyResult) -> VerdictTable | None:
    """Return the verdicts of all strategies, None where no assessment gives any."""
    labels = view.strategies(result)
    found = {label: verdicts(result, label) for label in labels}
    given = dict.fromkeys(subject for own in found.values() for subject in own)
    subjects = [s for s in _HEADS if s in given] + [s for s in given if s not in _HEADS]
    if not subjects:
        return None
    reasons: dict[tuple[str, str], list[str]] = {}
    for label, own in found.items():
        for subject, (verdict, reason) in own.items():
            if verdict == NOT_ASSESSED:
                reasons.setdefault((_head(subject), reason), []).append(display_name(label))
    return VerdictTable(
        tuple(_head(subject) for subject in subjects),
        tuple((display_name(k), tuple(_cell(found[k], s) for s in subjects)) for k in labels),
        _by_reason(reasons, len(labels)),
    )


def _head(subject: str) -> str:
    return _HEADS.get(subject, subject.replace("_", " "))


def _cell(own: Mapping[str, tuple[str, str]], subject: str) -> VerdictCell:
    verdict, reason = own.get(subject, (NOT_ASSESSED, ""))
    return VerdictCell(verdict, reason.replace("degC", "°C") if verdict == "fail" else "")


def _by_reason(
    reasons: Mapping[tuple[str, str], list[str]], count: int
) -> tuple[tuple[str, str], ...]:
    """Return subject and reason, with the strategies where it does not hold for all."""
    return tuple(
        (head, reason + ("." if len(names) == count else f" ({', '.join(names)})."))
        for (head, reason), names in reasons.items()
    )
