"""A folder of a user's own data, as a utility would send it: net, meters, sessions, tariff, weather."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd

from gridimpact.network.writer import write_network
from tests.study import case


def write_own_data(folder: Path) -> Path:
    """Write net, meters in kWh, sessions, chargers, tariff and weather; return the folder."""
    net = case.three_homes()
    write_network(net, folder / "feeder12.json", keep_loads=True)
    # Stamps at the end of each quarter of an hour, local time of Chicago.
    stamps = pd.date_range("2016-07-11 00:15", periods=3 * 96, freq="15min")
    meters = pd.DataFrame({"time": stamps.strftime("%Y-%m-%d %H:%M")})
    for number, site in enumerate(net.sites.index):
        meters[site] = 0.25 * (1.0 + number)
    meters.to_csv(folder / "ami.csv", index=False)
    rows = ["Vehicle,Charger,Start,End,kWh"]
    for day in (11, 12):
        for car in "ab":
            rows.append(f"{car},c_{car},2016-07-{day} 18:00,2016-07-{day + 1} 06:30,12.5")
    rows.append("b,c_b,2016-07-13 09:00,2016-07-13 08:00,3")
    (folder / "log.csv").write_text("\n".join(rows) + "\n")
    (folder / "charger_to_bus.csv").write_text(f"charger_id,bus\nc_a,{net.sites['bus'].iloc[0]}\nc_b,{net.sites['bus'].iloc[2]}\n")  # fmt: skip
    tariff = {"name": "time of use", "origin": "test", "currency": "USD", "energy_per_kwh": 0.30,
              "windows": [{"per_kwh": 0.08, "from": "23:00", "to": "06:00"}],
              "export": {"kind": "flat", "per_kwh": 0.25}}  # fmt: skip
    (folder / "tariff.json").write_text(json.dumps(tariff))
    (folder / "chicago.epw").write_text(weather())
    return folder


def weather():
    """Return an EPW file of a year whose day swings by 10 degrees around its season."""
    lines = ["LOCATION,Chicago,IL,USA,TEST,725300,41.98,-87.92,-6.0,201.0", *["X"] * 7]
    for hour, moment in enumerate(pd.date_range("2001-01-01", periods=8760, freq="1h")):
        season = 10.0 - 15.0 * math.cos(2 * math.pi * hour / 8760)
        value = season - 5.0 * math.cos(2 * math.pi * (moment.hour - 3) / 24)
        lines.append(f"2001,{moment.month},{moment.day},{moment.hour + 1},0,?,{value:.1f},0,50")
    return "\n".join(lines) + "\n"
