"""What was not assessed is never told as passed."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from gridimpact.report import answer, comparison_table, repr_html_study_result, text_table
from gridimpact.report.html import page
from gridimpact.report.verdicts import verdict_table, voltage_reason_words

REASON = "balanced power flow with 34 connections on fewer than three phases"


def judged(result, failing=()):
    """Return the result with voltage not assessed wherever there are cars, or failed."""
    found = {}
    for label, assessment in result.assessments.items():
        verdict = "pass" if label == "no_ev" else "fail" if label in failing else "not assessed"
        reason = {"pass": "all inside", "fail": "9 buses left the band"}.get(verdict, REASON)
        rows = [
            ("voltage", verdict, reason),
            ("en_50160", verdict, reason),
            ("line_loading", "pass", "never over 100 %"),
        ]
        table = pd.DataFrame(rows, columns=["subject", "verdict", "reason"])
        found[label] = replace(assessment, tables={**assessment.tables, "verdicts": table})
    return replace(result, assessments=found)


def calm(result):
    frame = result.comparison.assign(violations_ev_caused=0.0)
    return replace(result, comparison=frame)


def test_headline_that_says_yes_says_that_voltage_is_not_assessed(result):
    found = answer(judged(result))
    assert "yes with a realistic mix; voltage is not assessed." in found.headline
    recommended = next(p for p in found.passages if p.lead.startswith("Recommended"))
    assert "pu (not assessed)" in recommended.text
    assert "Voltage not assessed:" in [p.lead for p in found.passages]
    assert "not assessed" not in answer(result).headline


def test_headline_without_need_claims_only_the_limits_that_were_assessed(result):
    headline = answer(judged(calm(result))).headline
    assert "keeps every limit that was assessed; voltage is not assessed." in headline


def test_a_breach_stays_a_breach_and_the_rest_carries_a_dagger(result):
    shown = judged(result, failing=("uncontrolled",))
    table = comparison_table(shown)
    place = [column.metric for column in table.columns].index("vm_min_pu")
    cells = {row.label: row.cells[place] for row in table.rows}
    assert cells["uncontrolled"].over
    assert cells["uncontrolled"].mark == ""
    assert cells["v2h_self_consumption"].mark == ("" if cells["v2h_self_consumption"].over else "†")
    assert cells["no_ev"].mark == ""
    assert any(cell.mark == "†" for cell in cells.values())


def test_dagger_of_the_terminal_and_the_notebook_is_explained(result):
    shown = judged(result)
    lines = text_table(shown).split("\n")
    assert lines[-1].startswith("† not assessed: balanced power flow")
    assert max(map(len, lines)) <= 100
    assert f"† not assessed: {REASON}" in repr_html_study_result(shown)
    assert "†" not in text_table(result)


def test_reason_names_those_it_does_not_hold_for(result):
    shown = judged(result, failing=("uncontrolled",))
    assert voltage_reason_words(shown) == f"{REASON} (all but Uncontrolled)"
    assert voltage_reason_words(judged(result)) == REASON
    assert voltage_reason_words(result) == ""


def test_table_of_verdicts_sets_en_50160_beside_the_planning_limits(result):
    table = verdict_table(judged(result, failing=("uncontrolled",)))
    assert table.heads == ("Voltage", "EN 50160", "Lines")
    rows = dict(table.rows)
    assert rows["Uncontrolled"][0].text == "fail"
    assert rows["Uncontrolled"][0].why == "9 buses left the band"
    assert rows["Realistic mix"][1].text == "not assessed"
    assert tuple(head for head, _ in table.reasons) == ("Voltage", "EN 50160")
    assert verdict_table(result) is None


def test_page_shows_verdicts_and_why_not(result, monkeypatch):
    monkeypatch.setattr("gridimpact.report.html.FIGURES", ())
    html = page(judged(result))
    assert "What was judged" in html
    assert "Not assessed is not passed." in html
    assert "<sup>†</sup>" in html
    assert "What was judged" not in page(result)


@pytest.mark.parametrize(
    "empty", [{}, {"verdicts": pd.DataFrame(columns=["subject", "verdict", "reason"])}]
)
def test_assessments_without_verdicts_say_nothing_of_them(result, empty):
    bare = {k: replace(a, tables=empty) for k, a in result.assessments.items()}
    assert voltage_reason_words(replace(result, assessments=bare)) == ""
