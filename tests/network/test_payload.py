"""The gate for JSON lets tables and plain values pass, and nothing of another shape."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from gridimpact.errors import GridError
from gridimpact.network import payload
from gridimpact.network.payload import foreign, parse_json, plain_types, wrong_shape
from gridimpact.network.tables import MAX_COLUMNS
from tests.network.nets import crafted, packed

FRAME = pd.DataFrame({"bus": [0], "p_mw": [0.1]})


def _broken(tmp_path, **changes):
    path = crafted(tmp_path / "net.json", load=packed(FRAME) | changes)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"orient": "columns"}, "orientation 'columns'"),
        ({"is_multiindex": True}, "several levels"),
        ({"_object": {"bus": [0]}}, "no table text"),
        ({"_object": "{"}, "no readable JSON"),
        ({"_object": '{"columns": [], "index": []}'}, "exactly columns, index and data"),
        ({"encoding": "utf-7"}, "settings"),
        ({"_class": "Series", "_module": "pandas.core.series"}, "asks for the object"),
    ],
)
def test_a_table_of_another_shape_is_refused(changes, words, tmp_path):
    with pytest.raises(GridError, match=words):
        parse_json(_broken(tmp_path, **changes), "net.json")


def test_a_known_table_must_be_a_table(tmp_path):
    with pytest.raises(GridError, match="load: is list, not a table"):
        parse_json(crafted(tmp_path / "net.json", load=[1]).read_bytes(), "net.json")


@pytest.mark.parametrize(
    "content",
    [
        {"columns": ["a"], "index": [0], "data": [[1, 2]]},
        {"columns": ["a"], "index": [0, 1], "data": [[1]]},
        {"columns": ["a", "a"], "index": [], "data": []},
        {"columns": [["a", "b"]], "index": [], "data": []},
        {"columns": "a", "index": [], "data": []},
        {"columns": ["a"], "index": [0], "data": ["x"]},
        {"columns": [f"c{i}" for i in range(MAX_COLUMNS + 1)], "index": [], "data": []},
        [],
    ],
)
def test_ragged_or_oversized_tables_have_no_shape(content):
    assert wrong_shape(content)


def test_a_regular_table_passes():
    assert wrong_shape({"columns": ["a"], "index": [0], "data": [[1]]}) is None


def test_too_many_bytes_are_refused(monkeypatch):
    monkeypatch.setattr(payload, "MAX_BYTES", 10)
    with pytest.raises(GridError, match="more than the 10"):
        parse_json(b" " * 11, "net.json")


def test_nesting_is_capped():
    deep: list = []
    for _ in range(60):
        deep = [deep]
    assert "nests deeper" in foreign(deep)


def test_plain_values_and_foreign_free_tables_ask_for_nothing():
    assert foreign({"a": [1, "x", None, {"b": True}]}) is None
    assert foreign(packed(FRAME)) is None


def test_unknown_tables_and_values_are_dropped_with_a_note(tmp_path):
    path = crafted(tmp_path / "net.json", loadcases=packed(FRAME), remarks={"by": "me"}, empty=[])
    raw, notes = parse_json(path.read_bytes(), "net.json")
    assert "loadcases" not in raw.tables
    assert [n.where for n in notes] == ["loadcases", "remarks"]


def test_line_types_keep_plain_values_only():
    types = plain_types({"A": {"max_i_ka": 0.2, "odd": {"_module": "os"}}, "B": 3})
    assert types == {"A": {"max_i_ka": 0.2}}
    assert plain_types("x") == {}


def test_a_net_without_tables_is_refused():
    text = json.dumps({"_module": "pandapower.auxiliary", "_class": "pandapowerNet"})
    with pytest.raises(GridError, match="without tables"):
        parse_json(text.encode(), "net.json")
