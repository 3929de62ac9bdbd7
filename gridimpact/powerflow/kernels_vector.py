"""The same quantity of `WIDTH` lanes as one value of compiled code, so that no loop is left to vectorise.

A `Lanes` lives in vector registers; `load` and `store` move it from and to flat arrays. Every
operation works lane by lane; a product may be fused with the sum that takes it, everywhere alike.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils, config
from numba.extending import intrinsic, models, overload, register_model

from gridimpact.powerflow.layout import WIDTH

PART = 16
"""Lanes of a block that are worked on at once where a block's values would not fit the registers."""

TILE = 8
"""Lanes and columns of a square that is turned at once."""

# Division follows IEEE 754 instead of raising, so that a lane without a solution harms no other. The
# caller holds all arrays: counting who else does takes a seventh of a flow, one count for each row.
inner = njit(nogil=True, error_model="numpy", _nrt=False)
"""Compile what works on a block; it may take arrays and views of them but make none of its own."""

_INDEX = ir.IntType(32)
_FUSED = ("contract",)
_CHECKED = bool(config.BOUNDSCHECK)


class LanesType(types.Type):  # type: ignore[misc]
    """Type of some doubles."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"Lanes({count})")


class MaskType(types.Type):  # type: ignore[misc]
    """Type of some truth values."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"Mask({count})")


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _doubles(kind.count))


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), kind.count))


def _doubles(count: int) -> Any:
    return ir.VectorType(ir.DoubleType(), count)


def _between(first: Any, second: Any, generate: Any) -> Any:
    """Return signature and code of an operation between two values of one type."""
    if isinstance(first, LanesType) and isinstance(second, LanesType):
        return first(first, second), generate
    return None


@intrinsic
def _add(typing: Any, first: Any, second: Any) -> Any:
    return _between(first, second, lambda c, b, s, a: b.fadd(*a, flags=_FUSED))


@intrinsic
def _subtract(typing: Any, first: Any, second: Any) -> Any:
    return _between(first, second, lambda c, b, s, a: b.fsub(*a, flags=_FUSED))


@intrinsic
def _multiply(typing: Any, first: Any, second: Any) -> Any:
    return _between(first, second, lambda c, b, s, a: b.fmul(*a, flags=_FUSED))


@intrinsic
def _divide(typing: Any, first: Any, second: Any) -> Any:
    return _between(first, second, lambda c, b, s, a: b.fdiv(*a))


def _overload(symbol: Any, code: Any) -> None:
    @overload(symbol, strict=False)
    def _choose(first: Any, second: Any) -> Callable[[Any, Any], Any] | None:
        if isinstance(first, LanesType) and isinstance(second, LanesType):
            return lambda first, second: code(first, second)
        return None


for _symbol, _code in (
    (operator.add, _add),
    (operator.sub, _subtract),
    (operator.mul, _multiply),
    (operator.truediv, _divide),
):
    _overload(_symbol, _code)


def _address(context: Any, builder: Any, count: int, kind: Any, place: tuple[Any, Any]) -> Any:
    """Return the address of some numbers of a flat array, checked where numba checks bounds."""
    values, start = place
    array = context.make_array(kind)(context, builder, values)
    if _CHECKED:
        size = cgutils.unpack_tuple(builder, array.shape, 1)[0]
        low = builder.icmp_signed("<", start, start.type(0))
        high = builder.icmp_signed(">", builder.add(start, start.type(count)), size)
        with builder.if_then(builder.or_(low, high), likely=False):
            context.call_conv.return_user_exc(builder, IndexError, ("lanes beyond their array",))
    return builder.bitcast(builder.gep(array.data, [start]), _doubles(count).as_pointer())


