from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gridimpact.errors import InputError
from gridimpact.paths import data_folder
from gridimpact.profiles import load_tariff, store_tariff
from gridimpact.profiles.tariff_file import parse_tariff, read_tariff_file
from gridimpact.timeline import Timeline

DAY = Timeline.days("2019-01-07", 1, zone="Europe/Berlin")
FLAT = {"name": "x", "energy_per_kwh": 0.3}


@pytest.mark.parametrize(
    "file", sorted((data_folder("profiles") / "tariffs").glob("*.json")), ids=lambda path: path.stem
)
def test_packaged_tariffs_are_valid_and_state_their_origin(file: Path) -> None:
    plan = read_tariff_file(file)
    assert plan.name == file.stem
    assert len(plan.origin) > 40


def test_everything_wrong_in_a_tariff_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_tariff(
            {
                "name": "x",
                "energy_per_kwh": "0.3",
                "window": [],
                "windows": [
                    {"per_kwh": 0.1, "from": 1730, "to": "26:00", "days": "monday", "months": [13]},
                    {"from": "00:00"},
                    7,
                ],
                "adders_per_kwh": {"tax": True},
                "vat": 21,
                "export": {"kind": "wholesale"},
                "demand_charge_per_kw_month": -1,
                "wholesale": None,
            }
        )
    text = str(caught.value)
    for part in ("energy_per_kwh: is '0.3'", "did you mean 'windows'", "windows[1].from: is 1730",
                 "windows[1].to: is '26:00'", "windows[1].days", "windows[1].months", "windows[2].per_kwh: is missing",
                 "windows[3].: is 7", "tax: is True", "vat: is 21", "no wholesale price",
                 "demand_charge_per_kw_month: is -1"):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ([], "is a JSON object"),
        ({"name": "x"}, "is missing where no window holds"),
        ({"name": "x", "windows": [{"per_kwh": 1.0, "days": "workday"}]}, "no window holds"),
        (FLAT | {"export": 3}, "must be an object"),
        (FLAT | {"export": {"kind": "free"}}, "choose of"),
        (FLAT | {"windows": {}}, "must be a list"),
        (FLAT | {"prices": "p.csv"}, "beside"),
        (FLAT | {"wholesale": 3}, "must be a name or a file"),
    ],
)
def test_tariffs_that_leave_questions_are_refused(data: object, part: str) -> None:
    with pytest.raises(InputError, match=part):
        parse_tariff(data)


def test_windows_alone_are_enough_where_they_fill_the_week() -> None:
    plan = {"windows": [
        {"per_kwh": 0.2, "from": "22:00", "to": "06:00"},
        {"per_kwh": 0.4, "from": "06:00", "to": "22:00"},
    ]}  # fmt: skip
    found = load_tariff(plan, DAY)
    assert found.import_price[:24].tolist() == [0.2] * 24
    assert found.import_price[24:88].tolist() == [0.4] * 64


def test_the_later_of_two_windows_holds() -> None:
    plan = FLAT | {"windows": [{"per_kwh": 0.2}, {"per_kwh": 0.9, "from": "12:00", "to": "13:00"}]}
    found = load_tariff(plan, DAY)
    assert found.import_price[47:53].tolist() == [0.2, 0.9, 0.9, 0.9, 0.9, 0.2]


def test_export_kinds() -> None:
    base = {"wholesale": "nl_2019", "adders_per_kwh": {"fee": 0.1}, "vat": 0.2}
    whole = load_tariff(base | {"export": {"kind": "wholesale", "deduction_per_kwh": 0.01}}, DAY)
    same = load_tariff(base | {"export": {"kind": "import"}}, DAY)
    none = load_tariff(base, DAY)
    np.testing.assert_allclose(whole.import_price, (whole.export_price + 0.01 + 0.1) * 1.2)
    np.testing.assert_allclose(same.export_price, same.import_price)
    assert none.export_price.max() == 0.0


def test_broken_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    for text, part in (("{", "cannot read"), ('{"vat": 0, "vat": 1}', "given twice: vat")):
        path.write_text(text)
        with pytest.raises(InputError, match=part):
            read_tariff_file(path)
    with pytest.raises(InputError, match="cannot read"):
        read_tariff_file(tmp_path / "none.json")


def test_a_wholesale_file_lies_beside_the_tariff_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for place in (tmp_path, tmp_path / "in"):
        rows = "".join(
            f"2019-01-0{day}T{hour:02d}:00,{hour / 100}\n" for day in (6, 7) for hour in range(24)
        )
        (place / "p.csv").write_text("time,price_eur_per_kwh\n" + rows)
    tariff = tmp_path / "in" / "t.json"
    tariff.write_text(
        json.dumps({"name": "t", "wholesale": "p.csv", "export": {"kind": "wholesale"}})
    )
    assert load_tariff(tariff, DAY).import_price[4] == 0.0
    for name, part in (("../p.csv", "outside the folder"), ("nl_1999", "neither packaged")):
        tariff.write_text(json.dumps({"name": "t", "wholesale": name}))
        with pytest.raises(InputError, match=part):
            load_tariff(tariff, DAY)


@pytest.mark.parametrize("name", ["nl_2023", "building_subscribed"])
def test_a_stored_tariff_comes_back_bit_by_bit(tmp_path: Path, name: str) -> None:
    before = load_tariff(name, DAY)
    after = load_tariff(store_tariff(before, DAY, tmp_path / "t.json"), DAY)
    np.testing.assert_array_equal(after.import_price, before.import_price)
    np.testing.assert_array_equal(after.export_price, before.export_price)
    for field in ("name", "currency", "source", "subscribed_kw", "demand_charge_per_kw_month",
                  "subscribed_per_kw_month", "excess_per_kw_month"):  # fmt: skip
        assert getattr(after, field) == getattr(before, field)


def test_stored_prices_are_checked(tmp_path: Path) -> None:
    path = store_tariff(load_tariff("nl_2019", DAY), DAY, tmp_path / "t.json")
    with pytest.raises(InputError, match="too short"):
        load_tariff(path, Timeline.days("2019-01-07", 2, zone="Europe/Berlin"))
    path.write_text('{"name": "t", "prices": "../t.csv"}')
    with pytest.raises(InputError, match="outside the folder"):
        load_tariff(path, DAY)
    path.write_text('{"name": "t", "prices": "absent.csv"}')
    with pytest.raises(InputError, match="cannot read the prices"):
        load_tariff(path, DAY)
    path.write_text('{"name": "t", "prices": "t.csv", "vat": 0.2}')
    with pytest.raises(InputError, match="beside 'prices'"):
        load_tariff(path, DAY)
