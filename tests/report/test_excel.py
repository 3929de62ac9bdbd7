"""Tables leave the house as data; text never becomes a formula or a link."""

from __future__ import annotations

from dataclasses import replace

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.records import Note
from gridimpact.report import csv_safe, write_excel


@pytest.fixture(scope="module")
def book(result, tmp_path_factory):
    formula = replace(
        result,
        name="=1+1",
        notes=(
            Note("info", "=cmd|' /C calc'!A0", "https://example.org/"),
            Note("info", "@x", "+1"),
        ),
        assessments={
            k: replace(a, tables={"buses": a.tables["buses"].assign(name="=1+1")})
            for k, a in result.assessments.items()
        },
    )
    path = write_excel(formula, tmp_path_factory.mktemp("excel") / "summary.xlsx")
    return openpyxl.load_workbook(path)


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(book):
    kinds, links, found = set(), 0, 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                kinds.add(cell.data_type)
                links += cell.hyperlink is not None
                found += cell.value == "=1+1" and cell.data_type == "s"
    assert "f" not in kinds
    assert links == 0
    assert found > 10


def test_workbook_holds_summary_tables_violations_and_notes(book, result):
    assert {"answer", "summary", "violations", "buses", "notes"} <= set(book.sheetnames)
    head = [cell.value for cell in book["buses"][1]]
    assert "vm_min_pu [pu]" in head
    summary = {row[0].value: row for row in book["summary"].iter_rows(min_row=2)}
    column = [cell.value for cell in book["summary"][1]].index("Uncontrolled")
    assert summary["vm_min_pu"][column].value == pytest.approx(
        result.comparison.at["uncontrolled", "vm_min_pu"]
    )
    assert summary["vm_min_pu"][1].value == "1"
    assert book["violations"].max_row == 1 + sum(
        len(a.violations) for a in result.assessments.values()
    )


def test_missing_figures_are_empty_cells(book):
    column = [cell.value for cell in book["summary"][1]].index("No added EV")
    summary = {row[0].value: row for row in book["summary"].iter_rows(min_row=2)}
    assert summary["ev_cost_per_car_eur"][column].value is None


@given(st.text(max_size=8))
@settings(max_examples=40, deadline=None)
def test_csv_text_never_begins_like_a_formula(text):
    frame = csv_safe(pd.DataFrame({"name": [text], "p_kw": [-1.5]}))
    shown = frame.at[0, "name"]
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown in (text, f"'{text}")
    assert frame.at[0, "p_kw"] == -1.5


def test_csv_safe_leaves_its_input_alone():
    frame = pd.DataFrame({"name": ["=1+1"]})
    csv_safe(frame)
    assert frame.at[0, "name"] == "=1+1"
