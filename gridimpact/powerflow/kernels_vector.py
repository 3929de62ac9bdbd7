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
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic, models, overload, register_model

from gridimpact.powerflow.layout import WIDTH

PART = 16
"""Lanes of a block that are worked on at once where a block's values would not fit the registers."""

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


load, load_part = _loader(WIDTH), _loader(PART)
"""Return the lanes that begin at a position of a flat array of doubles: a block's, or a part of one."""

splat, splat_part = _splatter(WIDTH), _splatter(PART)
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