def _loader(count: int) -> Any:
    def typed(typing: Any, values: Any, start: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            address = _address(context, builder, count, signature.args[0], given)
            found = builder.load(address)
            found.align = 8
            return found

        return LanesType(count)(values, types.intp), generate

    return intrinsic(typed)


def _splatter(count: int) -> Any:
    def typed(typing: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            empty = ir.Constant(_doubles(count), ir.Undefined)
            one = builder.insert_element(empty, given[0], ir.Constant(_INDEX, 0))
            first = ir.Constant(ir.VectorType(_INDEX, count), [0] * count)
            return builder.shuffle_vector(one, empty, first)

        return LanesType(count)(types.float64), generate

    return intrinsic(typed)


load, load_part, load_tile = _loader(WIDTH), _loader(PART), _loader(TILE)
"""Return the lanes that begin at a position of a flat array of doubles: of a block, a part or a tile."""

splat, splat_part, splat_tile = _splatter(WIDTH), _splatter(PART), _splatter(TILE)
"""Return the same number in every lane."""


@intrinsic
def store(typing: Any, values: Any, start: Any, lanes: Any) -> Any:
    """Write lanes from a position of a flat array of doubles on."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        address = _address(context, builder, lanes.count, signature.args[0], given[:2])
        builder.store(given[2], address).align = 8
        return context.get_dummy_value()

    return types.void(values, types.intp, lanes), generate


@intrinsic
def root(typing: Any, lanes: Any) -> Any:
    """Return the square root of every lane."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(_doubles(lanes.count), [_doubles(lanes.count)])
        name = f"llvm.sqrt.v{lanes.count}f64"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), given)

    return lanes(lanes), generate


@intrinsic
def above(typing: Any, first: Any, second: Any) -> Any:
    """Return in which lanes the first is larger; never where one is NaN."""
    return MaskType(first.count)(first, second), lambda c, b, s, a: b.fcmp_ordered(">", *a)


@intrinsic
def pick(typing: Any, mask: Any, first: Any, second: Any) -> Any:
    """Return the first where the mask holds, else the second."""
    return first(mask, first, second), lambda c, b, s, a: b.select(*a)


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Return the columns of a square, its rows given: halves of rows change places, then quarters."""
    reach = len(rows) // 2
    while reach:
        turned = list(rows)
        for at in (at for at in range(len(rows)) if not at & reach):
            pair = rows[at], rows[at + reach]
            for to, begin in ((at, 0), (at + reach, reach)):
                chosen = [
                    (lane & ~reach) + begin + (len(rows) if lane & reach else 0)
                    for lane in range(len(rows))
                ]
                mask = ir.Constant(ir.VectorType(_INDEX, len(rows)), chosen)
                turned[to] = builder.shuffle_vector(*pair, mask)
        rows, reach = turned, reach // 2
    return rows


@intrinsic
def turn(typing: Any, values: Any, place: Any, out: Any, to: Any) -> Any:
    """Write the columns of a square of `TILE` rows of a flat array as rows of another.

    ``place`` is the first row's position, the distance of rows and the last row that is there, which
    stands for those beyond; ``to`` the first position written and the distance of what follows.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        start, pitch, last = cgutils.unpack_tuple(builder, given[1])
        rows = []
        for number in range(TILE):
            own = ir.Constant(last.type, number)
            row = builder.select(builder.icmp_signed("<", last, own), last, own)
            at = builder.add(start, builder.mul(row, pitch))
            address = _address(context, builder, TILE, signature.args[0], (given[0], at))
            rows.append(builder.load(address))
            rows[-1].align = 8
        start, pitch = cgutils.unpack_tuple(builder, given[3])
        for number, column in enumerate(_turned(builder, rows)):
            at = builder.add(start, builder.mul(ir.Constant(pitch.type, number), pitch))
            address = _address(context, builder, TILE, signature.args[2], (given[2], at))
            builder.store(column, address).align = 8
        return context.get_dummy_value()

    three, two = types.UniTuple(types.intp, 3), types.UniTuple(types.intp, 2)
    return types.void(values, three, out, two), generate


@intrinsic
def fetch(typing: Any, values: Any, at: Any) -> Any:
    """Ask for a position of a flat array, even beyond its end, before it is needed."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, given[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        address = builder.bitcast(builder.gep(array.data, [given[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        code = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(code, [address, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(values, types.intp), generate
