"""Cards of records show their figures, escape their texts, and need no drawing library."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from gridimpact.records import Dispatch, FlowResult, Note
from gridimpact.report import (
    repr_html_assessment,
    repr_html_dispatch,
    repr_html_fleet,
    repr_html_flow_result,
    repr_html_network,
    repr_html_profiles,
    repr_html_study_result,
)
from tests.report.village import village_fleet, village_profiles

EVIL = "<img src=x onerror=1>"


def dispatch():
    power = np.array([[3.0, -2.0], [1.0, 1.0]])
    return Dispatch(
        EVIL, power, power, power * 0 + 0.5, np.array([0.4, 0.4]), np.array([0.0, 1.5]),
        ("", "limit"), np.zeros(2), np.array([True, False]),
    )  # fmt: skip


def flow():
    some = np.ones((1, 2, 3))
    status = np.array([[0, 1]], dtype=np.int8)
    return FlowResult(
        EVIL, some, some * 40, some * np.nan, some, some, some[0], status, np.array([[1e-9, np.nan]]),
        notes=(Note("info", EVIL, EVIL),),
    )  # fmt: skip


@pytest.fixture
def cards(result):
    fleet = village_fleet()
    return {
        "network": repr_html_network(replace(result.network, name=EVIL, source=EVIL)),
        "profiles": repr_html_profiles(replace(village_profiles(), source=EVIL)),
        "fleet": repr_html_fleet(replace(fleet, vehicles=fleet.vehicles.assign(model=EVIL))),
        "dispatch": repr_html_dispatch(dispatch()),
        "flow": repr_html_flow_result(flow()),
        "assessment": repr_html_assessment(
            replace(result.assessments["uncontrolled"], strategy=EVIL)
        ),
        "study": repr_html_study_result(replace(result, name=EVIL)),
    }


def test_cards_escape_their_texts(cards):
    for name, card in cards.items():
        tags: list[str] = []
        parser = HTMLParser()
        parser.handle_starttag = lambda tag, attrs, tags=tags: tags.append(tag)  # type: ignore[method-assign]
        parser.feed(card)
        assert "img" not in tags, name
        assert "&lt;img src=x onerror=1&gt;" in card, name


def test_cards_show_the_figures_of_their_records(cards):
    assert "58 at 20, 0.4 kV" in cards["network"]
    assert "1 unrated" in cards["network"]
    assert "4 kWh in 0 days, together at most 1.0 kW" in cards["profiles"]
    assert "181 kWh together" in cards["fleet"]
    assert "1 rows of the source" in cards["fleet"]
    assert "1 of 2 controlled" in cards["dispatch"]
    assert "1.5 kWh" in cards["dispatch"]
    assert "1 ok, 1 not converged" in cards["flow"]
    assert "not solved" in cards["flow"]
    assert "165 % ▲".replace(" %", "") in cards["study"]
    assert "17 of 60" in cards["study"]


def test_empty_fleet_and_network_without_sites_have_cards(result):
    fleet = village_fleet()
    empty = replace(
        fleet,
        vehicles=fleet.vehicles.iloc[:0],
        chargers=fleet.chargers.iloc[:0],
        sessions=fleet.sessions.iloc[:0],
        rejected=pd.DataFrame(columns=["row", "reason"]),
    )
    assert "0 cars" in repr_html_fleet(empty)
    bare = replace(result.network, sites=result.network.sites.iloc[:0])
    assert "none" in repr_html_network(bare)


def test_importing_the_room_loads_no_drawing_library():
    code = (
        "import sys, gridimpact.report; "
        "print([m for m in ('matplotlib', 'jinja2', 'xlsxwriter') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
