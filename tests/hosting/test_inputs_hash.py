"""The hash of a scan's inputs: every value counts, nothing else does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import gridimpact as gi
from gridimpact.hosting.inputs_hash import content_hash, scan_inputs, strategy_hashes
from tests.hosting.scan_case import tight_study


def changed(spec, **parts):
    before, after = scan_inputs(spec), scan_inputs(dataclasses.replace(spec, **parts))
    return {name for name in before if before[name] != after[name]}


def test_one_value_changes_the_hash_of_its_own_input_alone():
    spec = tight_study().spec
    load = spec.profiles.load_p_kw.copy()
    load[7, 3] = np.nextafter(load[7, 3], np.inf)
    assert changed(spec, profiles=dataclasses.replace(spec.profiles, load_p_kw=load)) == {
        "profiles"
    }
    grid = spec.network.grid
    rating = dataclasses.replace(grid, line_i_max_ka=grid.line_i_max_ka * 1.01)
    assert changed(spec, network=dataclasses.replace(spec.network, grid=rating)) == {"network"}
    limits = dataclasses.replace(spec.limits, transformer_loading_percent=26.0)
    assert changed(spec, limits=limits) == {"limits"}
    assert changed(spec, ambient=None) == {"ambient"}
    assert changed(spec, charger_power_factor=0.98) == {"options"}
    assert changed(spec, name="another", notes=()) == set()


def test_strategies_are_told_apart_by_their_settings():
    found = strategy_hashes({"a": gi.g2v.TransformerLimit(0.9), "b": gi.g2v.TransformerLimit(0.8)})
    assert found["a"] != found["b"]
    assert strategy_hashes({"a": gi.g2v.TransformerLimit(0.9)})["a"] == found["a"]


def test_order_of_keys_and_explicit_zeros_do_not_count_but_types_and_bounds_do():
    assert content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    assert content_hash([[1], [2]]) != content_hash([[1, 2]])
    assert content_hash("1") != content_hash(1)
    assert content_hash(["ab", "c"]) != content_hash(["a", "bc"])
    dense = np.array([[0.0, 2.0], [1.0, 0.0]])
    assert content_hash(sparse.coo_matrix(dense)) == content_hash(sparse.csc_matrix(dense))
    table = pd.DataFrame({"a": [0.1 + 0.2]})
    assert content_hash(table) != content_hash(pd.DataFrame({"a": [0.3]}))


def test_what_has_no_content_is_refused():
    with pytest.raises(gi.InputError, match="no content that can be compared"):
        content_hash({"rule": lambda x: x})
