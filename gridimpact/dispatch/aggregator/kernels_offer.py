"""What a car can add to or take off its plan for a whole block of time, found on its own battery."""

from __future__ import annotations

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    BoolArray,
    FloatArray,
    IntArray,
    Rules,
    StayArrays,
    battery_step,
    full_rate,
    needed_before,
    within_limits,
)
from gridimpact.dispatch.kernels_graph import compiled

_CLOSE_KW = 1e-9


@compiled
def _holds(
    change: float,
    span: tuple[int, int, int],
    soc: float,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    plan: tuple[FloatArray, FloatArray, FloatArray],
) -> bool:
    """Return whether stay ``span[0]`` can change its plan by a power in all of its steps of a span."""
    i, first, last = span
    p_kw, room_kw, spare_kw = plan
    v = s.vehicle[i]
    rate, target = full_rate(s.p_charge_kw[i], v, b), min(s.soc_target[i], b.soc_max[v])
    rules = Rules(True, True, False)
    for t in range(first, last):
        asked = p_kw[t, v] + change
        if (change > 0.0 and asked > room_kw[t, v]) or (change < 0.0 and asked < -spare_kw[t, v]):
            return False
        ahead = (s.end[i] - 1 - t) * dt_h
        need = needed_before(target, ahead, rate, b.soc_knee[v], b.taper_fraction[v])
        power = within_limits(asked, soc, need, i, dt_h, s, b, rules)
        if (change > 0.0 and power < asked - _CLOSE_KW) or (
            change < 0.0 and power > asked + _CLOSE_KW
        ):
            return False
        soc = battery_step(soc, power, dt_h, v, b)
    return True


@compiled
def _charger_room(way: int, span: tuple[int, int, int], s: StayArrays, p_kw: FloatArray) -> float:
    """Return by how much the charger lets a stay lower (way 0) or raise its plan in all steps of a span."""
    i, first, last = span
    room = s.p_charge_kw[i] + s.p_discharge_kw[i]
    for t in range(first, last):
        power = p_kw[t, s.vehicle[i]]
        room = min(room, power + s.p_discharge_kw[i] if way == 0 else s.p_charge_kw[i] - power)
    return float(max(room, 0.0))


@compiled
def block_power(
    soc: tuple[FloatArray, FloatArray],
    own: BoolArray,
    block: IntArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    plan: tuple[FloatArray, FloatArray, FloatArray],
    found: tuple[FloatArray, FloatArray],
) -> None:
    """Write how much less and how much more each car can draw throughout its part of each block.

    `soc` holds that of arrivals, (stay,), and of the plan; `block` (time,) numbers the blocks; `plan` holds
    power, room to draw and room to feed, (time, vehicle); `found` takes the power off and the power on,
    (time, vehicle).
    """
    for i in range(s.vehicle.size):
        v, first = s.vehicle[i], s.start[i]
        while own[v] and first < s.end[i]:
            last = first + 1
            while last < s.end[i] and block[last] == block[first]:
                last += 1
            begin = soc[1][first - 1, v] if first > s.start[i] else soc[0][i]
            for way in range(2):
                low, high = 0.0, _charger_room(way, (i, first, last), s, plan[0])
                sign = -1.0 if way == 0 else 1.0
                if _holds(sign * high, (i, first, last), begin, dt_h, s, b, plan):
                    low = high
                while high - low > _CLOSE_KW:
                    middle = 0.5 * (low + high)
                    if _holds(sign * middle, (i, first, last), begin, dt_h, s, b, plan):
                        low = middle
                    else:
                        high = middle
                found[way][first:last, v] = low
            first = last
